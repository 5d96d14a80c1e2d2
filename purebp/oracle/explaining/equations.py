"""One equation at a time: each line of the recurrence held by itself, with the candidate's own numbers in it.

For one sample the gradient of the biases *is* δ, and that of the weights the outer product of δ with what comes in: so δ
is read off the answer, layer by layer, the output first, and each line is held with the candidate's own δ of the layer
above. A line that holds is cleared, whatever is wrong above it; what is wrong falls apart into single lines, each
explained alone. Of several samples at once δ is not seen: there each explanation of δ is tried on what is made of it.

>>> from purebp import Batch, Network
>>> from purebp.oracle.explaining.catalogue import CATALOGUE
>>> from purebp.oracle.answer import as_claim
>>> from purebp.oracle.explaining.recipe import planted, run
>>> from purebp.textbook import losses
>>> network, batch = Network.random([2, 3, 1], seed=4), Batch([[0.5, -1.0]], [[1.0]])
>>> recipe = planted(CATALOGUE["squashed twice"], {0}, planted(CATALOGUE["input missing"], {0, 1}))
>>> answer = as_claim(run(recipe, network, batch, "mse", FLOAT))
>>> reading = readings([Question(network, batch, answer)], losses.mse, list(CATALOGUE.values()))[0]
>>> sorted((mistake.name, sorted(layers)) for mistake, layers in reading.made)
[('input missing', [0, 1]), ('squashed twice', [0])]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice, pairwise, product
from math import isfinite
from typing import Any

from purebp.oracle.answer import Key
from purebp.oracle.conventions import shortest
from purebp.oracle.explaining.catalogue import seen, updated_weights
from purebp.oracle.explaining.expressions import expression
from purebp.oracle.explaining.forwards import steeper
from purebp.oracle.explaining.grammar import products
from purebp.oracle.explaining.recipe import (
    DERIVATIVE,
    LINES,
    LOSS,
    Made,
    Mistake,
    Place,
    Recipe,
    Rows,
    above,
    deltas_of,
    fits,
    planted,
    where,
)
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import FLOAT, Matrix, PurebpError
from purebp.textbook.backprop import error_below, output_deltas, weight_gradients
from purebp.textbook.linalg import hadamard
from purebp.textbook.losses import Loss
from purebp.textbook.names import superscript
from purebp.textbook.network import Batch, Network

Vector = list[float]
UNKNOWN = 3.0  # what a line without an explanation costs, beside a mistake with a name
BY_RULE = 0.2  # more than that costs an expression without one
CONSTANT, ANY_CONSTANT = 1.01, 1.3
AGAIN = 0.02  # a mistake that is made in another layer already
BESIDE = 0.12  # explanations that cost so much more stand beside the cheapest
WIDTH = 3  # readings kept on the way down


@dataclass(frozen=True)
class Question:
    """What was asked, and the answer as gradients that one would subtract."""

    network: Network
    batch: Batch
    claim: Mapping[Key, Matrix]

    @property
    def alike(self) -> bool:
        """Whether it is one sample, if often."""
        rows = list(zip(self.batch.inputs, self.batch.targets))
        return all(row == rows[0] for row in rows)


@dataclass(frozen=True)
class Line:
    """A line of the recurrence in one layer: what stands in its place, () where it holds, None where nothing is known to."""

    step: str  # "deltas", of which "error" and "passed" are a part, "weights" or "biases"
    layer: int
    found: tuple[Mistake, ...] | None
    seen: bool = True  # the answers show it


@dataclass(frozen=True)
class Reading:
    """What stands in each line, from the output down to a layer; with the places that it leads to, one for each question."""

    places: tuple[Place, ...]
    lines: tuple[Line, ...] = ()
    cost: float = 0.0
    forward: tuple[Mistake, ...] = ()
    at_output: float = 0.0  # the cost of the output layer

    @property
    def made(self) -> tuple[Made, ...]:
        """Each mistake, and the layers in which it is made; what is done to the outcome of others comes last."""
        found: dict[Mistake, set[int]] = {mistake: set() for mistake in self.forward}
        for line in self.lines:
            for mistake in line.found or ():
                found.setdefault(mistake, set()).add(line.layer)
        made = [(m, frozenset(layers) if m.layerwise else frozenset[int]()) for m, layers in found.items()]
        return in_order(made)

    @property
    def right_at_output(self) -> bool:
        """Whether δ and the gradient of the weights of the output layer are right, as after no wrong forward pass."""
        top = [line for line in self.lines if line.layer == self.lines[0].layer and line.step != "biases"]
        return all(line.found == () and line.seen for line in top)

    @property
    def hidden(self) -> bool:
        """Whether some δ is not known: unexplained, or not seen."""
        return any(line.found is None or not line.seen for line in self.lines if line.step == "deltas")

    @property
    def unexplained(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.found is None)


@dataclass(frozen=True)
class Option:
    """What may stand in the place of δ: the price, mistakes, and δ of each question."""

    cost: float
    found: tuple[Mistake, ...] | None
    deltas: Sequence[Rows]
    seen: bool = True


def flat(rows: Matrix[Any]) -> Vector:
    """The entries, row by row."""
    return [x for row in rows for x in row]


def ratio(target: Vector, value: Vector, tolerance: float) -> float | None:
    """c, if target = c · value; NaN where both are 0; None if they are no multiples of each other.

    >>> ratio([2.0, 4.0], [1.0, 2.0], 1e-9), ratio([2.0, 4.0], [1.0, 2.1], 1e-9), ratio([0.0], [0.0], 1e-9)
    (2.0, None, nan)
    """
    big, tall = max(map(abs, value)), max(map(abs, target))
    if big <= 1e-300:
        return None if tall > 1e-14 else float("nan")
    if not isfinite(sum(value)) or not isfinite(tall):
        return None
    i = next(i for i, x in enumerate(value) if abs(x) == big)
    c = target[i] / value[i]
    if not abs(c) < 1e12 or (abs(c) < 1e-9 and tall):
        return None
    room = tolerance * tall + 1e-14
    return c if all(abs(x - c * y) <= room for x, y in zip(target, value)) else None


# Constants.

SIZES: dict[str, Callable[[Place], int]] = {
    "": lambda p: 1,
    "n": lambda p: p.samples,
    "m": lambda p: len(p.targets[0]),
    "n m": lambda p: p.samples * len(p.targets[0]),
    "n_in": lambda p: len(p.below[0]),
    "n_out": lambda p: len(p.z[0]),
    "n_inputs": lambda p: len(p.trace.inputs[0]),
}


def _named_constants() -> Iterator[tuple[str, float, Fraction, Callable[[Place], int], int]]:
    for size, number in product(SIZES, ("1", "2", "½", "4", "¼")):
        for sign, power in product(("", "−"), (1, -1) if size else (1,)):
            worth = {"½": Fraction(1, 2), "¼": Fraction(1, 4)}.get(number) or Fraction(number)
            worth = -worth if sign else worth
            plain = number if number != "1" or not size or power < 0 else ""
            text = sign + (plain if not size else f"{plain} / {size}" if power < 0 else f"{plain} {size}".strip())
            cost = CONSTANT + 0.12 * bool(size) + 0.1 * (bool(size) and number != "1")
            yield text, cost, worth, SIZES[size], power


CONSTANTS = sorted(_named_constants(), key=lambda one: one[1])


def constant(ratios: Sequence[float], places: Sequence[Place], step: str) -> tuple[float, Mistake | None] | None:
    """The plainest name for the ratio of each question; None if they are not one constant."""
    known = [(c, p) for c, p in zip(ratios, places) if c == c]
    if not known or all(abs(c - 1) <= 1e-6 for c, _ in known):
        return 0.0, None
    if all(c == 0 for c, _ in known):
        return CONSTANT, scaled("0", lambda p: 0.0, step)
    for text, cost, worth, size, power in CONSTANTS:
        number = float(worth)
        if all(abs(c - (v := number * size(p) ** power)) <= 1e-6 * abs(v) for c, p in known):
            return cost, scaled(text, lambda p: worth * Fraction(size(p)) ** power, step)
    first = known[0][0]
    if all(abs(c - first) <= 1e-6 * abs(first) for c, _ in known):
        return ANY_CONSTANT, times_any(first, step)
    return None


WHAT = {"deltas": "δ", "weights": "The gradient of the weights", "biases": "The gradient of the biases"}


def scaled(text: str, value: Callable[[Place], Fraction | float], step: str) -> Mistake:
    """Something times what stands there."""

    def times(p: Place, rows: Any) -> Any:
        c = value(p)
        factor = p.arithmetic.number(c) if isinstance(c, float) else p.arithmetic.ratio(*c.as_integer_ratio())
        return [factor * x for x in rows] if step == "biases" else [[factor * x for x in row] for row in rows]

    sizes = {"n": "n samples", "m": "m outputs", "n_in": "n_in numbers come in", "n_out": "n_out neurons"}
    told = ", ".join(words for size, words in sizes.items() if size in text.split())
    sentence = f"{WHAT[step]} {{where}} is {text} times what it should be{told and f' ({told})'}."
    return Mistake(f"factor {text} in {WHAT[step].lower()}", LOSS, sentence, step, times, onto=True)


def times_any(number: float, step: str) -> Mistake:
    """`scaled` by a number that is no usual one, to as few digits as it has."""
    short = float(shortest(number, 1e-7))
    return scaled(f"{short:.10g}".replace("-", "−"), lambda p: short, step)


def added(
    more: Mistake, ratios: Sequence[float], places: Sequence[Place], per_sample: bool = False
) -> tuple[float, Mistake] | None:
    """A multiple of something else is added to what stands there; or to what each sample gives of it."""
    found = constant(ratios, places, more.step)
    if found is None:
        return None
    cost, times = found
    what = more.name.partition(" in place of ")[0]
    text = "" if times is None else times.name.removeprefix("factor ").partition(" in ")[0] + " times "

    def plus(p: Place, rows: Any) -> Any:
        value = more.change(p)
        value = value if times is None else times.change(p, value)
        n = p.samples if per_sample else 1
        if more.step == "biases":
            return [x + n * y for x, y in zip(rows, value)]
        return [[x + n * y for x, y in zip(*pair)] for pair in zip(rows, value)]

    again = " once per sample" if per_sample else ""
    sentence = f"{WHAT[more.step]} {{where}} has {text}{what} added to it{again}."
    name = f"{text}{what} added to {WHAT[more.step].lower()}{again}"
    return 1.0 + cost + BY_RULE + 0.05 * per_sample, Mistake(name, LOSS, sentence, more.step, plus, onto=True)


# Layers.


@dataclass(frozen=True)
class Held:
    """The questions, and what the lines are held against: a recipe, and the mistakes that may be made in its place.

    by_rule: expressions are tried that are no mistake with a name. pairs: two mistakes are tried in one line. through: δ is looked for through mistakes in what is made of it.
    """

    questions: Sequence[Question]
    loss: Loss
    catalogue: Sequence[Mistake]
    base: Recipe
    tolerance: float
    by_rule: bool = True
    pairs: bool = True
    through: bool = True

    def options(self, step: str, named: bool = False) -> list[tuple[float, Mistake]]:
        """What may stand in the place of a step, with its price: the catalogue, then, unless `named`, what is made by rule."""
        found = [(1.0 - 0.01 * min(9, seen(m)), m) for m in self.catalogue if m.step == step]
        return found + [(1.0 + BY_RULE, m) for m in (products(step) if self.by_rule and not named else ())]

    def begun(self, forward: tuple[Mistake, ...] = ()) -> list[tuple[Any, ...]]:
        """Of each question what places are made of, but for the layer and what is above."""
        recipe = self.base
        for mistake in forward:
            recipe = planted(mistake, (), recipe)
        found = []
        for q in self.questions:
            network = recipe.model(q.network)
            trace = recipe.forward(network, q.batch.inputs, FLOAT)
            targets = recipe.targets(FLOAT.lift(q.batch.targets), FLOAT)
            found.append((FLOAT, network, trace, self.loss, targets))
        return found

    def layer(self, given: Sequence[tuple[Any, ...]], above: Reading | None, l: int) -> list[Reading]:
        """The readings of one layer more, cheapest first."""
        uppers = above.places if above else (None,) * len(given)
        here = Here(self, [Place(*(*one, l, upper)) for one, upper in zip(given, uppers)], above)
        kinds = [kind for kind in ("biases", "weights") if all((kind, l) in q.claim for q in self.questions)]
        found: list[Reading] = []
        seen_: list[Any] = []
        for kind in kinds:
            own = here.own(kind)
            if own is not None and any(_near(own, other, self.tolerance) for other in seen_):
                continue  # the same δ
            seen_ += [own] if own else []
            for option in here.deltas(kind, own):
                found += here.completed(option, kinds)
            if found and min(r.cost for r in found) - here.begun < 0.5:
                return found  # all of the layer is right
        if self.through and (not found or min(found, key=lambda r: r.cost).hidden):
            for kind in kinds:
                for _, mistake in self.options(kind, named=True):
                    for option in here.deltas(kind, None, mistake):
                        found += here.completed(option, kinds)
        right = Option(0.0, (), [self.base.deltas(p) for p in here.places], seen=False)
        return found + here.completed(right, kinds)


def _near(a: Sequence[Rows], b: Sequence[Rows], tolerance: float) -> bool:
    c = ratio([x for rows in a for x in flat(rows)], [x for rows in b for x in flat(rows)], tolerance)
    return c is not None and not abs(c - 1) > tolerance


@dataclass(frozen=True)
class Here:
    """One layer, under one reading of those above."""

    held: Held
    bare: Sequence[Place]
    reading: Reading | None

    @property
    def base(self) -> Recipe:
        return self.held.base

    @property
    def tolerance(self) -> float:
        return self.held.tolerance

    @property
    def index(self) -> int:
        return self.bare[0].l

    @property
    def last(self) -> bool:
        return self.bare[0].last

    @property
    def begun(self) -> float:
        """What the reading has cost so far."""
        return self.reading.cost if self.reading else 0.0

    @cached_property
    def made(self) -> set[str]:
        """The mistakes that are made in the layers above."""
        return {m.name for line in self.reading.lines for m in line.found or ()} if self.reading else set()

    @cached_property
    def places(self) -> list[Place]:
        """With what should arrive there."""
        return [self.with_error(p) for p in self.bare]

    def with_error(self, p: Place) -> Place:
        return replace(p, error=self.base.error(p) if p.last else self.base.passed(p))

    def own(self, kind: str) -> list[Rows] | None:
        """δ as it is read off the answers; None where they do not show it."""
        found: list[Rows] = []
        for q, p in zip(self.held.questions, self.bare):
            if not q.alike:
                return None
            n, rows = p.samples, q.claim[kind, self.index]
            if kind == "weights":
                j = max(range(len(p.below[0])), key=lambda j: abs(p.below[0][j]))
                if not p.below[0][j]:
                    return None
                row = [r[j] / p.below[0][j] for r in rows]
                outer = [[d * x for x in p.below[0]] for d in row]
                if (c := ratio(flat(rows), flat(outer), self.tolerance)) is None or abs(c - 1) > 1e-6:
                    return None
            else:
                row = list(rows[0])
            found.append([[x / n for x in row]] * n)
        return found

    # What makes δ.

    def arrive(self, mistake: Mistake | None, i: int) -> Place:
        """Place i with what arrives there, where a mistake is made on the way."""
        p = self.places[i]
        if mistake is None:
            return p
        try:
            if mistake.step == "targets":
                return self.with_error(replace(p, targets=mistake.change(p.targets, FLOAT)))
        except (PurebpError, ArithmeticError):
            return p
        value = tried(mistake, p)
        return p if value is None else replace(p, error=value)

    def value(self, up: Mistake | None, side: Mistake | None, i: int) -> Rows | None:
        """δ at place i with one mistake in what arrives, and one in what is made of it; None where it cannot be made."""
        try:
            p = self.arrive(up, i)
            value = tried(side, p) if side else None
            return self.base.deltas(p) if value is None else value
        except (PurebpError, ArithmeticError):
            return None

    def shown(self, kind: str, i: int, deltas: Rows, through: Mistake | None) -> Vector:
        """What the answer to question i is where δ is that, and a mistake is made in what is made of it."""
        p = replace(self.places[i], deltas=deltas)
        if (value := tried(through, p)) is not None:
            return flat(value) if kind == "weights" else list(value)
        return flat(self.base.weights(p)) if kind == "weights" else list(self.base.biases(p))

    def deltas(self, kind: str, own: list[Rows] | None, through: Mistake | None = None) -> list[Option]:
        """What explains δ as the gradients of one kind show it, cheapest first; last, if it is seen, that nothing does.

        through: a mistake that is made in these gradients.
        """
        targets = [flat(q.claim[kind, self.index]) for q in self.held.questions]
        if own is not None:
            targets = [flat(rows) for rows in own]

        def seen_as(i: int, rows: Rows) -> Vector:
            return self.shown(kind, i, rows, through) if own is None else flat(rows)

        found: list[Option] = []

        def tell(price: float, up: Mistake | None, side: Mistake | None) -> None:
            ratios, values = [], []
            for i, target in enumerate(targets):
                rows = self.value(up, side, i)
                if rows is None or (c := ratio(target, seen_as(i, rows), self.tolerance)) is None:
                    return
                ratios.append(c)
                values.append(rows)
            if (told := constant(ratios, self.places, "deltas")) is None:
                return
            cost, times = told
            if times is not None and times.name in self.made:
                cost = AGAIN
            if times is not None and self.last and ratios[0]:  # a constant at the output is a convention
                cost, times = (0.05 if ratios[0] > 0 else 0.3), None
            scaled_ = [[[(c if c == c else 1.0) * x for x in row] for row in rows] for c, rows in zip(ratios, values)]
            found.append(Option(price + cost, tuple(m for m in (up, side, times) if m), scaled_))

        tell(0.0, None, None)
        if self.cheapest(found) > 0.5:
            steps, named = ("error", "targets") if self.last else ("passed",), through is not None
            up = [(self.price(c, m), m) for step in steps for c, m in self.held.options(step, named)]
            side = [(self.price(c, m), m) for c, m in self.held.options("deltas", named)]
            for cost, mistake in up:
                tell(cost, mistake, None)
            for cost, mistake in side:
                tell(cost, None, mistake)
            if not self.last and through is None:
                found += self.updated(
                    targets,
                    seen_as,
                    [None, *(m for _, m in side)] if self.held.pairs and self.cheapest(found) > 1.5 else [None],
                )
            if own is not None and self.cheapest(found) > 1.5:
                found += self.stepwise(targets)
            seen_or_alone = own is not None or (self.held.by_rule and through is None)
            if self.held.pairs and seen_or_alone and self.cheapest(found) > 1.5:
                pairs = self.pairs(up, side, targets) if own is not None else iter(_by_price(up, side))
                for cost, p, s in pairs:
                    if cost > self.cheapest(found) + BESIDE:
                        break
                    tell(cost, p, s)
            if self.held.by_rule and through is None and self.cheapest(found) > 1.9:
                found += self.plus(targets, seen_as, [*side, *up])
        found.sort(key=lambda one: one.cost)
        best = [one for one in found if one.cost <= found[0].cost + BESIDE][:4]
        if self.cheapest(found) > 0.5 and own is not None:
            best.append(Option(UNKNOWN, None, own))
        return best

    def cheapest(self, found: Sequence[Option]) -> float:
        return min((one.cost for one in found), default=9.9)

    def price(self, cost: float, mistake: Mistake) -> float:
        """What a mistake costs, which is little where it is made in a layer above as well."""
        return AGAIN if mistake.name in self.made else cost

    def pairs(
        self, up: Sequence[tuple[float, Mistake]], side: Sequence[tuple[float, Mistake]], targets: Sequence[Vector]
    ) -> Iterator[tuple[float, Mistake, Mistake]]:
        """Two mistakes that may make δ, the cheapest first: what arrives, and the slope that it would take then."""
        widest = sorted(range(len(self.places)), key=lambda i: -len(self.places[i].z[0]))
        known: dict[tuple[int, tuple[str, ...]], list[tuple[float, Mistake]]] = {}
        ones = [replace(p, error=[[1.0] * len(row) for row in p.z]) for p in self.places]
        for cost, mistake in side:
            slopes = ((i, _direction(flat(rows))) for i in widest if (rows := tried(mistake, ones[i])) is not None)
            for i, slope in islice((one for one in slopes if one[1]), 2):
                known.setdefault((i, slope), []).append((cost, mistake))
        found: dict[tuple[str, str], tuple[float, Mistake, Mistake]] = {}
        for cost, mistake in up:
            for i in widest:
                arriving = flat(self.arrive(mistake, i).full_error())
                if all(arriving):
                    slope = _direction([t / e for t, e in zip(targets[i], arriving)])
                    for more, other in known.get((i, slope), ()):
                        found[mistake.name, other.name] = cost + more, mistake, other
        yield from sorted(found.values(), key=lambda one: one[0])

    def updated(
        self, targets: Sequence[Vector], seen_as: Callable[[int, Rows], Vector], slopes: Sequence[Mistake | None]
    ) -> Iterator[Option]:
        """δ went down through weights that had taken their step: with which learning rate?"""
        uppers = list(map(above, self.places))
        steps = [weight_gradients(upper.deltas, upper.below, FLOAT) for upper in uppers]
        gone = [replace(p, error=error_below(u.deltas, g, FLOAT)) for p, u, g in zip(self.places, uppers, steps)]
        for slope in slopes:
            rates, values = [], []
            for i, (p, less, target) in enumerate(zip(self.places, gone, targets)):
                now, moved = (self._with_slope(slope, one) for one in (p, less))
                rest = [x - y for x, y in zip(target, seen_as(i, now))]
                if (c := ratio(rest, seen_as(i, moved), 10 * self.tolerance)) is None:
                    break
                rates.append(-c)
                values.append([[x + c * y for x, y in zip(*rows)] for rows in zip(now, moved)])
            else:
                known = [r for r in rates if r == r]
                if known and known[0] and all(abs(r - known[0]) <= 1e-4 * abs(known[0]) for r in known):
                    mistake = updated_weights(float(shortest(known[0], 1e-4)))
                    cost = self.price(1.0, mistake) + (self.price(1.0 + BY_RULE, slope) if slope else 0.0)
                    yield Option(cost, (mistake, *([slope] if slope else [])), values)

    def _with_slope(self, slope: Mistake | None, p: Place) -> Rows:
        value: Rows | None = tried(slope, p)
        return self.base.deltas(p) if value is None else value

    def stepwise(self, targets: Sequence[Vector]) -> Iterator[Option]:
        """One slope where z ≤ 0, and another where z > 0."""
        if any(not isinstance(p.layer.activation, Elementwise) for p in self.places):
            return
        seen_: tuple[list[float], list[float]] = [], []
        for p, target in zip(self.places, targets):
            for t, e, z in zip(target, flat(p.full_error()), flat(p.z)):
                if e:
                    seen_[z > 0].append(t / e)
        if all(len(c) > 2 and max(c) - min(c) <= 1e-6 * max(map(abs, c)) for c in seen_):
            low, high = (float(shortest(c[0], 1e-7)) if c[0] else 0.0 for c in seen_)
            mistake = two_slopes(low, high)
            yield Option(1.0 + BY_RULE, (mistake,), [mistake.change(p) for p in self.places])

    def plus(
        self,
        targets: Sequence[Vector],
        seen_as: Callable[[int, Rows], Vector],
        options: Sequence[tuple[float, Mistake]],
    ) -> Iterator[Option]:
        """Something is added to what should stand there."""
        now = [self.base.deltas(p) for p in self.places]
        rests = [[x - y for x, y in zip(t, seen_as(i, d))] for i, (t, d) in enumerate(zip(targets, now))]
        for _, mistake in options:
            ratios, values = [], []
            for i, rest in enumerate(rests):
                side = mistake.step == "deltas"
                value = self.value(None if side else mistake, mistake if side else None, i)
                if value is None or not (c := ratio(rest, seen_as(i, value), 10 * self.tolerance)):
                    break
                ratios.append(c)
                values.append(value)
            else:
                term = replace(mistake, step="deltas", change=_standing(mistake))
                if (found := added(term, ratios, self.places)) is not None:
                    cs = [c if c == c else 0.0 for c in ratios]
                    sums = [
                        [[x + c * y for x, y in zip(*rows)] for rows in zip(d, v)] for c, d, v in zip(cs, now, values)
                    ]
                    yield Option(found[0], (found[1],), sums)
                    return

    # ∂W and ∂b

    def completed(self, option: Option, kinds: Sequence[str]) -> list[Reading]:
        """With what explains the gradients that are made of δ."""
        up = next((m for m in option.found or () if m.step in ("error", "passed", "targets")), None)
        places = tuple(replace(self.arrive(up, i), deltas=d) for i, d in enumerate(option.deltas))
        lines = [self.local(places, kind) for kind in kinds]
        before, found = self.reading.lines if self.reading else (), []
        for several in product(*lines):
            together = tuple(Line(kind, self.index, mistakes) for kind, (_, mistakes) in zip(kinds, several))
            cost = self.begun + option.cost + sum(price for price, _ in several)
            all_lines = (*before, Line("deltas", self.index, option.found, option.seen), *together)
            found.append(Reading(places, all_lines, cost, at_output=self.reading.at_output if self.reading else cost))
        return found

    def local(self, places: Sequence[Place], step: str) -> list[tuple[float, tuple[Mistake, ...] | None]]:
        """What explains the gradients of weights, or of biases, that are made of these δ, cheapest first."""
        targets = [flat(q.claim[step, self.index]) for q in self.held.questions]
        default: Callable[[Place], Any] = getattr(self.base, step)
        spread: Callable[[Any], Vector] = flat if step == "weights" else list
        found: list[tuple[float, tuple[Mistake, ...] | None]] = []

        def tell(price: float, mistake: Mistake | None) -> None:
            ratios = []
            for p, target in zip(places, targets):
                value = tried(mistake, p) if mistake else None
                value = spread(default(p) if value is None else value)
                if (c := ratio(target, value, self.tolerance)) is None:
                    return
                ratios.append(c)
            if (named := constant(ratios, places, step)) is not None:
                cost, times = named
                again = times is not None and times.name in self.made
                found.append((price + (AGAIN if again else cost), tuple(m for m in (mistake, times) if m)))

        tell(0.0, None)
        if not found or found[0][0] > 0.5:
            for cost, mistake in self.held.options(step):
                tell(self.price(cost, mistake), mistake)
        if not found:
            rests = [[x - y for x, y in zip(t, spread(default(p)))] for t, p in zip(targets, places)]
            for _, mistake in self.held.options(step):
                values = [tried(mistake, p) for p in places]
                if any(value is None for value in values):
                    continue
                ratios = [ratio(r, spread(v), 10 * self.tolerance) for r, v in zip(rests, values)]
                known = [c for c in ratios if c]
                ways = (added(mistake, known, places, per_sample) for per_sample in (False, True))
                if len(known) == len(ratios) and (several := [one for one in ways if one]):
                    found += [(cost, (more,)) for cost, more in several]
                    break
        found.sort(key=lambda one: one[0])
        best = [one for one in found if one[0] <= found[0][0] + BESIDE][:3]
        return best or [(UNKNOWN, None)]


def _by_price(
    up: Sequence[tuple[float, Mistake]], side: Sequence[tuple[float, Mistake]]
) -> list[tuple[float, Mistake, Mistake]]:
    return sorted(((a + b, p, s) for a, p in up for b, s in side if a + b <= 2), key=lambda one: one[0])


def _direction(found: Vector) -> tuple[str, ...]:
    """Numbers up to a common factor, to six digits; () where all are 0."""
    largest = max(found, key=abs)
    if not largest:
        return ()
    return tuple(
        f"{x / largest / 3 + 0.0:.5e}" for x in found
    )  # thirds of short numbers are no ties, and 0 has no sign


def two_slopes(low: float, high: float) -> Mistake:
    """Two numbers in the place of f′(z), by the sign of z."""

    def change(p: Place) -> Rows:
        down, up = p.arithmetic.number(low), p.arithmetic.number(high)
        slopes = [
            [p.arithmetic.choose(z, 0, below=lambda: down, at=lambda: down, above=lambda: up) for z in row]
            for row in p.z
        ]
        return hadamard(p.full_error(), slopes)

    sentence = f"The derivative {{where}} is {low:.6g} where z ≤ 0 and {high:.6g} where z > 0: that is not f′(z)."
    return Mistake(f"{low:.6g} and {high:.6g} for f′(z)", DERIVATIVE, sentence, "deltas", change)


def tried(mistake: Mistake | None, p: Place) -> Any:
    """What a mistake makes of a place; None where it cannot be made, or has another shape than it should."""
    if mistake is None:
        return None
    try:
        value = mistake.change(p)
    except (PurebpError, ArithmeticError):
        return None
    return value if fits(p, mistake.step, value) else None


def _standing(mistake: Mistake) -> Callable[[Place], Rows]:
    """δ as the mistake alone makes it."""

    def change(p: Place) -> Rows:
        if mistake.step == "deltas":
            return mistake.change(p)  # type: ignore[no-any-return]
        value = tried(mistake, p)
        return deltas_of(p if value is None else replace(p, error=value))

    return change


def readings(
    questions: Sequence[Question],
    loss: Loss,
    catalogue: Sequence[Mistake],
    base: Recipe = Recipe(),
    tolerance: float = 1e-8,
    alone: bool = True,
) -> list[Reading]:
    """What stands in the lines of these answers, cheapest first; other forward passes are tried where the plain one fails.

    alone: nothing is known from other questions, so that all that may be is tried.
    """
    held = Held(questions, loss, catalogue, base, tolerance, by_rule=alone, pairs=alone, through=False)
    found = _down(held, (), 99.0)
    plain = replace(held, by_rule=False)  # of which pairs are tried where δ is seen
    if not found or (found[0].cost > 1.5 and not found[0].right_at_output):
        for mistake in (*(m for m in catalogue if m.step in ("forward", "model")), *(steepness(held) if alone else ())):
            if not found or _leaves(held, mistake, found[0]):
                found += _down(plain, (mistake,), min([r.cost for r in found], default=99.0), found[:1])
    best = min(found, key=lambda reading: reading.cost, default=None)
    if alone and best and best.unexplained and best.hidden:
        found += _down(replace(held, through=True), (), best.cost)
    found.sort(key=lambda reading: reading.cost)
    if alone and found and found[0].unexplained:
        found[0] = _with_expressions(held, found[0])
    last = len(questions[0].network.layers) - 1
    if alone and found and any((line.step, line.layer) == ("deltas", last) for line in found[0].unexplained):
        found[0] = forward_seen(held, found[0]) or found[0]
    return found


def forward_seen(held: Held, reading: Reading) -> Reading | None:
    """Which lines of the forward pass fail, with the candidate's own activations; None if none does, or they are not seen.

    Of one sample ∂loss/∂Wˡ is δˡ times what came in, so that this is read off it as well.
    """
    wrong, output_holds = set[int](), True
    for q in held.questions:
        layers, a = q.network.layers, list(q.batch.inputs[0])
        for l, layer in enumerate(layers):
            z = FLOAT.inner([a], layer.weights, layer.biases)
            if l == len(layers) - 1:
                break
            own = own_activations(q, l)
            if own is None:
                return None
            if not _near([[own]], [layer.activation.apply(z, FLOAT)], held.tolerance):
                wrong.add(l)
            a = own
        outputs = layers[-1].activation.apply(z, FLOAT)
        last = output_deltas(held.loss, layers[-1].activation, z, outputs, q.batch.targets[:1], FLOAT)
        key = ("biases", len(layers) - 1)
        output_holds = (
            output_holds and key in q.claim and ratio(list(q.claim[key][0]), list(last[0]), held.tolerance) is not None
        )
    if not wrong:
        return None
    # what is made below of a slope at the wrong place is not told: it follows, or it shows when the forward pass is mended
    top = len(held.questions[0].network.layers) - 1
    follows = {("deltas", top), *(("weights", l + 1) for l in wrong)}
    if not output_holds:  # what is not f(z) may be no activation then, but what is multiplied by δ in its place
        kept = [
            line for line in reading.lines if line.found == () and line.seen and (line.step, line.layer) not in follows
        ]
        return replace(reading, lines=(*kept, Line("forward", top, None)))
    lines = [
        replace(line, found=()) if (line.step, line.layer) in follows else line
        for line in reading.lines
        if (line.step, line.layer) in follows or (line.found == () and line.seen)
    ]
    return replace(reading, lines=(*lines, *(Line("forward", l, None) for l in sorted(wrong))))


def own_activations(q: Question, l: int) -> Vector | None:
    """What went from layer l into the one above, as the answer to one sample shows it; None where it does not."""
    weights, biases = q.claim.get(("weights", l + 1)), q.claim.get(("biases", l + 1))
    if not q.alike or weights is None or biases is None:
        return None
    i = max(range(len(biases[0])), key=lambda i: abs(biases[0][i]))
    if not biases[0][i]:
        return None
    own = [x / biases[0][i] for x in weights[i]]
    outer = [d * x for d in biases[0] for x in own]
    c = ratio(flat(weights), outer, 1e-9)
    return own if c is not None and not abs(c - 1) > 1e-6 else None


def steepness(held: Held) -> Iterator[Mistake]:
    """z times a factor before the activation: that with which δ of the output layer has the direction that it has."""
    widths = {len(q.batch.targets[0]) for q in held.questions}
    alike = [[q for q in held.questions if q.alike and len(q.batch.targets[0]) == m] for m in widths]
    asked = replace(held, questions=max(alike, key=len, default=()))
    last = len(held.questions[0].network.layers) - 1

    def here(k: Fraction, everywhere: bool) -> Here:
        given = asked.begun((steeper(k, everywhere),))
        return Here(asked, [Place(*(*one, last, None)) for one in given], None)

    plain = Here(asked, [Place(*(*one, last, None)) for one in asked.begun()], None)
    kinds = [kind for kind in ("biases", "weights") if all((kind, last) in q.claim for q in asked.questions)]
    own = next(filter(None, map(plain.own, kinds)), None)
    if len(asked.questions) < 2 or own is None:
        return
    target = [x for rows in own for x in rows[0]]
    first = max(range(len(own[0][0])), key=lambda i: abs(target[i]))
    other = max(range(len(own[0][0]), len(target)), key=lambda i: abs(target[i]))

    def value(k: float, everywhere: bool) -> Vector:
        return [float(x) for p in here(Fraction(k), everywhere).places for x in held.base.deltas(p)[0]]

    for everywhere in (False, True)[: 1 + bool(last)]:

        def turned(k: float, everywhere: bool = everywhere) -> float:
            found = value(k, everywhere)
            turned_by: float = target[first] * found[other] - target[other] * found[first]
            return turned_by

        for low, high in pairwise(2 ** (i / 4 + 0.1) for i in range(-20, 21)):
            if turned(low) * turned(high) < 0:
                k = bisected(turned, low, high)
                if abs(k - 1) > 1e-6 and ratio(target, value(k, everywhere), 1e-7) is not None:
                    times, divided = shortest(k, 1e-9), 1 / shortest(1 / k, 1e-9)
                    yield steeper(min(times, divided, key=lambda c: len(str(c))), everywhere)


def bisected(f: Callable[[float], float], low: float, high: float) -> float:
    """Where f is 0, between two numbers at which its signs differ.

    >>> bisected(lambda x: x * x - 2, 1.0, 2.0)
    1.4142135623730951
    """
    below = f(low) < 0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (f(middle) < 0) == below else (low, middle)
    return high


def _leaves(held: Held, mistake: Mistake, reading: Reading) -> bool:
    """Whether another forward pass leaves the activations with which some δ, or gradients of weights, were right."""
    try:
        given, other = held.begun(), held.begun((mistake,))
    except (PurebpError, ArithmeticError):
        return False
    held_ = [line for line in reading.lines if line.found == () and line.seen]
    right = {line.layer - 1 for line in held_ if line.step == "weights" and line.layer}
    right |= {line.layer for line in held_[:1] if line is reading.lines[0]}  # δ of the output layer
    pairs = [(one[2].activations, changed[2].activations) for one, changed in zip(given, other)]
    return all(a[l] == b[l] for l in right for a, b in pairs)


def in_order(made: Sequence[Made]) -> tuple[Made, ...]:
    """As the backward pass goes; what is done to the outcome of others after these."""
    steps = list(LINES)
    return tuple(sorted(made, key=lambda one: (one[0].onto, -max(one[1], default=99), steps.index(one[0].step))))


def merged(made: Sequence[Made], more: Sequence[Made]) -> tuple[Made, ...]:
    """Mistakes, and others that stand in the place of them where they are made in the same line."""
    taken = {(m.step, l) for m, layers in more for l in layers or {-1} if not m.onto}
    kept = [(m, frozenset(l for l in layers if (m.step, l) not in taken)) for m, layers in made]
    found = [
        (m, left) for (m, left), (_, layers) in zip(kept, made) if left or (not layers and (m.step, -1) not in taken)
    ]
    return in_order((*found, *more))


def _down(held: Held, forward: tuple[Mistake, ...], best: float, plain: Sequence[Reading] = ()) -> list[Reading]:
    """From the output layer to the first; after another forward pass, which the output shows, no further if it is none there."""
    try:
        given = held.begun(forward)
    except (PurebpError, ArithmeticError):
        return []
    extra, depth = 1.0 * len(forward), len(held.questions[0].network.layers)
    beam: Sequence[Reading | None] = [None]
    for l in reversed(range(depth)):
        below: list[Reading] = []
        for reading in beam:
            try:
                below += held.layer(given, reading, l)
            except (PurebpError, ArithmeticError):
                continue
        below.sort(key=lambda reading: reading.cost)
        beam = [r for r in below if r.cost + extra < best + 0.5 and r.cost <= below[0].cost + 1.6][:WIDTH]
        if not beam or (not below[0].places[0].above and any(below[0].cost >= r.at_output for r in plain)):
            return []
    distinct = {tuple((line.step, line.layer, line.found) for line in r.lines): r for r in reversed(beam) if r}
    return [replace(r, forward=forward, cost=r.cost + extra) for r in reversed(distinct.values())]


def _with_expressions(held: Held, reading: Reading) -> Reading:
    """Lines that nothing explained, explained by the smallest expression that has their numbers, if there is one."""
    places: dict[int, Sequence[Place]] = {reading.places[0].l: reading.places}
    for l in range(reading.places[0].l + 1, len(held.questions[0].network.layers)):
        places[l] = [above(p) for p in places[l - 1]]
    lines, cost = [], reading.cost
    for line in reading.lines:
        here, found = places[line.layer], None
        if line.found is None and all(p.samples == 1 for p in here):
            claims = [q.claim.get((line.step, line.layer), ()) for q in held.questions]
            targets = [p.deltas for p in here] if line.step == "deltas" else claims
            found = expression(line.step, here, targets)
        lines.append(replace(line, found=(found,)) if found else line)
        cost -= (UNKNOWN - 2) * bool(found)
    return replace(reading, lines=tuple(lines), cost=cost)


# In words.

OUTPUTS = " (if it is, look at the forward pass, or return the outputs ŷ to have them judged)"


def in_words(reading: Reading, whole: Reading | None = None) -> list[str]:
    """What holds with the candidate's own numbers, and what does not; where a mistake is known, with its sentence.

    whole: of several samples, where one alone is explained.
    """
    depth = max(line.layer for line in reading.lines) + 1
    right = [_symbol(line) for line in reading.lines if line.found == () and line.seen]
    told = [f"What is right, made of your own numbers: {_listed(right)}."] if right else []
    for mistake, layers in reading.made:
        told.append(mistake.sentence.format(where=where(mistake, layers, depth)))
    for line in reading.unexplained:
        l, top = superscript(line.layer + 1), line.layer == depth - 1
        above_ = superscript(line.layer + 2)
        if line.step == "deltas":
            made = f"∂loss/∂ŷ ⊙ f′(z{l})" if top else f"(δ{above_} W{above_}) ⊙ f′(z{l}), with your own δ{above_}"
            told.append(f"δ{l} is wrong: it should be {made}{OUTPUTS if top else ''}.")
        elif line.step == "forward" and top:
            told.append(
                f"δ{l} and what is made below do not follow from ŷ and the activations as they should be: look at the forward "
                "pass first. If it is right, look at the output error, and at what is multiplied by δ."
            )
        elif line.step == "forward":
            came = "the inputs" if not line.layer else f"your own a{superscript(line.layer)}"
            told.append(
                f"a{l} is wrong: it should be f(z{l}), where z{l} is made of W{l}, b{l} and {came}. Look at the forward pass."
            )
        elif line.step == "weights":
            below = "the inputs" if not line.layer else f"a{superscript(line.layer)}"
            told.append(
                f"∂loss/∂W{l} does not follow from your own δ{l}: it should be the outer product of δ{l} and {below}."
            )
        else:
            told.append(f"∂loss/∂b{l} does not follow from your own δ{l}: it should be δ{l}, summed over the samples.")
    if not reading.unexplained:
        off = _listed([_symbol(line) for line in whole.unexplained]) if whole and whole.unexplained else "What is given"
        verb = "are" if " and " in off else "is"
        told.append(
            f"So it is for one sample. {off} of several {verb} not made of that: look at how samples are put together."
        )
    return told


def _symbol(line: Line) -> str:
    symbol = {"deltas": "δ", "weights": "∂loss/∂W", "biases": "∂loss/∂b", "forward": "a"}[line.step]
    return symbol + superscript(line.layer + 1)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
