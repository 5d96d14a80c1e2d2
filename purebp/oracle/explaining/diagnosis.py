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

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cache
from itertools import product
from math import inf, isfinite
from operator import mul
from typing import Any

from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BINARY32, Format, format_named, is_exact
from purebp.oracle.answer import LOCAL, STEPS, Claim, Key, as_claim, gradients_in, tensor_name
from purebp.oracle.asking.penalty import Penalty
from purebp.oracle.cases import Case, default_loss
from purebp.oracle.conventions import ONE, Convention, Factor, factors, shortest, unusual
from purebp.oracle.evidence import inside, turned_claim
from purebp.oracle.explaining.catalogue import CATALOGUE, RATES, SQUARES, seen, updated_weights
from purebp.oracle.explaining.equations import (
    Question,
    Reading,
    in_order,
    in_words,
    merged,
    readings,
    times_any,
)
from purebp.oracle.explaining.limited import limits
from purebp.oracle.explaining.recipe import (
    LOSS,
    STATE,
    Made,
    Mistake,
    Place,
    Recipe,
    bias_gradients,
    places,
    planted,
    run,
    weight_gradients,
    where,
)
from purebp.textbook import losses
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError
from purebp.textbook.backprop import backpropagation, forward
from purebp.textbook.linalg import shape
from purebp.textbook.losses import REDUCTIONS, Loss
from purebp.textbook.network import Batch, Gradients, Layer, Network

MOST_ASKED = 4  # cases in which mistakes are looked for; on all others they are confirmed
MOMENTA = (0.9, 0.95, 0.99, 0.999)
PENALTIES = ("penalty added", "another penalty", "penalty missing")
ONLINE = "updated after every sample"
TURNED = {"gradients": "descent", "descent": "gradients", "step": "ascent", "change": "rise"}
ANSWERED = {  # a step in another form than was declared
    "change": ("the change in place of the updated weights", "It returns the change, not the updated weights"),
    "step": ("the updated weights in place of the change", "It returns the updated weights, not the change"),
}
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
    """An explanation: a name, its family, a sentence for a learner, the lines of the recurrence, and what was changed."""

    name: str
    family: str
    sentence: str
    line: str
    changes: tuple[str, ...]
    convention: Convention | None = None
    format: str = ""
    hypothesis: Hypothesis | None = field(default=None, compare=False, repr=False)  # what answers elsewhere follow

    def __reduce__(self) -> tuple[Any, ...]:
        """As data for another process, which functions are not."""
        plain = (getattr(self, each.name) for each in fields(self) if each.name != "hypothesis")
        return Diagnosis, tuple(plain)

    def holds(self, observations: Sequence[Observation]) -> bool:
        """Whether these answers lie inside the budgets of what is said of others."""
        allowed = ((o, self.hypothesis) for o in observations)
        return all(h and inside(gradients_in(o.claim), h.claim(o, ball(self.format))) for o, h in allowed)


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
    penalty: Penalty | None = None,
) -> list[Diagnosis]:
    """What explains all observations; what no case among them can tell apart stands side by side.

    With plain=True only conventions are tried, no mistakes.
    """
    given = observations, loss, format, returns, learning_rate
    return named(*given, plain, penalty) or ([] if plain else line_by_line(*given, penalty)[0])


def named(
    observations: Sequence[Observation],
    loss: Loss | str | None,
    format: Format | str = "binary64",
    returns: str | None = "gradients",
    learning_rate: float | None = None,
    plain: bool = False,
    penalty: Penalty | None = None,
) -> list[Diagnosis]:
    """What explains all observations, of conventions, and single mistakes of the catalogue under these."""
    if not all(map(_finite, observations)):
        return []
    search = Search(observations, loss, format, returns, learning_rate, penalty)
    if not plain and (right := _right_otherwise(search)):
        return right
    for first in search.firsts()[: 1 if plain else 2]:
        search.begin(first)
        for stage in search.stages(plain):
            if found := search.told(stage):
                return found
    return [] if plain else list(filter(None, [_nothing(search)])) or search.limited()


def line_by_line(
    observations: Sequence[Observation],
    loss: Loss | str | None,
    format: Format | str = "binary64",
    returns: str | None = "gradients",
    learning_rate: float | None = None,
    penalty: Penalty | None = None,
    asked: Sequence[Observation] = (),
) -> tuple[list[Diagnosis], list[str], list[Key]]:
    """What explains all observations, each line of the recurrence held by itself; else which lines hold, and which do not.

    The latter in sentences; and of those that nothing explains, what they make.

    asked: further answers, to one sample each, on which δ is seen.
    """
    if not observations or not all(map(_finite, (*observations, *asked))):
        return [], [], []
    return Search(observations, loss, format, returns, learning_rate, penalty).by_equations(asked)


def likely_step(
    observations: Sequence[Observation], loss: Loss | str | None, penalty: Penalty | None = None
) -> Convention | None:
    """The step that answers seem to be of which nothing is declared, though they may be wrong; None if they seem none.

    Tensors that are right, above a mistake or beside it, are w − η g with one and the same η, which most of them tell.
    Where none is right, most are nearer to the parameters than to 0, as gradients are not.
    """
    search, votes = Search(observations, loss, "binary64", "step", None, penalty), Counter[Convention]()
    for chosen, observed in product(search.reductions, search.observations):
        claim = search.normal(observed)
        for key, rows in as_claim(run(Recipe(), observed.network, observed.batch, chosen, FLOAT)).items():
            ratio = search.ratio(key, claim[key], rows, observed) if key in claim else None
            if ratio is not None and 0 < ratio < inf and sum(map(len, rows)) > 1:
                size, rate = search.split(chosen, Factor(shortest(ratio, 1e-5)))
                votes[Convention(Convention(chosen, size).effective, ONE, "step", rate, penalty)] += 1
    if votes:
        found = max(votes, key=lambda c: (votes[c], [-x for x in unusual(c.learning_rate or 1.0)]))
        if 2 * votes[found] > len(observations):
            return found
    pairs = [(o.claim[key], rows) for o in observations for key, rows in as_claim(o.network).items() if key in o.claim]
    near = [2 * _squares(claim, rows) < _squares(claim, [[0.0] * len(row) for row in rows]) for claim, rows in pairs]
    return Convention(search.loss, ONE, "step", 0.1, penalty) if 2 * sum(near) > len(near) else None


def _largest(rows: Matrix) -> float:
    return max(abs(x) for row in rows for x in row)


def _squares(a: Matrix, b: Matrix) -> float:
    return sum((x - y) ** 2 for rows in zip(a, b) for x, y in zip(*rows))


def followed(
    observed: Observation,
    loss: Loss | str | None,
    format: Format | str,
    returns: str | None,
    learning_rate: float | None,
    penalty: Penalty | None = None,
) -> list[Convention]:
    """The conventions that one observation may follow, in a quick pass."""
    if not _finite(observed):
        return []
    search = Search([observed], loss, format, returns, learning_rate, penalty)
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
        penalty: Penalty | None = None,
    ) -> None:
        self.penalty = penalty
        self.format, self.open_loss, self.open_sign = format_named(format), loss is None, returns is None
        self.returns, self.learning_rate = returns or "gradients", learning_rate
        self.open_rate = self.returns in STEPS and learning_rate is None
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
        self.close = self.tolerance if self.returns == "step" or self.tolerance > 1e-5 else 1e-8
        self.depth = len(functions)
        self.slacks: dict[int, dict[Key, float]] = {}
        self.observations = sorted(
            observations, key=lambda o: (not _at_kink(o), self.off(o), _lively(o), *_informative(o)), reverse=True
        )
        self.kinked = list(map(_at_kink, self.observations))
        claimed = (x for o in self.observations for rows in gradients_in(o.claim).values() for row in rows for x in row)
        self.stored = all(is_exact(x, BINARY32) for x in claimed)  # in binary32
        self.catalogue = list(CATALOGUE.values())
        if self.returns in STEPS and learning_rate is not None and learning_rate not in RATES:
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
        if self.returns == "gradients" and self.penalty is None:
            return dict(observed.claim)
        rate = self.learning_rate or 1.0
        share = float(self.penalty.share(observed.size[0])) if self.penalty else 0.0

        def gradient(c: float, w: float, kind: str) -> float:
            if self.returns in STEPS:
                c = ((w if self.returns == "step" else 0.0) - c) / rate
            g = -c if self.returns == "descent" else c
            return g - share * w if self.penalty and kind in self.penalty.kinds else g

        return turned_claim(dict(observed.claim), observed.network, FLOAT, gradient)

    @property
    def rates(self) -> dict[Factor, str]:
        """The factors of a step that come from the declared learning rate, and how they arise."""
        if self.returns not in STEPS or self.learning_rate in (None, 1.0):
            return {}
        rate = Fraction(repr(self.learning_rate))
        return {Factor(rate): "twice", Factor(1 / rate): "missing"}

    def off(self, observed: Observation) -> bool:
        """Whether the answer differs from what it should be, by more than a factor where the loss is open."""
        claim, right = self.normal(observed), self.right(observed)
        ratios = [self.ratio(key, claim[key], rows, observed) for key, rows in right.items() if key in claim]
        known = [r for r in ratios if r is not None and r != inf]
        wanted = known[0] if self.open_loss and known else 1.0
        return None in ratios or any(abs(r - wanted) > 100 * self.tolerance * abs(wanted) for r in known)

    def slack(self, observed: Observation, key: Key) -> float:
        """What is left of roundoff where terms cancel, and by subtracting updated weights from weights, or a penalty."""
        if id(observed) not in self.slacks:
            times = 1 / (self.learning_rate or 1.0) if self.returns == "step" else 0.0
            times += float(self.penalty.share(observed.size[0])) if self.penalty else 0.0
            kept, roundoff = as_claim(observed.network), 8 * 2.0**-self.format.of_numbers.precision
            largest = {k: (_largest(rows), _largest(kept[k])) for k, rows in self.right(observed).items()}
            self.slacks[id(observed)] = {k: roundoff * (g + times * w) for k, (g, w) in largest.items()}
        return self.slacks[id(observed)][key]

    def right(self, observed: Observation) -> dict[Key, Matrix]:
        """The gradients as they should be."""
        return as_claim(run(Recipe(), observed.network, observed.batch, self.loss, FLOAT))

    def stages(self, only: bool) -> Iterator[list[Hypothesis]]:
        plain = list(self.solved((), self.loss))
        free = [
            h for h in plain if h.cost == 0 or (only and h.cost == 1 and h.convention.returns in ("ascent", "rise"))
        ]
        yield sorted(free, key=self.unusual) if self.open_loss or self.open_rate else free
        others = [h for other in self.others for h in self.solved((), other) if not h.made and not h.scales]
        if self.open_loss:
            yield [h for h in others if h.cost == 0]
        if only:
            return
        others = [replace(h, cost=max(1, h.cost)) for h in others]
        by_trunk = [h for made in self.singles() for h in self.solved((made,), self.loss, exact=True)]
        yield [h for h in (*plain, *by_trunk, *others) if h.cost == 1]

    def by_equations(self, asked: Sequence[Observation]) -> tuple[list[Diagnosis], list[str], list[Key]]:
        """What explains the answers line by line: those to one sample first, and then how they are put together.

        Where that is not known of all lines, what is known, in sentences, and what is made by those that it is not known of.
        """
        usable = [o for o, kinked in zip(self.observations, self.kinked) if not kinked]
        seen = [o for o in asked if not _at_kink(o)]
        alone = [o for o in usable if o.size[0] == 1 and _lively(o)]
        single = [*seen, *alone][: 2 * MOST_ASKED]
        together = [o for o in usable if o.size[0] > 1]
        wide, narrow = ([o for o in together if (o.size[1] > 1) is is_wide] for is_wide in (True, False))
        several = [*wide[:MOST_ASKED], *narrow[:2]]
        firsts: Sequence[Reading | None] = self.read(single, Recipe()) if single else [None]
        found: list[tuple[float, tuple[Made, ...]]] = []
        odd: Reading | None = None
        for first in firsts:
            made, cost = (first.made, first.cost) if first else ((), 0.0)
            if first and first.unexplained:
                continue
            recipe = Hypothesis(made, (), Convention(self.loss), 0).recipe()
            wholes: Sequence[Reading | None] = self.read(several, recipe, alone=not single) if several else [None]
            odd = odd or wholes[0]
            for whole in wholes:
                if whole is None or not whole.unexplained:
                    found.append((cost + (whole.cost if whole else 0.0), merged(made, whole.made if whole else ())))
        for _, mistakes in sorted(found, key=lambda one: one[0])[:5]:
            if told := self.told(list(self.up_to_a_factor(mistakes))):
                return told, [], []
        if not firsts or not firsts[0]:
            return [], [], []
        return [], in_words(firsts[0], odd), [(line.step, line.layer) for line in firsts[0].unexplained]

    def limited(self) -> list[Diagnosis]:
        """Gradients that are right but for what was done to them at last."""
        everywhere = frozenset(range(self.depth))
        halves = (
            [losses.half_sse.reduced(r) for r in REDUCTIONS] if self.open_loss and self.loss.base in SQUARES else []
        )
        for loss in [] if self.open_rate else [*self.reductions, *halves]:
            rights = [as_claim(run(Recipe(), o.network, o.batch, loss, FLOAT)) for o in self.observations]
            for mistakes in limits(list(zip(rights, map(self.normal, self.observations))), self.close):
                convention = Convention(loss, ONE, self.returns, self.learning_rate, self.penalty)
                made = tuple((mistake, everywhere) for mistake in mistakes)
                if told := self.told([Hypothesis(made, (), convention, 1)]):
                    return told
        return []

    @property
    def reductions(self) -> list[Loss]:
        """The loss, or where it is open, its sums and means."""
        return [self.loss.reduced(reduction) for reduction in REDUCTIONS] if self.open_loss else [self.loss]

    def up_to_a_factor(self, made: tuple[Made, ...]) -> Iterator[Hypothesis]:
        """These mistakes, with every convention under which the first case may be answered so."""
        plain = Hypothesis(made, (), Convention(self.loss), len(made))
        value = plain.claim(self.first, FLOAT)
        measured = [self.measured(key, value[key]) for key in self.claim]
        ratio = next((r for r, _ in measured if r not in (None, inf)), None)
        if ratio is None or not all(self.agree(r, slack, ratio) for r, slack in measured):
            return
        found = list(self.scales(self.loss, ratio, self.tolerance))
        for factor in [ONE] if ONE in found and not self.open_loss else found:
            convention, cost = self.convention(self.loss, factor)
            yield replace(plain, convention=convention, cost=cost + len(made))
        if ratio and ONE not in found and not self.open_rate:
            times = times_any(ratio, "deltas")
            yield replace(plain, made=in_order((*made, (times, frozenset({self.depth - 1})))), cost=len(made) + 1)

    def read(self, observed: Sequence[Observation], recipe: Recipe, alone: bool = True) -> list[Reading]:
        questions = [Question(o.network, o.batch, self.normal(o)) for o in observed]
        found = readings(questions, self.loss, self.catalogue, recipe, self.close, alone)
        return [one for one in found if one.cost <= found[0].cost + 0.6][:3]

    def unusual(self, hypothesis: Hypothesis) -> tuple[Any, ...]:
        """For sorting, what is commonest first: of learning rates that are open the usual ones, then the short ones."""
        convention, rate = hypothesis.convention, hypothesis.convention.learning_rate
        if not self.open_rate or rate is None:
            return convention.plainness
        return convention.named is None, *unusual(rate), *convention.plainness

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

        digits, wanted = (15, []) if self.open_rate else (6, [] if self.open_loss else [1.0])
        for ratio in dict.fromkeys(wanted + [float(f"{r:.{digits}g}") for r in known]):
            wrong = [key for key in found if not self.agree(*found[key], ratio)]
            if exact and wrong:
                continue
            for factor in self.scales(loss, ratio, self.tolerance, exact=not made):
                convention, cost = self.convention(loss, factor)
                cost += len(made)
                if not wrong:
                    yield Hypothesis(made, (), convention, cost)
                elif cost == 0 and len(wrong) < len(ratios) + (ratio == 1.0):
                    yield from self.locally(local, wrong, ratios, ratio, convention)

    def factors(self, ratio: float, tolerance: float) -> Iterator[Factor]:
        """The factors that explain a ratio seen in the first case; a learning rate left out or applied twice among them."""
        yield from factors([(ratio, *self.first.size)], tolerance)
        for rate in self.rates:
            yield from (f for f in (rate, -rate) if abs(ratio - f.constant) <= tolerance * abs(ratio))

    def scales(self, loss: Loss, ratio: float, tolerance: float, exact: bool = False) -> Iterator[Factor]:
        """The factors that explain a ratio of all tensors; of a learning rate that is open, the constant is that."""
        if not self.open_rate:
            yield from list(self.factors(ratio, tolerance))[:12]
        elif ratio:
            n, m = self.first.size
            for i, j in product((0, 1, -1), repeat=2):
                if not self.open_loss or Convention(loss, Factor(samples=i, outputs=j)).named:
                    yield Factor(shortest(ratio / (n**i * m**j), 1e-5), i, j)
                    if exact:
                        yield Factor(shortest(self.best_rate(loss, i, j), 1e-15), i, j)

    def best_rate(self, loss: Loss, i: int, j: int) -> float:
        """The learning rate of a right step, times nⁱ mʲ: from the entry that moves most beside what it was."""
        best = 0.0, 0.0
        for o in self.observations:
            factor, kept, moved = float(Factor(samples=i, outputs=j)(*o.size)), as_claim(o.network), self.normal(o)
            for key, rows in as_claim(run(Recipe(), o.network, o.batch, loss, FLOAT)).items():
                for triple in zip(moved[key], rows, kept[key]) if key in moved else ():
                    found = (
                        (abs(d) / (abs(w) if self.returns == "step" else 1.0), d / (factor * g))
                        for d, g, w in zip(*triple)
                        if g and w
                    )
                    best = max([best, *found], key=lambda pair: pair[0])
        return best[1]

    def measured(self, key: Key, rows: Matrix) -> tuple[float | None, float]:
        """The first answer as a multiple of the rows, and how far off roundoff may put it."""
        found = self.ratio(key, self.claim[key], rows)
        largest = _largest(rows)
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
            and any(self.scales(self.loss, ratio, self.tolerance + max(slack for _, slack in measured)))
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
            returns = TURNED[returns]
        size, rate = Factor(abs(factor.constant), factor.samples, factor.outputs), self.learning_rate
        if self.open_rate:
            size, rate = self.split(loss, size)
        cost = (turned and not self.open_sign) + (size != ONE and not self.open_loss)
        return Convention(loss, size, returns, rate, self.penalty), cost

    def split(self, loss: Loss, whole: Factor) -> tuple[Factor, float]:
        """A factor into that of the loss, where it is open, and the learning rate: the usual one, else the shorter."""
        halves = self.open_loss and loss.base in SQUARES
        sizes = [replace(whole, constant=Fraction(1, c)) for c in ((1, 2) if halves else (1,))]
        rates = [(size, float(whole.constant / size.constant)) for size in sizes]
        return min(rates, key=lambda pair: (*unusual(pair[1]), Convention(loss, pair[0]).plainness))

    def of_one_tensor(self, key: Key, place: Place) -> Iterator[Measured]:
        """Every mistake that concerns this tensor alone, and the first answer as a multiple of what it gives."""
        for mistake in self.able[key]:
            if (value := _local(mistake, place)) is not None:
                yield mistake, *self.measured(key, value)

    def locally(
        self,
        measured: Callable[[Key], list[Measured]],
        wrong: Sequence[Key],
        ratios: dict[Key, float | None],
        ratio: float,
        convention: Convention,
    ) -> Iterator[Hypothesis]:
        """A mistake that concerns single tensors, or a factor, that explains all the wrong ones."""
        options: dict[Key, dict[str, Any]] = {}
        for key in wrong:
            found: dict[str, Any] = {one.name: one for one, r, slack in measured(key) if self.agree(r, slack, ratio)}
            r = ratios[key]
            if r not in (None, inf, 0.0) and len(wrong) < len(ratios):
                for factor in list(self.factors(r / ratio, self.tolerance))[:6]:
                    found[str(factor)] = factor
            if not found:
                return
            options[key] = found
        for name in (name for name in options[wrong[0]] if all(name in options[key] for key in wrong)):
            one = options[min(wrong)][name]
            if isinstance(one, Factor):
                yield Hypothesis((), ((one, frozenset(wrong)),), convention, 1)
                continue
            exact = frozenset(l for _, l in wrong)
            for layers in (exact, *(other for other in one.layers(self.depth) if other > exact)):
                yield Hypothesis(((one, layers),), (), convention, 1)

    def ratio(self, key: Key, claim: Matrix, rows: Matrix, observed: Observation | None = None) -> float | None:
        """claim / rows if that is one number; inf if both are 0."""
        pairs = [(c, x) for pair in zip(claim, rows) for c, x in zip(*pair)]
        c, x = max(pairs, key=lambda pair: abs(pair[1]))
        slack = self.slack(observed or self.first, key)
        largest = max([abs(c) for c, _ in pairs])
        if abs(x) <= slack + 1e-300:
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
            if format.precision > self.format.precision or (self.open_rate and format != self.format):
                continue  # a learning rate that is nearly the one would do there
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
            return Diagnosis("right", "", f"It is {convention.sentence}.", "", (), convention, format, hypothesis)
        note = f" (Computed in {format}.)" if format != self.format.name else ""
        names = list(dict.fromkeys(names))  # of weights and of biases, one and the same
        text = " ".join(dict.fromkeys(sentences)) + note
        return Diagnosis(
            " and ".join(names),
            families[0],
            text,
            "; ".join(dict.fromkeys(lines)),
            tuple(names),
            convention,
            format,
            hypothesis,
        )

    def departures(self, convention: Convention) -> Iterator[tuple[str, str]]:
        """What was declared otherwise."""
        if not self.open_sign and convention.returns != self.returns:
            if convention.returns in STEPS:
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


def _right_otherwise(search: Search) -> list[Diagnosis]:
    """Right answers, in which something was declared otherwise than it is."""
    return _another_step(search) or [found for found in (_online(search), _penalty(search)) if found]


def _another_step(search: Search) -> list[Diagnosis]:
    """A right step with another learning rate than was declared, or in another form, after what says the same otherwise."""
    if search.returns not in ANSWERED or search.learning_rate is None:
        return []
    loss, rate = None if search.open_loss else search.loss, search.learning_rate
    (other,) = ANSWERED.keys() - {search.returns}
    tries = [(search.returns, None), (other, rate), (other, None)]
    told = (explanations(search.observations, loss, search.format, *tried, True, search.penalty) for tried in tries)
    convention = next((found[0].convention for found in told if found), None)
    if convention is None or (convention.returns, convention.learning_rate) == (search.returns, rate):
        return []
    own = search.told([h for h in search.solved((), search.loss) if h.cost <= 1 and not h.scales and not h.made])
    own = [told for told in own if told.convention and (told.convention.named or not search.open_loss)]
    if any(not told.changes for told in own):
        return own
    names, sentence = [], "It is a right step"
    if convention.returns not in (search.returns, TURNED[search.returns]):
        names, sentence = [ANSWERED[other][0]], ANSWERED[other][1]
    if convention.learning_rate != rate:
        names.append("another learning rate")
        sentence += f" with the learning rate {convention.learning_rate:.15g}; {rate:.15g} was declared"
        share = 1 - (convention.learning_rate or 0.0) / rate
        if momentum := next((m for m in MOMENTA if abs(share - m) < 1e-9), None):
            sentence += (
                f", and {rate:.15g} (1 − {momentum}) is what momentum may take from rest (--momentum {momentum})"
            )
    if convention.returns in ("ascent", "rise"):
        names.append("sign turned")
        sentence += ", but for its sign: it goes uphill"
    if names == ["sign turned"]:  # which is found, and told, without this
        return []
    line = "Wˡ − η ∂loss/∂Wˡ"
    return [
        *own,
        Diagnosis(" and ".join(names), LOSS, f"{sentence}.", line, tuple(names), convention, search.format.name),
    ]


def _penalty(search: Search) -> Diagnosis | None:
    """λ w or λ w / n in every gradient of the weights, or in every gradient, where it was not declared; or not, where it was."""
    if search.returns in STEPS and search.learning_rate is None:
        return None
    for convention, on_all in _without_penalty(search):
        if search.penalty and all(_holds(o, convention, search.format) for o in search.observations):
            sentence = f"It is the gradient without {search.penalty.words}, which was declared."
            return _of_penalty(PENALTIES[2], sentence, convention)
        for penalty in _penalties(search, convention, on_all):
            chosen = replace(convention, penalty=penalty)
            if all(_holds(o, chosen, search.format) for o in search.observations):
                whose, parameter = (
                    ("Every gradient", "its parameter") if on_all else ("Every gradient of the weights", "the weights")
                )
                other = (
                    f"; {search.penalty.shown} was declared"
                    if search.penalty
                    else f": declare --penalty {penalty.name}"
                )
                sentence = (
                    f"{whose} has {penalty.shown.replace('/n', ' / n')} times {parameter} added to it. It is the gradient "
                    f"with {penalty.words}{other}."
                )
                return _of_penalty(PENALTIES[bool(search.penalty)], sentence, chosen)
    return None


def _of_penalty(name: str, sentence: str, convention: Convention) -> Diagnosis:
    return Diagnosis(name, LOSS, sentence, "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹ + λ Wˡ", (name,), convention)


def _without_penalty(search: Search) -> Iterator[tuple[Convention, bool]]:
    """What answers may follow but for a penalty; and whether that is on all parameters.

    Of biases without one, the gradients tell; else what is c g + λ w, with g the gradient, by least squares.
    """
    loss, returns = None if search.open_loss else search.loss, None if search.open_sign else search.returns
    biases = biases_in(search.observations)
    if biases:
        told = explanations(biases, loss, search.format, returns, search.learning_rate, plain=True)
        if told and told[0].convention:
            yield told[0].convention, False
    first, plain = search.first, Search([search.first], loss, search.format, returns, search.learning_rate)
    claim, kept = plain.normal(first), as_claim(first.network)
    right = search.right(first)
    rows = [t for key in claim for three in zip(claim[key], right[key], kept[key]) for t in zip(*three)]
    cc, gg, ww = zip(*rows)
    determinant = _sum_of_products(gg, gg) * _sum_of_products(ww, ww) - _sum_of_products(gg, ww) ** 2
    factor = (
        _sum_of_products(cc, gg) * _sum_of_products(ww, ww) - _sum_of_products(cc, ww) * _sum_of_products(gg, ww)
    ) / (determinant or inf)
    for found in search.scales(search.loss, factor, search.tolerance) if isfinite(factor) else ():
        convention, cost = plain.convention(search.loss, found)
        if cost == 0:
            yield convention, bool(biases)


def _sum_of_products(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(map(mul, a, b), 0.0)


def _penalties(search: Search, convention: Convention, on_all: bool) -> Iterator[Penalty]:
    """Those that the first answer may have, the shortest first."""
    given, samples = search.first.claim, search.first.size[0]
    without, one = (
        _returned(search.first, replace(convention, penalty=penalty), FLOAT)
        for penalty in (None, Penalty(Fraction(1), on_all=on_all))
    )
    entries = [entry for key in given for rows in zip(without[key], one[key], given[key]) for entry in zip(*rows)]
    off, slope = max(((x - w, p - w) for w, p, x in entries), key=lambda pair: abs(pair[1]))
    rate = off / slope if slope else 0.0
    for by_samples in (False, True) if 0 < rate * samples < inf else ():
        for digits in range(1, 9):
            yield Penalty(Fraction(f"{rate * (samples if by_samples else 1):.{digits}g}"), by_samples, on_all)


def _holds(observed: Observation, convention: Convention, format: Format) -> bool:
    return inside(gradients_in(observed.claim), _returned(observed, convention, ball(format)))


def _returned(observed: Observation, convention: Convention, arithmetic: Arithmetic[Any]) -> dict[Key, Matrix[Any]]:
    """What a right implementation returns under a convention."""
    return Hypothesis((), (), convention, 0).claim(observed, arithmetic)


def _online(search: Search) -> Diagnosis | None:
    """Updated weights, where each sample is used to update before the next is looked at."""
    single = [o for o in search.observations if o.size[0] == 1]
    if search.returns != "step" or not single or len(single) == len(search.observations):
        return None
    loss = None if search.open_loss else search.loss
    told = explanations(single, loss, search.format, "step", search.learning_rate, True, search.penalty)
    convention = told[0].convention if told else None
    if convention is None or convention.returns != "step":
        return None
    for whole in (True, False):
        pairs = [(o, one_by_one(o, convention, FLOAT, whole)) for o in search.observations]
        if not all(search.near(found[key], rows, o, key) for o, found in pairs for key, rows in o.claim.items()):
            continue
        if all(inside(o.claim, one_by_one(o, convention, ball(search.format), whole)) for o in search.observations):
            return Diagnosis(
                ONLINE,
                STATE,
                "The weights are updated after every sample, so that the next sample meets other weights. That is right, "
                "if each sample is a step: declare --batch 1. If the batch is, add up the gradients of its samples first, "
                "then take one step.",
                "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹",
                (ONLINE,),
                convention,
            )
    return None


def one_by_one(
    observed: Observation, convention: Convention, arithmetic: Arithmetic[Any], whole: bool = False
) -> dict[Key, Matrix[Any]]:
    """The weights after a step for each sample, one after the other; `whole`, if 1/n is that of the batch."""
    n, m = observed.size
    network: Network[Any] = observed.network
    loss, turned = convention.effective, convention.turned(1, m, arithmetic)
    claim: dict[Key, Matrix[Any]] = {}
    for x, y in zip(observed.batch.inputs, observed.batch.targets):
        gradients = backpropagation(network, Batch([x], [y]), loss.over(n) if whole else loss, arithmetic)
        claim = turned_claim(as_claim(gradients), network, arithmetic, turned)
        network = Network(
            Layer(claim["weights", l], None if layer.biases is None else claim["biases", l][0], layer.activation)
            for l, layer in enumerate(network.layers)
        )
    return claim


def _nothing(search: Search) -> Diagnosis | None:
    """All gradients are 0, on every case that is wrong."""
    pairs = list(zip(search.observations, map(search.normal, search.observations)))
    off = [(observed, claim) for observed, claim in pairs if search.off(observed)]
    if not off or any(_largest(rows) > search.slack(o, key) for o, claim in off for key, rows in claim.items()):
        return None
    several = all(observed.size[0] > 1 for observed, _ in off) and len(off) < len(pairs)
    why = " as soon as there are several samples: an integer division, such as 1 // n, is 0" if several else ""
    return Diagnosis(
        "all gradients are 0", LOSS, f"All gradients are 0{why}.", "∂loss/∂ŷ, from ŷ and y", ("all gradients are 0",)
    )


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
