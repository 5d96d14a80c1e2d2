"""From wrong numbers to the mistake that makes them.

Every recipe of the catalogue is tried, alone and then in pairs, under every convention that is open. A quick pass in
floats on one case leaves few; what explains an answer must then hold it inside its budgets on *every* case. If nothing
does, the pattern of what is right and what is wrong says where to look.

>>> from purebp import FLOAT, Batch, Network
>>> from purebp.oracle.explaining.catalogue import CATALOGUE
>>> from purebp.oracle.explaining.recipe import planted, run
>>> network, batch = Network.random([2, 3, 1], seed=4), Batch([[0.5, -1.0]], [[1.0]])
>>> wrong = run(planted(CATALOGUE["squashed twice"], {0}), network, batch, "mse", FLOAT)
>>> [found.name for found in diagnose(network, batch, wrong)]
['squashed twice']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import inf, isfinite
from typing import Any

from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BINARY32, Format, format_named, is_exact
from purebp.oracle.answer import LOCAL, Claim, Key, as_claim, gradients_in, tensor_name
from purebp.oracle.cases import Case, default_loss
from purebp.oracle.conventions import ONE, Convention, Factor, factors
from purebp.oracle.evidence import inside, turned_claim
from purebp.oracle.explaining.catalogue import CATALOGUE, LOSS, RATES, STATE, seen, updated_weights
from purebp.oracle.explaining.recipe import (
    Mistake,
    Place,
    Recipe,
    bias_gradients,
    places,
    planted,
    run,
    weight_gradients,
)
from purebp.textbook import losses
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError
from purebp.textbook.backprop import backpropagation, forward
from purebp.textbook.linalg import shape
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Gradients, Network
from purebp.textbook.optimizers import sgd_step

Made = tuple[Mistake, frozenset[int]]
Measured = tuple[Mistake, float | None, float]  # the first answer as a multiple of what it gives, and the slack of that


@dataclass(frozen=True, slots=True)
class Observation:
    """What was asked and what was answered; the claim holds weights and biases, as they were returned."""

    case: Case
    claim: Claim

    @property
    def network(self) -> Network:
        return self.case.network

    @property
    def batch(self) -> Batch:
        return self.case.batch

    @property
    def size(self) -> tuple[int, int]:
        """Samples and outputs."""
        return len(self.batch.targets), len(self.batch.targets[0])


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An explanation: a name, its family, a sentence for a learner, the line of the recurrence, and what was changed."""

    name: str
    family: str
    sentence: str
    line: str
    changes: tuple[str, ...]
    convention: Convention | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Mistakes made, tensors scaled, and a convention, which together may explain an answer."""

    made: tuple[Made, ...]
    scales: tuple[tuple[Factor, frozenset[Key]], ...]
    convention: Convention
    cost: int

    def recipe(self) -> Recipe:
        recipe = Recipe()
        for mistake, layers in self.made:
            recipe = planted(mistake, layers, recipe)
        return recipe

    def claim(self, observed: Observation, arithmetic: Arithmetic[Any]) -> dict[Key, Matrix[Any]]:
        """What an implementation with these mistakes returns."""
        network, batch = observed.network, observed.batch
        try:
            found = run(self.recipe(), network, batch, self.convention.effective, arithmetic)
        except (PurebpError, ArithmeticError):  # the mistake cannot be made here
            found = run(Recipe(), network, batch, self.convention.effective, arithmetic)
        claim = as_claim(found)
        for factor, keys in self.scales:
            p, q = factor(*observed.size).as_integer_ratio()
            scale = arithmetic.ratio(p, q)
            claim.update({key: [[scale * x for x in row] for row in claim[key]] for key in keys if key in claim})
        return turned_claim(claim, network, arithmetic, self.convention.turned(*observed.size, arithmetic))


def diagnose(
    network: Network,
    batch: Batch,
    claimed: Gradients,
    loss: Loss | str | None = "mse",
    format: Format | str = "binary64",
    *,
    returns: str | None = "gradients",
    learning_rate: float | None = None,
) -> list[Diagnosis]:
    """What explains the claimed gradients of one case, fewest changes first; [] if nothing does.

    claimed: `Gradients` of that network.
    """
    if not isinstance(claimed, Gradients):
        raise PurebpError(f"{claimed!r:.60} are no Gradients: judge explains answers in other forms")
    claim, right = as_claim(claimed), {key: shape(rows) for key, rows in as_claim(network).items()}
    if {key: shape(rows) for key, rows in claim.items()} != right:
        raise PurebpError(f"these are not gradients of the network {'-'.join(map(str, network.sizes))}")
    return explanations([Observation(Case("", network, batch), claim)], loss, format, returns, learning_rate)


def explanations(
    observations: Sequence[Observation],
    loss: Loss | str | None,
    format: Format | str = "binary64",
    returns: str | None = "gradients",
    learning_rate: float | None = None,
    plain: bool = False,
) -> list[Diagnosis]:
    """What explains all observations; what no case among them can tell apart stands side by side.

    With plain=True only conventions are tried, no mistakes.
    """
    if not all(map(_finite, observations)):
        return []
    search = Search(observations, loss, format, returns, learning_rate)
    for first in search.firsts()[: 1 if plain else 2]:
        search.begin(first)
        for stage in search.stages(plain):
            if found := search.told(stage):
                return found
    return (
        [] if plain else [found for found in (_penalty(search), _online(search), _nothing(search)) if found is not None]
    )


def followed(
    observed: Observation,
    loss: Loss | str | None,
    format: Format | str,
    returns: str | None,
    learning_rate: float | None,
) -> list[Convention]:
    """The conventions that one observation may follow, in a quick pass."""
    if not _finite(observed):
        return []
    search = Search([observed], loss, format, returns, learning_rate)
    return [hypothesis.convention for stage in search.stages(only=True) for hypothesis in stage]


def _finite(observed: Observation) -> bool:
    return all(isfinite(x) for rows in observed.claim.values() for row in rows for x in row)


def biases_in(observations: Sequence[Observation]) -> list[Observation]:
    """Of observations that hold gradients of biases, those alone."""
    found = [replace(o, claim={key: o.claim[key] for key in o.claim if key[0] == "biases"}) for o in observations]
    return [o for o in found if o.claim]


class Search:
    """The hypotheses about some observations, plainest first."""

    def __init__(
        self,
        observations: Sequence[Observation],
        loss: Loss | str | None,
        format: Format | str,
        returns: str | None,
        learning_rate: float | None,
    ) -> None:
        self.format, self.open_loss, self.open_sign = format_named(format), loss is None, returns is None
        self.returns, self.learning_rate = returns or "gradients", learning_rate
        functions = [layer.activation for layer in observations[0].network.layers]
        self.loss = default_loss(functions, loss)
        others = [losses.mse, losses.mae, losses.huber(1.0)]
        entropies = [losses.binary_cross_entropy, losses.cross_entropy]
        if any(entropy.fused_with(functions[-1]) for entropy in entropies):
            others[1:1] = entropies
        self.others = [
            other
            for other in others
            if other.words != self.loss.words  # half the squares are squares
        ]
        self.tolerance = max(1e-5, min(0.02, 2048 * 2.0**-self.format.of_numbers.precision))
        self.depth = len(functions)
        self.observations = sorted(
            observations, key=lambda o: (not _at_kink(o), self.off(o), _lively(o), *_informative(o)), reverse=True
        )
        self.kinked = list(map(_at_kink, self.observations))
        claimed = (x for o in self.observations for rows in gradients_in(o.claim).values() for row in rows for x in row)
        self.stored = all(is_exact(x, BINARY32) for x in claimed)  # in binary32
        self.catalogue = list(CATALOGUE.values())
        if self.returns == "step" and learning_rate is not None and learning_rate not in RATES:
            self.catalogue.append(updated_weights(learning_rate))
        self.able = {  # of each tensor, the mistakes that concern it alone
            (step, l): [m for m in self.catalogue if m.step == step and any(l in at for at in m.layers(self.depth))]
            for step in LOCAL
            for l in range(self.depth)
        }
        self.begin(self.observations[0])

    def firsts(self) -> list[Observation]:
        """The cases to begin with: one in which most mistakes show, and one with a single output."""
        narrow = [o for o in self.observations[1:] if o.size[0] > 1 == o.size[1] and not _at_kink(o) and self.off(o)]
        return [self.observations[0], *narrow[:1]]

    def begin(self, first: Observation) -> None:
        """Hypotheses are made from this case, and confirmed on all others."""
        self.first, self.claim = first, self.normal(first)
        self.trace = forward(first.network, first.batch.inputs)
        self.cache: dict[object, bool] = {}
        self.alike: dict[Made, list[Made]] = {}  # layers in which a mistake gives the same on this case

    def told(self, stage: Sequence[Hypothesis]) -> list[Diagnosis]:
        """The first five that all observations confirm, the commonest mistake first."""
        found: dict[str, tuple[int, Diagnosis]] = {}
        for hypothesis in stage:
            diagnosis = next(filter(None, map(self.confirmed, self.variants(hypothesis))), None)
            if diagnosis is not None and diagnosis.name not in found:
                pure = not hypothesis.scales and hypothesis.convention.base == self.loss.base
                often = min((seen(mistake) for mistake, _ in hypothesis.made), default=100 if pure else -1)
                found[diagnosis.name] = (-often, diagnosis)
            if len(found) == 5:
                break
        return [diagnosis for _, diagnosis in sorted(found.values(), key=lambda item: item[0])]

    def normal(self, observed: Observation) -> dict[Key, Matrix]:
        """The claim as gradients that one would subtract, if it is what it should be."""
        if self.returns == "gradients":
            return dict(observed.claim)
        rate = self.learning_rate or 1.0

        def gradient(c: float, w: float) -> float:
            return -c if self.returns == "descent" else (w - c) / rate

        return turned_claim(dict(observed.claim), observed.network, FLOAT, gradient)

    @property
    def rates(self) -> dict[Factor, str]:
        """The factors of a step that come from the declared learning rate, and how they arise."""
        if self.returns != "step" or self.learning_rate is None:
            return {}
        rate = Fraction(repr(float(self.learning_rate)))
        return {Factor(rate): "twice", Factor(1 / rate): "missing"}

    def off(self, observed: Observation) -> bool:
        """Whether the answer differs from what it should be, by more than a factor where the loss is open."""
        claim = self.normal(observed)
        right = as_claim(run(Recipe(), observed.network, observed.batch, self.loss, FLOAT))
        ratios = [self.ratio(key, claim[key], rows, observed) for key, rows in right.items() if key in claim]
        known = [r for r in ratios if r is not None and r != inf]
        wanted = known[0] if self.open_loss and known else 1.0
        return None in ratios or any(abs(r - wanted) > 100 * self.tolerance * abs(wanted) for r in known)

    def slack(self, observed: Observation, key: Key) -> float:
        """What subtracting updated weights from weights leaves of roundoff."""
        if self.returns != "step":
            return 0.0
        largest: float = max(abs(x) for row in as_claim(observed.network)[key] for x in row)
        return 8 * 2.0**-self.format.of_numbers.precision * largest / (self.learning_rate or 1.0)

    def stages(self, only: bool) -> Iterator[list[Hypothesis]]:
        plain = list(self.solved((), self.loss))
        free = [h for h in plain if h.cost == 0 or (only and h.cost == 1 and h.convention.returns == "ascent")]
        yield sorted(free, key=lambda h: h.convention.plainness) if self.open_loss else free
        others = [h for other in self.others for h in self.solved((), other) if not h.made and not h.scales]
        if self.open_loss:
            yield [h for h in others if h.cost == 0]
        if only:
            return
        singles = list(self.singles())
        others = [replace(h, cost=max(1, h.cost)) for h in others]
        by_trunk = [h for made in singles for h in self.solved((made,), self.loss, exact=True)]
        yield [h for h in (*plain, *by_trunk, *others) if h.cost == 1]
        by_trunk = [h for made in singles for h in self.solved((made,), self.loss)]
        everything = [*plain, *by_trunk, *others]
        yield [h for h in everything if h.cost == 2]
        both = filter(None, (self.apart(*pair) for pair in combinations(singles, 2)))
        yield [h for pair in both for h in self.solved(pair, self.loss, exact=True)]
        yield [h for h in everything if h.cost == 3]

    def singles(self) -> Iterator[Made]:
        """Every mistake of the trunk that changes something in the first case."""
        right = self.values((), self.loss)
        for mistake in self.catalogue:
            if mistake.step in LOCAL:
                continue
            found: list[tuple[Made, object]] = []
            for layers in mistake.layers(self.depth):
                values = self.values(((mistake, layers),), self.loss)
                if values is None or values == right:
                    continue
                first = next((made for made, other in found if other == values), None)
                if first is None:
                    found.append(((mistake, layers), values))
                    self.alike[mistake, layers] = [(mistake, layers)]
                else:
                    self.alike[first].append((mistake, layers))
            for made, _ in found:
                yield made
                self.alike.update(dict.fromkeys(self.alike[made], self.alike[made]))

    def apart(self, a: Made, b: Made) -> tuple[Made, Made] | None:
        """Two mistakes in layers where one leaves room for the other."""
        if a[0].step != b[0].step:
            return a, b
        return next(
            (pair for pair in product(self.alike[a], self.alike[b]) if a[1] and not pair[0][1] & pair[1][1]), None
        )

    def variants(self, hypothesis: Hypothesis) -> Iterator[Hypothesis]:
        """The same mistakes in all layers that the first case cannot tell apart."""
        for made in product(*(self.alike.get(one, [one]) for one in hypothesis.made)):
            yield replace(hypothesis, made=made)

    def values(self, made: tuple[Made, ...], loss: Loss) -> list[tuple[Key, Matrix]] | None:
        found = self.way_back(made, loss)
        return None if found is None else list(_tensors(found))

    def way_back(self, made: tuple[Made, ...], loss: Loss, down_to: int = 0) -> list[Place] | None:
        recipe = Hypothesis(made, (), Convention(loss), 0).recipe()
        if recipe.forward is forward and all(mistake.step != "model" for mistake, _ in made):
            recipe = replace(recipe, forward=lambda *given: self.trace)
        try:
            return places(recipe, self.first.network, self.first.batch, loss, FLOAT, down_to)
        except (PurebpError, ArithmeticError):
            return None

    def solved(self, made: tuple[Made, ...], loss: Loss, exact: bool = False) -> Iterator[Hypothesis]:
        """What else must have happened, after these mistakes, for the first case to be answered as it was."""
        if exact and not self.fits_from_above(made):
            return
        way_back = self.way_back(made, loss)
        if way_back is None:
            return
        found = {key: self.measured(key, rows) for key, rows in _tensors(way_back) if key in self.claim}
        ratios = {key: ratio for key, (ratio, _) in found.items()}
        known = [r for r in ratios.values() if r is not None and r != inf]

        @cache
        def local(key: Key) -> list[Measured]:
            return list(self.of_one_tensor(key, way_back[self.depth - 1 - key[1]]))

        for ratio in dict.fromkeys(([] if self.open_loss else [1.0]) + [float(f"{r:.6g}") for r in known]):
            wrong = [key for key in found if not self.agree(*found[key], ratio)]
            if exact and wrong:
                continue
            for factor in list(self.factors(ratio, self.tolerance))[:12]:
                convention, cost = self.convention(loss, factor)
                cost += len(made)
                if not wrong:
                    yield Hypothesis(made, (), convention, cost)
                elif cost <= 2 and len(wrong) < len(ratios) + (ratio == 1.0):
                    yield from self.locally(made, local, wrong, ratios, ratio, convention, cost)

    def factors(self, ratio: float, tolerance: float) -> Iterator[Factor]:
        """The factors that explain a ratio seen in the first case; a learning rate left out or applied twice among them."""
        yield from factors([(ratio, *self.first.size)], tolerance)
        for rate in self.rates:
            yield from (f for f in (rate, -rate) if abs(ratio - f.constant) <= tolerance * abs(ratio))

    def measured(self, key: Key, rows: Matrix) -> tuple[float | None, float]:
        """The first answer as a multiple of the rows, and how far off roundoff may put it."""
        found = self.ratio(key, self.claim[key], rows)
        largest = max(abs(x) for row in rows for x in row)
        return found, self.slack(self.first, key) / largest if found is not None and largest else 0.0

    def agree(self, found: float | None, slack: float, ratio: float) -> bool:
        if found is None or found == inf:
            return found == inf
        return abs(found - ratio) <= self.tolerance * abs(ratio) + slack

    def one_factor(self, way_back: Sequence[Place] | None) -> bool:
        """Whether the first answer is one and the same factor times all of these tensors."""
        tensors = [(key, rows) for key, rows in _tensors(way_back or ()) if key in self.claim]
        measured = [self.measured(key, rows) for key, rows in tensors]
        ratio = next((r for r, _ in measured if r not in (None, inf)), 1.0)
        return (
            bool(measured)
            and all(self.agree(r, slack, ratio) for r, slack in measured)
            and any(self.factors(ratio, self.tolerance + max(slack for _, slack in measured)))
        )

    def fits_from_above(self, made: tuple[Made, ...]) -> bool:
        """Whether each layer, the output first, is explained up to a factor by what is made there and above."""
        for l in reversed(range(self.depth)):
            acting = tuple(
                (mistake, frozenset(layer for layer in layers if layer >= l))
                for mistake, layers in made
                if not mistake.layerwise or max(layers) >= l
            )
            state = (l, *((mistake.name, layers) for mistake, layers in acting))
            if state not in self.cache:
                self.cache[state] = self.one_factor(self.way_back(acting, self.loss, l))
            if not self.cache[state]:
                return False
        return True

    def convention(self, loss: Loss, factor: Factor) -> tuple[Convention, int]:
        """The convention, and how many of its parts were declared otherwise."""
        turned = factor.constant < 0
        returns = self.returns
        if turned:
            returns = {"gradients": "descent", "descent": "gradients", "step": "ascent"}[returns]
        size = Factor(abs(factor.constant), factor.samples, factor.outputs)
        cost = (turned and not self.open_sign) + (size != ONE and not self.open_loss)
        return Convention(loss, size, returns, self.learning_rate), cost

    def of_one_tensor(self, key: Key, place: Place) -> Iterator[Measured]:
        """Every mistake that concerns this tensor alone, and the first answer as a multiple of what it gives."""
        for mistake in self.able[key]:
            if (value := _local(mistake, place)) is not None:
                yield mistake, *self.measured(key, value)

    def locally(
        self,
        made: tuple[Made, ...],
        measured: Callable[[Key], list[Measured]],
        wrong: Sequence[Key],
        ratios: dict[Key, float | None],
        ratio: float,
        convention: Convention,
        cost: int,
    ) -> Iterator[Hypothesis]:
        """Mistakes that concern single tensors, or factors, that explain the wrong ones."""
        options: dict[Key, dict[str, Any]] = {}
        n, m = self.first.size
        for key in wrong:
            found: dict[str, Any] = {one.name: one for one, r, slack in measured(key) if self.agree(r, slack, ratio)}
            r = ratios[key]
            if r not in (None, inf, 0.0) and len(wrong) < len(ratios):
                for factor in list(self.factors(r / ratio, self.tolerance))[:6]:
                    found[str(factor)] = factor
            if not found:
                return
            options[key] = found
        together = [name for name in options[wrong[0]] if all(name in options[key] for key in wrong)]
        groups: list[tuple[tuple[str, frozenset[Key]], ...]] = [((name, frozenset(wrong)),) for name in together]
        if not groups:
            kinds = [[key for key in wrong if key[0] == kind] for kind in LOCAL]
            parts = [part for part in kinds if part]
            if len(parts) == 2:
                names = [
                    [name for name in options[part[0]] if all(name in options[key] for key in part)] for part in parts
                ]
                groups = [
                    ((a, frozenset(parts[0])), (b, frozenset(parts[1]))) for a in names[0][:3] for b in names[1][:3]
                ]
            if not groups and len(wrong) <= 2:
                groups = [tuple((next(iter(options[key])), frozenset({key})) for key in wrong)]
        for group in groups:
            scales = [
                (found, keys) for option, keys in group if isinstance(found := options[min(keys)][option], Factor)
            ]
            local = [
                (found, keys) for option, keys in group if isinstance(found := options[min(keys)][option], Mistake)
            ]
            exact = [frozenset(l for _, l in keys) for _, keys in local]
            scopes = [
                [layers, *(other for other in mistake.layers(self.depth) if other > layers)]
                for (mistake, _), layers in zip(local, exact)
            ]
            for layers_of in product(*scopes):
                chosen = tuple((mistake, layers) for (mistake, _), layers in zip(local, layers_of))
                yield Hypothesis((*made, *chosen), tuple(scales), convention, cost + len(group))

    def ratio(self, key: Key, claim: Matrix, rows: Matrix, observed: Observation | None = None) -> float | None:
        """claim / rows if that is one number; inf if both are 0."""
        pairs = [(c, x) for pair in zip(claim, rows) for c, x in zip(*pair)]
        c, x = max(pairs, key=lambda pair: abs(pair[1]))
        slack = self.slack(observed or self.first, key)
        largest = max([abs(c) for c, _ in pairs])
        if abs(x) <= 1e-300:
            return inf if largest <= slack + 1e-300 else None
        if not isfinite(largest) or not isfinite(x):
            return None
        ratio = c / x
        room = self.tolerance * largest + slack
        if largest <= slack and abs(x) > 4 * slack:
            return 0.0
        return ratio if all(abs(c - ratio * x) <= room for c, x in pairs) else None

    def confirmed(self, hypothesis: Hypothesis) -> Diagnosis | None:
        """The explanation in words, if every answer lies inside the budgets of the hypothesis."""
        for observed, kinked in reversed(list(zip(self.observations, self.kinked))):  # the first was looked at already
            if kinked:  # where f′ is any of several values; the budgets hold all of them
                continue
            claim = hypothesis.claim(observed, FLOAT)
            for key, rows in observed.claim.items():
                if key in claim and not self.near(claim[key], rows, observed, key):
                    return None
        for format in dict.fromkeys((self.format, BINARY32)):
            if format.precision > self.format.precision:
                continue
            if format != self.format and (hypothesis.made or hypothesis.scales) and not self.stored:
                continue  # wide budgets would let two mistakes that cancel stand for a roundoff
            if all(inside(gradients_in(o.claim), hypothesis.claim(o, ball(format))) for o in self.observations):
                return self.described(hypothesis, format.name)
        return None

    def near(self, rows: Matrix, claim: Matrix, observed: Observation, key: Key) -> bool:
        pairs = [(c, x) for pair in zip(claim, rows) for c, x in zip(*pair)]
        largest = max(max(abs(c), abs(x)) for c, x in pairs)
        room = 100 * self.tolerance * largest + 100 * self.slack(observed, key) + 1e-300
        return all(abs(c - x) <= room for c, x in pairs)

    def described(self, hypothesis: Hypothesis, format: str) -> Diagnosis:
        names, sentences, lines, families = [], [], [], []
        for mistake, layers in hypothesis.made:
            names.append(mistake.name)
            sentences.append(mistake.sentence.format(where=where(mistake, layers, self.depth)))
            lines.append(mistake.line)
            families.append(mistake.family)
        for factor, keys in hypothesis.scales:
            tensors = ", ".join(tensor_name(key) for key in sorted(keys, key=lambda key: (key[1], key[0])))
            if self.rates.get(factor) == "missing":
                names.append(f"learning rate missing in {tensors}")
            else:
                names.append(f"factor {factor} in {tensors}")
            sentences.append(f"{tensors}: {factor} times what it should be{_symbols(factor)}.")
            lines.append("∂loss/∂Wˡ = δˡᵀ aˡ⁻¹" if any(key[0] == "weights" for key in keys) else "∂loss/∂bˡ = Σ δˡ")
            families.append(LOSS)
        convention = hypothesis.convention
        for name, sentence in self.departures(convention):
            names.append(name)
            sentences.append(sentence)
            lines.append("∂loss/∂ŷ, from ŷ and y")
            families.append(LOSS)
        if not names:
            return Diagnosis("right", "", f"It is {convention.sentence}.", "", (), convention, format)
        note = f" (Computed in {format}.)" if format != self.format.name else ""
        return Diagnosis(
            " and ".join(names), families[0], " ".join(sentences) + note, lines[0], tuple(names), convention, format
        )

    def departures(self, convention: Convention) -> Iterator[tuple[str, str]]:
        """What was declared otherwise."""
        if not self.open_sign and convention.returns != self.returns:
            if convention.returns == "ascent":
                yield "sign turned", "The step goes uphill: subtract the gradient from the weights, or turn its sign."
            else:
                wanted = "subtracted" if self.returns == "gradients" else "added"
                yield (
                    "sign turned",
                    f"Every gradient has the wrong sign for one that is to be {wanted}: y − ŷ stands for ŷ − y, or the reverse.",
                )
        if self.open_loss:
            return
        if convention.base != self.loss.base:
            yield (
                "gradient of another loss",
                f"It is the gradient of {convention.words}, not of {Convention(self.loss).words}: "
                + (
                    "f′ of the output layer is missing."
                    if convention.loss and convention.loss.fusion
                    else "take the derivative of the loss that was declared."
                ),
            )
        elif self.rates.get(convention.factor) == "twice":
            yield "learning rate twice", "The learning rate is multiplied in twice: once is enough."
        elif self.rates.get(convention.factor) == "missing":
            yield "learning rate missing", "The learning rate is missing from the step: multiply the gradient by it."
        elif convention.factor != ONE:
            factor = convention.factor
            yield (
                f"factor {factor}",
                f"Every gradient is {factor} times what it should be{_symbols(factor)}: it is the gradient of {convention.words}, "
                f"not of {Convention(self.loss).words}.",
            )


def _penalty(search: Search) -> Diagnosis | None:
    """λ W or λ W / n in every gradient of the weights; those of the biases, which have none, tell the convention."""
    loss, returns = None if search.open_loss else search.loss, None if search.open_sign else search.returns
    convention: Convention | None = Convention(search.loss, ONE, search.returns, search.learning_rate)
    if biases := biases_in(search.observations):
        told = explanations(biases, loss, search.format, returns, search.learning_rate, plain=True)
        convention = told[0].convention if told else None
    if convention is None:
        return None
    given, samples = search.first.claim, search.first.size[0]
    without, one = (penalised(search.first, convention, Fraction(rate), FLOAT) for rate in (0, 1))
    entries = [entry for key in given for rows in zip(without[key], one[key], given[key]) for entry in zip(*rows)]
    off, slope = max(((x - w, p - w) for w, p, x in entries), key=lambda pair: abs(pair[1]))
    if not slope or not isfinite(off / slope * samples):
        return None
    for by_samples in (False, True):
        for digits in range(1, 9):
            rate = Fraction(f"{off / slope * (samples if by_samples else 1):.{digits}g}")
            shares = ((o, rate / o.size[0] if by_samples else rate) for o in search.observations)
            if all(inside(o.claim, penalised(o, convention, share, ball(search.format))) for o, share in shares):
                shown = f"{float(rate):g}{' / n' if by_samples else ''}"
                return Diagnosis(
                    "penalty added",
                    LOSS,
                    f"Every gradient of the weights has {shown} times the weights "
                    "added to it: a penalty (weight decay) that the loss does not have.",
                    "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹",
                    ("penalty added",),
                    convention,
                )
    return None


def penalised(
    observed: Observation, convention: Convention, rate: Fraction, arithmetic: Arithmetic[Any]
) -> dict[Key, Matrix[Any]]:
    """What an implementation returns that adds rate · W to every gradient of the weights."""
    network = observed.network
    claim = as_claim(backpropagation(network, observed.batch, convention.effective, arithmetic))
    share = arithmetic.ratio(*rate.as_integer_ratio())
    for l, layer in enumerate(network.layers):
        pairs = zip(claim["weights", l], arithmetic.lift(layer.weights))
        claim["weights", l] = [[g + share * w for g, w in zip(*rows)] for rows in pairs]
    return turned_claim(claim, network, arithmetic, convention.turned(*observed.size, arithmetic))


def _online(search: Search) -> Diagnosis | None:
    """Updated weights, where each sample is used to update before the next is looked at."""
    if search.returns != "step" or search.learning_rate is None:
        return None
    for whole in (True, False):  # whether 1/n is that of the batch
        for observed in search.observations:
            network, batch = observed.network, observed.batch
            loss = search.loss.over(len(batch.inputs)) if whole else search.loss
            for x, y in zip(batch.inputs, batch.targets):
                gradients = run(Recipe(), network, Batch([x], [y]), loss, FLOAT)
                network = sgd_step(network, gradients, search.learning_rate)
            steps = as_claim(network)
            if not all(_close(rows, steps[key], search.tolerance) for key, rows in observed.claim.items()):
                break
        else:
            return Diagnosis(
                "updated after every sample",
                STATE,
                "The weights are updated after every sample, so that "
                "the next sample meets other weights: add up the gradients of the batch first, then take one "
                "step.",
                "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹",
                ("updated after every sample",),
            )
    return None


def _close(a: Matrix, b: Matrix, tolerance: float) -> bool:
    return all(abs(x - y) <= tolerance * (1 + abs(y)) * 1e-3 for rows in zip(a, b) for x, y in zip(*rows))


def _nothing(search: Search) -> Diagnosis | None:
    """All gradients are 0, on every case that is wrong."""
    pairs = list(zip(search.observations, map(search.normal, search.observations)))
    off = [(observed, claim) for observed, claim in pairs if search.off(observed)]
    slack = max(search.slack(observed, key) for observed, claim in pairs for key in claim)
    if not off or any(abs(x) > slack for _, claim in off for rows in claim.values() for row in rows for x in row):
        return None
    several = all(observed.size[0] > 1 for observed, _ in off) and len(off) < len(pairs)
    why = " as soon as there are several samples: an integer division, such as 1 // n, is 0" if several else ""
    return Diagnosis(
        "all gradients are 0", LOSS, f"All gradients are 0{why}.", "∂loss/∂ŷ, from ŷ and y", ("all gradients are 0",)
    )


def where(mistake: Mistake, layers: frozenset[int], depth: int) -> str:
    """Layers in words.

    >>> where(CATALOGUE["squashed twice"], frozenset({1}), 2), where(CATALOGUE["squashed twice"], frozenset({0, 1}), 3)
    ('at the output layer', 'in the hidden layers')
    """
    if not mistake.layerwise:
        return ""
    at, into = ("to", "to") if mistake.step == "passed" else ("at", "in")  # what is passed down goes to a layer
    able = frozenset(range(mistake.lowest, depth if mistake.output else depth - 1))
    if layers == {depth - 1}:
        return f"{at} the output layer"
    if len(layers) == 1:
        return f"{into} layer {min(layers) + 1}"
    if layers >= able and mistake.output:
        return f"{into} every layer"
    if layers == set(range(depth - 1)):
        return f"{into} the hidden layers"
    return f"{into} layers " + ", ".join(str(l + 1) for l in sorted(layers))


def _symbols(factor: Factor) -> str:
    parts = [text for power, text in ((factor.samples, "n samples"), (factor.outputs, "m outputs")) if power]
    return f" ({', '.join(parts)})" if parts else ""


def _at_kink(observed: Observation) -> bool:
    """Whether some z lies where f′ jumps."""
    passes = zip(observed.network.layers, forward(observed.network, observed.batch.inputs).pre_activations)
    return any(x in layer.activation.kinks for layer, z in passes for row in z for x in row)


def _lively(observed: Observation) -> int:
    """How many tensors of the answer are not 0 throughout."""
    return sum(any(x for row in rows for x in row) for rows in observed.claim.values())


def _informative(observed: Observation) -> tuple[int, int]:
    """Several samples and outputs, not equally many, and square matrices of some width, into which all mistakes fit."""
    n, m = observed.size
    sizes = observed.network.sizes
    square = len(set(sizes)) == 1 and m > 1
    return (n > 1) + (m > 1) + (n != m) + square + (square and m > 2), -sum(a * b for a, b in zip(sizes, sizes[1:]))


def _tensors(way_back: Iterable[Place]) -> Iterator[tuple[Key, Matrix]]:
    for place in way_back:
        yield ("weights", place.l), weight_gradients(place)
        if place.layer.biases is not None:
            yield ("biases", place.l), [bias_gradients(place)]


def _local(mistake: Mistake, place: Place) -> Matrix | None:
    """What the mistake makes of one tensor; None where it cannot be made."""
    try:
        value = mistake.change(place)
    except (PurebpError, ArithmeticError):
        return None
    rows = [value] if mistake.step == "biases" else value
    wanted = [place.layer.biases or ()] if mistake.step == "biases" else place.layer.weights
    return rows if list(map(len, rows)) == list(map(len, wanted)) else None
