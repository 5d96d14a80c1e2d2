"""What was not declared, found by trying: layout, depth and activations of a candidate.

On a few small cases every layout is tried in which the candidate gives answers of the right shape, the plainest first; if
there is none, then with labels for targets, whole numbers for inputs, and other widths. Of those, and of the usual
activations, the first is taken under which most of its tensors are multiples of the gradient: a factor, a sign or a step
is for the check itself to find.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any, NamedTuple

from purebp.number_systems.formats import BINARY64
from purebp.oracle.answer import Claim, as_claim
from purebp.oracle.asking.declared import Declared, agreed, argument, biased_layers, option
from purebp.oracle.asking.limits import REFUSALS, Ask, limits
from purebp.oracle.asking.roles import mentioned
from purebp.oracle.cases import Case
from purebp.textbook import losses
from purebp.textbook.activations import Activation, activation
from purebp.textbook.arithmetic import FLOAT, PurebpError
from purebp.textbook.backprop import backpropagation
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Layer, Network

Answered = list[tuple[Case, Claim]]
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "elu(1.0)", "softplus", "silu", "gelu")
SLOPED = ("leaky_relu", "elu")
MOST_SLOPES = 8
OUTPUT = ("sigmoid", "identity", "softmax", "tanh", "relu")
LOSSES = {"sigmoid": ("mse", "binary_cross_entropy"), "softmax": ("cross_entropy", "mse")}  # else mse
DEPTHS = (2, 1, 3)
PLAIN = {"weights": "out_in", "samples": "rows", "biases": True, "arrays": None}
LAYERS = "wrong number of layers"
LAYOUT = ("raises", "error", "wrong shape", LAYERS)  # what another layout may cure
SPECIAL = ("targets", "inputs", "sizes")  # asked for where nothing else is answered
CASES = 5  # small ones, on which layouts are tried
ALIVE = 2  # of them, in which no neuron is dead, whatever its activation
MOST_CRASHES = 6  # of a program: each starts it anew
TOLERANCE = 1e-4  # of a multiple: roundoff, that of binary32 too, is far below


class Rank(NamedTuple):
    """How like the gradient answers are: whether all tensors are multiples of it, on how many cases, what share of the
    tensors, and what share of those is the same multiple as others of as many samples and outputs."""

    whole: bool = False
    answered: int = 0
    likeness: float = 0.0
    even: float = 0.0
    complete: bool = False  # all cases were answered


@dataclass(frozen=True, slots=True)
class Guess:
    """Options that were not declared, and whether they were "found", "assumed", or "lost": perhaps others help."""

    options: dict[str, Any]
    state: str = "found"
    asked: bool = True
    rank: Rank = Rank()
    rivals: tuple[tuple[Activation, ...], ...] = ()  # activations under which these answers are as like the gradient

    @property
    def lost(self) -> bool:
        """Whether it was asked in vain."""
        return self.asked and self.state != "found"

    @property
    def sure(self) -> bool:
        """Whether every case is answered with multiples of the gradient."""
        return self.rank.whole and self.rank.complete

    @property
    def others(self) -> Iterator[Guess]:
        """What the first answers allow as well."""
        return (replace(self, options={**self.options, "activations": each}, rivals=()) for each in self.rivals)

    def computing(self, changes: Sequence[str]) -> Guess | None:
        """The same with the activations that mistakes say it computes with in place of those guessed; None if none does.

        >>> guessed = Guess({"activations": (activation("relu"), activation("sigmoid"))})
        >>> found = guessed.computing(("identity at the output",))
        >>> found and [f.name for f in found.options["activations"]]
        ['relu', 'identity']
        """
        functions = list(self.options.get("activations", ()))
        for change in changes if functions else ():
            said = re.fullmatch(r"(\w+) (at the output|in the hidden layers)", change)
            if said and said[1] in (*HIDDEN, *OUTPUT):
                where = slice(-1, None) if said[2] == "at the output" else slice(None, -1)
                functions[where] = [activation(said[1])] * len(functions[where])
        if functions == list(self.options.get("activations", ())):
            return None
        return replace(self, options={**self.options, "activations": tuple(functions)}, rivals=())

    @property
    def shown(self) -> dict[str, Any]:
        """Those that have to be said."""
        said = {key: x for key, x in self.options.items() if key not in PLAIN or x != PLAIN[key]}
        return {key: x for key, x in said.items() if key != "batch"}  # a vector says it

    def notes(self, conforms: bool, program: bool = False, python: bool = False) -> Iterator[str]:
        """What the report says of it, in options of the command line, or in arguments of `check` in Python."""
        if self.state == "lost":
            names = ["activations", "sizes", "weights", "samples", "batch", "biases", *["arrays"] * (not program)]
            *first, last = names if python else ["--no-biases" if x == "biases" else f"--{x}" for x in names]
            told = f"declare yours with {', '.join(first)} or {last}"
            yield f"No layout that was tried gets answers of the right shape: {told}."
        elif self.shown:
            said = [[argument(*x)] if python else option(*x) for x in self.shown.items()]
            words = (", " if python else " ").join(word for words in said for word in words)
            how = "found by trying" if self.state == "found" else "assumed"
            yield f"Not declared, and {how}: {words}" + ("" if conforms else ". If that is not so, declare it.")


def guess(ask: Ask, declared: Mapping[str, Any], source: str | None = "", ranked: bool = False) -> Guess:
    """The options that are missing among those declared, by asking on small cases.

    declared: by the names of `Declared`; of activations and loss, None says nothing. source: the text of the
    candidate, in which a library that it imports is looked for; None if it is no Python, and takes no arrays.
    ranked: ask in any case, for how like the gradient the answers are.

    >>> from purebp import Batch, Layer, Network, backpropagation
    >>> from purebp.oracle.asking.candidate import ask
    >>> def mine(weights, biases, inputs, targets):
    ...     layers = zip(weights, biases, ("tanh", "identity"), strict=True)
    ...     return backpropagation(Network(Layer(*layer) for layer in layers), Batch(inputs, targets))
    >>> found = guess(lambda case, declared: ask(mine, case, declared), {"biases": True})
    >>> found.state, [f.name for f in found.options["activations"]]
    ('found', ['tanh', 'identity'])
    """
    given = {name: x for name, x in agreed(declared).items() if x is not None or name in PLAIN}
    if {"activations", *PLAIN} <= given.keys() and not ranked:
        return Guess({}, asked=False)
    found = _searched(ask, given, source)
    if found.sure or not found.rank.answered:
        return found
    if not found.rank.whole and "inputs" not in given:
        cut = _searched(ask, {**given, "inputs": "whole"}, source)  # it may be meant for whole numbers, and cut others
        if cut.sure:
            return replace(cut, rank=found.rank)
    declares = Declared(**{**given, **found.options})
    within = {name: x for limit in limits(ask, declares) for name, x in limit.options.items()}
    if not within:
        return found
    layout = {name: x for name, x in found.options.items() if name != "activations"}
    again = _searched(ask, {**given, **layout, **within}, source)  # on as many cases, of what it takes
    return replace(found, options={**found.options, **again.options}, rank=again.rank, rivals=again.rivals)


def _searched(ask: Ask, given: dict[str, Any], source: str | None) -> Guess:
    slopes = dict.fromkeys(re.findall(r"(?<![\w.])0?\.\d{1,4}(?!\w)", source or ""))
    search = _Search(ask, given, slopes=list(slopes)[:MOST_SLOPES], source=source or "")
    for special in _specials(given):
        if "wrong shape" in search.problems and _alike(special.get("sizes", ())):
            break  # it answers, and that may be what is wrong
        if special and {*search.problems} == {"skipped"}:
            break  # it says itself what it takes
        if any(search.finds(*tried) for tried in _layouts({**given, **special}, source)) or search.best:
            break
    return search.result()


def _specials(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What is asked for: what is usual; and where that is refused in every layout, what some take alone."""
    yield {}
    functions = given.get("activations")
    if "targets" not in given and given.get("outputs") != 1:
        yield from ({"targets": kind} for kind in ("labels", "one_hot"))
    if "inputs" not in given:
        yield from ({"inputs": kind} for kind in ("whole", "binary"))
    depth = functions and len(Declared(functions).per_layer(2))
    if not {"sizes", "outputs"} & given.keys() and depth in (None, 1, 2):
        fixed = [*product(range(1, 5), range(1, 6), range(1, 4)), *product(range(1, 5), range(1, 4))]
        yield from ({"sizes": sizes} for sizes in sorted(fixed, key=_alike) if depth in (None, len(sizes) - 1))


def _alike(sizes: Sequence[int]) -> int:
    """How many layers are as wide as those before, or hide one neuron: what is wrong hides there."""
    return sum(a == b for a, b in pairwise(sizes)) + list(sizes[1:-1]).count(1)


BY_CHANCE = 0.15  # a single tensor of many is a multiple of the gradient


@dataclass(slots=True)
class _Search:
    """What is known after some layouts were tried."""

    ask: Ask
    given: dict[str, Any]
    best: tuple[Rank, dict[str, Any]] | None = None  # how good it is, and its options
    first: dict[str, Any] | None = None  # the plainest options
    answers_at: int | None = None  # the depth
    biased: bool = False  # gradients of biases were given
    problems: list[str] = field(default_factory=list)
    cases: dict[Any, list[Case]] = field(default_factory=dict)
    slopes: Sequence[str] = ()  # that the text of the candidate has
    source: str = ""
    rivals: tuple[tuple[Activation, ...], ...] = ()

    def finds(self, depth: int, layout: dict[str, Any]) -> bool:
        """Try a layout; whether the search is over."""
        if self.answers_at not in (None, depth):
            return False
        less = layout["samples"] == "vector" or (self.biased and not layout["biases"])
        if self.best and less and not layout.items() <= self.given.items():
            return False  # a plainer layout is answered: to ask for less would only hide what is wrong
        options = {key: value for key, value in layout.items() if key not in self.given}
        whole = {**self.given, **layout}
        assumed = self.given.get("activations", (activation("sigmoid"),) * depth)
        self.first = self.first or {**options, "activations": assumed}
        answered, complete = self.answers(depth, whole)
        if self.hopeless:
            return True
        if not answered:
            return False
        self.answers_at = depth
        self.biased = self.biased or any(kind == "biases" for _, claim in answered for kind, _ in claim)
        rest = _networks(self.given, depth, self.slopes)
        for functions, loss in rest:
            likeness, even = _likeness(answered, functions, loss, whole)
            if not (likeness == even == 1 and complete) and not mentioned([f.name for f in functions], self.source):
                likeness /= 2  # what is like by chance counts for less where the text speaks of nothing like it
            if likeness < BY_CHANCE:
                likeness = even = 0.0
            rank = Rank(likeness == 1, len(answered), likeness, even, complete)
            if self.best is None or rank > self.best[0]:
                self.best = rank, {**options, "activations": functions}
            if rank.whole and complete and even == 1:
                others = (other for other in rest if other[0][-1] == functions[-1])
                self.rivals = tuple(o for o, loss in others if _likeness(answered, o, loss, whole) == (1, 1))
                return True
        return False

    @property
    def hopeless(self) -> bool:
        """Whether another layout would be no cure."""
        if not {"timeout", "malformed"}.isdisjoint(self.problems) or self.problems.count("crash") > MOST_CRASHES:
            return True
        return self.problems[:1] == ["NaN"] or (self.problems[:1] == [LAYERS] and "activations" in self.given)

    def drawn(self, key: Any, declared: Declared) -> Iterator[Case]:
        """The small cases; those after the first are drawn where that is answered, which most layouts are not."""
        held, known = replace(declared, loss=None), self.cases.setdefault(key, [])
        if not known:
            known += self.as_targets(held.ladder(most=1))
        yield known[0]
        if len(known) == 1:
            known += self.as_targets(held.ladder(most=CASES - ALIVE)[1:])
            if "activations" not in self.given:
                relus = (activation("relu"),) * len(held.per_layer())
                wide = held.outputs or (None if held.sizes else 2)  # of one output softmax is 1, whatever is below
                known += self.as_targets(replace(held, activations=relus, outputs=wide).ladder(most=ALIVE))
        yield from known[1:]

    def as_targets(self, cases: Sequence[Case]) -> list[Case]:
        """With one class in each row, unless the targets are declared to be any numbers."""
        return [case if self.given.get("targets") == "real" else _one_hot(case) for case in cases]

    def answers(self, depth: int, options: dict[str, Any]) -> tuple[Answered, bool]:
        """Its answers to small cases, and whether these are all; none unless the first has the right shape."""
        answered: Answered = []
        try:
            declared = Declared(**{"activations": (activation("sigmoid"),) * depth, **options})
            declared = replace(declared, activations=declared.per_layer(depth))
            key = depth, declared.has_biases, *(options.get(name) for name in ("batch", "outputs", *SPECIAL))
            for case in self.drawn(key, declared):
                answer = self.ask(case, declared)
                if fatal := [finding.kind for finding in answer.findings if finding.fatal]:
                    self.problems += fatal
                    if not answered or not {*fatal} <= {*REFUSALS}:
                        return [], False
                if answer.claim:  # and no skip
                    answered.append((case, answer.claim))
            self.problems += [] if answered else ["skipped"]
            some = biased_layers([claim for _, claim in answered], [case for case, _ in answered])
            if some is not None:
                return self.answers(depth, {**options, "biases": some})
        except PurebpError:  # such as arrays without that format
            self.problems.append("raises")
            return [], False
        return answered, len(answered) == len(self.cases[key])

    def result(self) -> Guess:
        """The best options, without those given."""
        options = self.best[1] if self.best else self.first or {}
        lost = len(self.problems) > 1 and self.problems[0] in LAYOUT
        state = "found" if self.best else "lost" if lost else "assumed"
        rank = self.best[0] if self.best else Rank()
        missing = {key: value for key, value in options.items() if key not in self.given}
        return Guess(missing, state, rank=rank, rivals=self.rivals)


def _layouts(given: dict[str, Any], source: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Depth and layout, those with the fewest departures from the plainest first."""
    functions = given.get("activations")
    if functions is None:
        depths = [len(given["sizes"]) - 1] if "sizes" in given else list(DEPTHS)
        depths = [len(given["biases"])] if isinstance(given.get("biases"), tuple) else depths
    else:
        depths = [2 if isinstance(functions, Activation) else len(functions)]
    found = re.search(r"^\s*(?:import|from)\s+(torch|jax|numpy)\b", source or "", re.MULTILINE)
    others = ["numpy"] if source is not None and "numpy" in sys.modules else []  # it may be what it imports that does
    axes: dict[str, list[Any]] = {
        "depth": depths,
        "arrays": [found[1], None] if found else [None, *others],
        "samples": ["rows", "columns", *["vector"] * (given.get("batch", 1) == 1)],
        "weights": ["out_in", "in_out"],
        "biases": [True, "columns", False],
    }
    axes |= {name: [given[name]] for name in (*PLAIN, *SPECIAL) if name in given}
    places = sorted(product(*(range(len(axis)) for axis in axes.values())), key=lambda i: (sum(map(bool, i)), i))
    for place in places:
        layout = {name: axis[i] for (name, axis), i in zip(axes.items(), place)}
        depth = layout.pop("depth")
        yield depth, {**layout, "batch": 1} if layout["samples"] == "vector" else layout


def _one_hot(case: Case) -> Case:
    """With several outputs the targets are those of classes, on which every loss has a gradient."""
    outputs = len(case.batch.targets[0])
    targets = [[float(i % outputs == j) for j in range(outputs)] for i in range(len(case.batch.targets))]
    return case if outputs == 1 else replace(case, batch=Batch(case.batch.inputs, targets))


def _networks(
    given: dict[str, Any], depth: int, slopes: Sequence[str] = ()
) -> Iterator[tuple[tuple[Activation, ...], Loss]]:
    """Activations and losses that are usual."""
    functions = given.get("activations")
    if functions is None:
        usual = [*HIDDEN, *(f"{name}({slope})" for slope in slopes for name in SLOPED)]
        hidden = [(f,) * (depth - 1) for f in (usual if depth > 1 else HIDDEN[:1])]
        chosen = [tuple(map(activation, (*below, output))) for output in OUTPUT for below in hidden]
    else:
        chosen = [(functions,) * depth if isinstance(functions, Activation) else functions]
    for functions in chosen:
        for name in (given["loss"],) if "loss" in given else LOSSES.get(functions[-1].name, ("mse",)):
            yield functions, losses.loss(name)


def _likeness(
    answered: Answered, functions: tuple[Activation, ...], loss: Loss, options: dict[str, Any]
) -> tuple[float, float]:
    """The share of the tensors that are multiples of the gradient, or steps along it; and of those, of the same one."""
    tolerance = max(TOLERANCE, 64 * options.get("format", BINARY64).of_numbers.storage)
    whole, multiples = 0, Counter[Any]()
    for case, claim in answered:
        layers = [Layer(layer.weights, layer.biases, f) for layer, f in zip(case.network.layers, functions)]
        try:
            gradient = as_claim(backpropagation(Network(layers), case.batch, loss, FLOAT))
        except (PurebpError, ArithmeticError, ValueError):
            return 0.0, 0.0
        tensors = {key: [x for row in rows for x in row] for key, rows in gradient.items() if key in claim}
        telling = 2 if any(len(expected) > 1 for expected in tensors.values()) else 1  # one number is a multiple of any
        for key, expected in tensors.items():
            if len(expected) < telling or not any(expected):
                continue
            whole += 1
            given = [float(x) for row in claim[key] for x in row]
            before = [w for row in as_claim(case.network)[key] for w in row]
            steps = [x - w for x, w in zip(given, before)]
            found = (_multiple(x, expected, tolerance) for x in (given, steps))
            if ratio := next((f"{x:.3g}" for x in found if x), ""):
                multiples[case.samples, case.sizes[-1], ratio] += 1
    like = multiples.total()
    groups = {key[:2] for key in multiples}
    even = sum(max(n for key, n in multiples.items() if key[:2] == group) for group in groups)
    return like / max(whole, 1), even / max(like, 1)


def _multiple(x: list[float], expected: list[float], tolerance: float) -> float:
    """What it is of what was expected, if it is a multiple of that; or else 0."""
    i = max(range(len(expected)), key=lambda j: abs(expected[j]))
    ratio = x[i] / expected[i]
    room = tolerance * abs(x[i])
    return ratio if room > 0 and all(abs(a - ratio * b) <= room for a, b in zip(x, expected)) else 0.0
