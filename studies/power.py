"""How much the oracle sees: mistakes planted in right code, and how many `check` catches and names (`make power`).

    python -m studies.power --write           measure, and write docs/power.md
    python -m studies.power --mistakes        the catalogue as a page; with --write, docs/mistakes.md
    python -m studies.power --quick --seed 3  a small sample

Whether something planted is a mistake, and whether two explanations say the same, is decided on random networks
that the ladder of `check` does not hold.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import combinations, count
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from purebp import FLOAT, Batch, Layer, Network, backpropagation, evaluate, loss
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.formats import Format
from purebp.oracle.answer import Claim, as_claim
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case, ladder
from purebp.oracle.check import checked
from purebp.oracle.conventions import Convention, Factor, budgets
from purebp.oracle.evidence import Budgets, share
from purebp.oracle.explaining import grammar
from purebp.oracle.explaining.catalogue import CATALOGUE, seen
from purebp.oracle.explaining.diagnosis import Diagnosis, Observation
from purebp.oracle.explaining.recipe import Inapplicable, Made, Mistake, Recipe, planted, run
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.network import Gradients, LayerGradients
from studies import fooling
from studies.conforming import MACHINES, WAYS, Implementation, drawn, implementation, single
from studies.conforming import Recipe as Way

DOCS = Path(__file__).resolve().parent.parent / "docs"
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "softplus", "elu(1.0)", "silu", "gelu", "identity")
DEPTHS = (2, 3, 4)
FAMILIES = ("activation derivative", "biases", "operands", "order and state", "loss and scale")

Answer = Callable[[Network, Batch], Gradients]
Candidate = Callable[[Matrix, Matrix, Matrix, Matrix], tuple[list[Any], list[Any]]]


@cache
def remembered(case: Case, convention: Convention, format: Format | str, forwards: bool) -> Budgets:
    """Budgets, which are the same for every candidate, are computed once."""
    return budgets(case, convention, format, {("outputs", -1): []} if forwards else {})


@cache
def rungs(names: tuple[str, ...], loss: str | None) -> tuple[Case, ...]:
    """The cases of an architecture."""
    return ladder(names, loss=loss)


@dataclass(frozen=True)
class Remembering(Layers):
    """The question that `check` asks, for which no budget is computed twice."""

    def enclose(self, case: Case, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        return remembered(case, convention, format, any(kind in ("outputs", "loss") for kind, _ in claim))


@dataclass(frozen=True)
class Setting:
    """An architecture and a loss."""

    names: tuple[str, ...]
    loss: str

    def candidate(self, answer: Answer) -> Candidate:
        """What `check` calls."""

        def called(weights: Matrix, biases: Matrix, inputs: Matrix, targets: Matrix) -> tuple[list[Any], list[Any]]:
            network = Network(Layer(w, b, f) for w, b, f in zip(weights, biases, self.names))  # type: ignore[arg-type]  # matrices, one per layer
            found = answer(network, Batch(inputs, targets))
            return [layer.weights for layer in found.layers], [layer.biases for layer in found.layers]

        return called

    def question(self, **declares: Any) -> Remembering:
        given: dict[str, Any] = {"loss": self.loss, "returns": "gradients", **declares}
        return Remembering(Declared(self.names, **given), complete=True)

    def check(self, answer: Answer, **declares: Any) -> Report:
        """What `purebp.oracle.check` reports."""
        cases = rungs(self.names, declares.get("loss", self.loss))
        return checked(self.candidate(answer), self.question(**declares), cases, "candidate")

    def verdict(self, answer: Answer, **declares: Any) -> Report:
        """Whether it conforms; the reasons are not looked for."""
        question, cases = self.question(**declares), rungs(self.names, self.loss)
        answers = [ask(self.candidate(answer), case, question.declared) for case in cases]
        return judged(question, cases, answers, "candidate", explained=False)

    def __str__(self) -> str:
        return f"{' → '.join(self.names)}, {self.loss}"


def settings(hidden: str, depth: int) -> tuple[Setting, ...]:
    """Where a mistake may show: the plainest network first, then the closed forms, then two activations in turn."""
    below = (hidden,) * (depth - 1)
    other = "tanh" if hidden != "tanh" else "sigmoid"
    return (
        Setting((*below, hidden), "half_sse"),
        Setting((*below, "sigmoid"), "binary_cross_entropy"),
        Setting((*below, "softmax"), "cross_entropy"),
        Setting((*below, "softmax"), "mse"),
        Setting(((hidden, other) * depth)[:depth], "mse"),
    )


@cache
def fresh(setting: Setting, wanted: int = 8) -> tuple[Case, ...]:
    """Random networks and batches of the setting, with square layers and others, in numbers that are not short."""
    random = Random(f"fresh {setting}")
    cases: list[Case] = []
    while len(cases) < wanted:
        sizes = [random.randint(1, 4) for _ in range(len(setting.names) + 1)]
        if len(cases) % 3 == 0:
            sizes = [sizes[0] + 1] * len(sizes)
        elif len(cases) % 3 == 1:
            sizes[-1] = 1
        sizes[-1] = max(sizes[-1], 2) if setting.names[-1] == "softmax" else sizes[-1]
        network = Network.random(sizes, list(setting.names), random.randrange(10**6))
        network = network.with_parameters([1.5 * w if w else random.gauss(0, 0.5) for w in network.parameters()])
        samples = random.randint(2, 5)
        inputs = [[random.gauss(0, 1) for _ in range(sizes[0])] for _ in range(samples)]
        targets = [[random.random() for _ in range(sizes[-1])] for _ in range(samples)]
        if "entropy" in setting.loss:
            targets = [[float(random.random() < 0.5) for _ in row] for row in targets]
        if setting.names[-1] == "softmax":
            targets = [[float(j == i % sizes[-1]) for j in range(sizes[-1])] for i in range(samples)]
        cases.append(Case(f"fresh {len(cases)}", network, Batch(inputs, targets)))
    return tuple(cases)


@cache
def right(setting: Setting) -> tuple[list[float], ...]:
    return tuple(backpropagation(c.network, c.batch, setting.loss).parameters() for c in fresh(setting))


@dataclass(frozen=True)
class Planting:
    """Mistakes in their layers; `factor` and `other` are conventions that are not those declared."""

    made: tuple[Made, ...] = ()
    factor: Factor = Factor()
    other: str = ""

    @property
    def changes(self) -> set[str]:
        names = {mistake.name for mistake, _ in self.made}
        if self.factor.constant < 0:
            names.add("sign turned")
        size = Factor(abs(self.factor.constant), self.factor.samples, self.factor.outputs)
        return (
            names
            | ({f"factor {size}"} if size != Factor() else set())
            | ({"gradient of another loss"} if self.other else set())
        )

    @property
    def recipe(self) -> Recipe:
        recipe = Recipe()
        for mistake, layers in self.made:
            recipe = planted(mistake, layers, recipe)
        return recipe

    def answer(self, setting: Setting) -> Answer:
        recipe = self.recipe

        def gradients(network: Network, batch: Batch) -> Gradients:
            chosen = self.other or setting.loss
            try:
                found = run(recipe, network, batch, chosen, FLOAT)
            except (PurebpError, ArithmeticError):  # it cannot be made in this network
                found = backpropagation(network, batch, chosen)
            scale = float(self.factor(len(batch.targets), len(batch.targets[0])))
            return found if scale == 1 else reshaped(network, [scale * x for x in found.parameters()])

        return gradients

    def changes_something(self, setting: Setting) -> bool:
        """Whether some entry is off by more than roundoff on some random network."""
        answer = self.answer(setting)
        for case, wanted in zip(fresh(setting), right(setting)):
            scale = max(map(abs, wanted))
            found = answer(case.network, case.batch).parameters()
            if any(not abs(x - y) <= 1e-9 * scale for x, y in zip(found, wanted)):
                return True
        return False

    def can_be_made(self, setting: Setting) -> bool:
        """Whether the loss has a derivative where the mistakes lead: a cross-entropy has none beyond 0 and 1."""
        for case in fresh(setting):
            try:
                run(self.recipe, case.network, case.batch, setting.loss, FLOAT)
            except Inapplicable:
                continue
            except (PurebpError, ArithmeticError):
                return False
        return True

    def __str__(self) -> str:
        return " and ".join(sorted(self.changes))


def reshaped(network: Network, entries: Sequence[float]) -> Gradients:
    """Entries in the order of `Network.parameters()`, as gradients."""
    layers = network.with_parameters(entries).layers
    return Gradients(tuple(LayerGradients(layer.weights, layer.biases, ()) for layer in layers))


def same(found: Diagnosis, planting: Planting, setting: Setting) -> bool:
    """Whether the explanation also holds, inside its budgets, on random networks that were not asked about."""
    answer = planting.answer(setting)
    return found.holds([Observation(case, as_claim(answer(case.network, case.batch))) for case in fresh(setting)])


@dataclass
class Seen:
    """What `check` said of one planting."""

    planting: Planting
    setting: Setting
    report: Report
    seconds: float
    named: bool
    place: int = 0  # among the explanations, from 1 on; 0 if it is not there
    equal: bool = False  # the first explanation is another one that gives the same answers

    @property
    def caught(self) -> bool:
        return not self.report.conforms and self.report.verdict != "undecided"

    @property
    def first(self) -> bool:
        return self.place == 1 or self.equal

    @property
    def among_three(self) -> bool:
        return self.first or 1 < self.place <= 3


def looked_at(planting: Planting, setting: Setting, named: bool = True) -> Seen:
    """What `check` says; the verdict alone, which takes less time, unless it has to be named."""
    start = time.perf_counter()
    report = (setting.check if named else setting.verdict)(planting.answer(setting))
    seen = Seen(planting, setting, report, time.perf_counter() - start, named)
    names = [set(found.changes) for found in report.explanations]
    seen.place = names.index(planting.changes) + 1 if planting.changes in names else 0
    if seen.place != 1 and names:
        seen.equal = same(report.explanations[0], planting, setting)
    return seen


# What is planted.


def singles(
    hidden: Sequence[str] = HIDDEN, depths: Sequence[int] = DEPTHS
) -> Iterator[tuple[Planting, Setting | None]]:
    """Every mistake at every depth and for every activation, in the first setting in which it changes something.

    The layers in which it is made are taken in turn: everywhere, in all hidden layers, in a single one.
    """
    turn = Counter[str]()
    for depth in depths:
        for name in hidden:
            for mistake in CATALOGUE.values():
                scopes = list(mistake.layers(depth))
                start = turn[mistake.name]
                turn[mistake.name] += 1
                tried = [Planting(((mistake, scopes[(start + i) % len(scopes)]),)) for i in range(len(scopes))]
                found = ((p, s) for p in tried for s in settings(name, depth) if p.changes_something(s))
                if tried:
                    yield next(found, (tried[0], None))


def place(mistake: Mistake) -> tuple[Planting, Setting]:
    """The first architecture in which the mistake changes something, two layers before three."""
    for depth in (2, 3):
        for hidden in ("sigmoid", "relu", "silu", "identity", "elu(1.0)", "leaky_relu(0.01)", "gelu"):
            for layers in mistake.layers(depth):
                for setting in settings(hidden, depth):
                    planting = Planting(((mistake, layers),))
                    if planting.changes_something(setting):
                        return planting, setting
    raise AssertionError(f"{mistake.name} changes nothing anywhere")


def several(count: int, wanted: int, random: Random) -> Iterator[tuple[Planting, Setting]]:
    """So many mistakes drawn at random, each of which changes something, and changes what the others leave."""
    while wanted:
        setting = random.choice(settings(random.choice(HIDDEN), random.choice(DEPTHS[:2])))
        made = [
            (mistake, random.choice(list(mistake.layers(len(setting.names))) or [frozenset[int]()]))
            for mistake in random.sample(list(CATALOGUE.values()), count)
        ]
        if any(a.step == b.step and (at & there or not at) for (a, at), (b, there) in combinations(made, 2)):
            continue
        together = Planting(tuple(made))
        fewer = [Planting(tuple(other for other in made if other is not one)) for one in made]
        if (
            together.can_be_made(setting)
            and all(Planting((one,)).changes_something(setting) for one in made)
            and not any(agree(together, left, setting) for left in fewer)
        ):
            wanted -= 1
            yield together, setting


def agree(a: Planting, b: Planting, setting: Setting) -> bool:
    """Whether both give the same on random networks."""
    for case in fresh(setting):
        x, y = (p.answer(setting)(case.network, case.batch).parameters() for p in (a, b))
        scale = max(map(abs, y)) or 1.0
        if any(not abs(u - v) <= 1e-9 * scale for u, v in zip(x, y)):
            return False
    return True


CONVENTIONS = (
    Planting(factor=Factor(Fraction(-1))),
    *(
        Planting(factor=Factor(Fraction(c), i, j))
        for c, i, j in ((2, 0, 0), ("1/2", 0, 0), (1, 1, 0), (1, -1, 0), (1, 0, -1), (2, -1, 0), (-2, 0, 0))
    ),
    Planting(other="mae"),
    Planting(other="binary_cross_entropy"),
)


def conventions() -> Iterator[tuple[Planting, Setting]]:
    """Right gradients of something else than what was declared."""
    for depth in DEPTHS:
        for planting in CONVENTIONS:
            yield planting, Setting(("tanh",) * (depth - 1) + ("sigmoid",), "half_sse")


# Single entries.

SIZES = tuple(10.0**-k for k in range(3, 16))
SAMPLE = (
    Setting(("sigmoid", "sigmoid"), "half_sse"),
    Setting(("tanh", "identity"), "mse"),
    Setting(("relu", "softmax"), "cross_entropy"),
    Setting(("gelu", "sigmoid"), "binary_cross_entropy"),
    Setting(("elu(1.0)", "silu"), "mse"),
    Setting(("softplus", "leaky_relu(0.01)", "tanh"), "half_sse"),
)
LARGEST = 100  # parameters


@dataclass
class Entries:
    """Entries that were changed by a relative size: how many, and how many of them were caught."""

    format: str
    size: float
    settings: int = 0
    tried: int = 0
    anywhere: int = 0  # by `check`, an entry drawn at random on every case
    hardest: int = 0  # by `check`, on every case the entry whose budget is the widest
    single: int = 0  # entries of single cases
    alone: int = 0  # and how many of them on that case alone

    @property
    def required(self) -> bool:
        return self.size >= {"binary64": 0.99e-11, "binary32": 0.99e-4}[self.format]


def entries(sample: Sequence[Setting], sizes: Sequence[float], draws: int, random: Random) -> Iterator[Entries]:
    """One entry of the gradient changed, and nothing else, in networks of up to 100 parameters."""
    ways = {"binary64": Way(MACHINES[0]), "binary32": Way(MACHINES[2])}
    for format, way in ways.items():
        for size in sizes:
            found = Entries(format, size, len(sample))
            for setting in sample:
                places = [random.random() for _ in range(draws)]
                for place in (*places, None):
                    report = setting.verdict(_changed(way, setting, size, place, format), format=format)
                    found.tried += place is not None
                    found.anywhere += place is not None and not report.conforms
                    found.hardest += place is None and not report.conforms
                for case in ladder(setting.names, loss=setting.loss):
                    if len(case.network.parameters()) > LARGEST:
                        continue
                    given, allowed = _judged(case, setting, way, format)
                    off = [(x * (1 + size), b) for x, b in zip(given, allowed) if x]
                    found.single += len(off)
                    found.alone += sum(share(x, b) > 1 for x, b in off)
            yield found


@cache
def _judged(case: Case, setting: Setting, way: Way, format: str) -> tuple[list[float], list[Ball]]:
    chosen = loss(setting.loss)
    allowed = backpropagation(case.network, case.batch, chosen, ball(format)).parameters()
    return way(case.network, case.batch, chosen), allowed


def _changed(way: Way, setting: Setting, size: float, place: float | None, format: str) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        given, allowed = _judged(Case("", network, batch), setting, way, format)
        given = list(given)
        if len(given) <= LARGEST:
            able = [i for i, x in enumerate(given) if x]
            widest = max(able, key=lambda i: allowed[i].radius / abs(given[i]))
            given[widest if place is None else able[int(place * len(able))]] *= 1 + size
        return reshaped(network, given)

    return answer


# Imprecise, and right.


def imprecise(sample: Sequence[Setting], steps: Sequence[float]) -> Iterator[tuple[str, Setting, Report, str]]:
    """What is computed in binary32, or from differences of the loss, and the words that should say so."""
    for setting in sample:
        for machine in MACHINES:
            if machine.format.name == "binary32":
                for way in WAYS[:: 1 if len(sample) > 1 else 12]:
                    yield (
                        f"float32 inside: {machine.name}",
                        setting,
                        setting.check(_by(Way(machine, **way), setting)),
                        "binary32",
                    )
        yield "float64 inside, rounded to float32", setting, setting.check(_rounded(setting)), "binary32"
        for step in steps:
            for central in (True, False):
                kind = "central" if central else "one-sided"
                report = setting.check(_difference(setting, step, central))
                yield f"{kind} finite difference, step {step:g}", setting, report, "finite difference"


def _by(way: Way, setting: Setting) -> Answer:
    return lambda network, batch: reshaped(network, way(network, batch, loss(setting.loss)))


def _rounded(setting: Setting) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        entries = backpropagation(network, batch, setting.loss).parameters()
        return reshaped(network, [single(x) for x in entries])

    return answer


def _difference(setting: Setting, step: float, central: bool) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        weights = network.parameters()

        def at(i: int, h: float) -> float:
            return evaluate(
                network.with_parameters([*weights[:i], weights[i] + h, *weights[i + 1 :]]), batch, setting.loss
            )

        low = -step if central else 0.0
        return reshaped(network, [(at(i, step) - at(i, low)) / (step - low) for i in range(len(weights))])

    return answer


@dataclass
class Alarms:
    """Right implementations: how often they were asked, and what they were accused of."""

    runs: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.runs.values())


def false_alarms(runs: int, random: Random) -> Alarms:
    """The conforming panel along the ladder, in every direction, and with the loss or the direction left open."""
    found, turns = Alarms(), ("gradients", "gradients", "descent", "step", None)
    ways = [
        (machine, way)
        for machine in MACHINES
        if machine.format.name in ("binary64", "binary32")
        for way in (*WAYS, None)
    ]
    for number in count():
        setting = random.choice(settings(random.choice(HIDDEN), random.choice((1, 2, 2, 2, 3, 3, 4))))
        turn, open_loss = turns[number % len(turns)], number % 3 == 2
        for machine, way in random.sample(ways, len(ways) // 2):
            chosen = drawn(random, machine) if way is None else implementation(Way(machine, **way))
            kind = (
                machine.format.name
                + ("" if turn == "gradients" else f", {turn or 'direction open'}")
                + open_loss * ", loss open"
            )
            report = setting.check(
                _turned(chosen, setting, turn),
                format=machine.format.name,
                returns=turn,
                learning_rate=0.5 if turn == "step" else None,
                loss=None if open_loss else setting.loss,
            )
            found.runs[kind] += len(report.cases)
            if not report.conforms:
                found.alarms.append(f"{chosen.name}; {kind}; {setting}: {report.headline}")
            if found.total >= runs:
                return found
    raise AssertionError("it counts on for ever")


def _turned(chosen: Implementation, setting: Setting, turn: str | None) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        gradient = chosen.gradients(network, batch, loss(setting.loss))
        stored = single if chosen.format.name == "binary32" else float
        if turn == "descent":
            gradient = [-x for x in gradient]
        elif turn == "step":
            gradient = [stored(w - stored(0.5 * x)) for w, x in zip(network.parameters(), gradient)]
        return reshaped(network, gradient)

    return answer


# The table.


@dataclass
class Measured:
    """Everything that was measured."""

    singles: list[Seen]
    equivalent: list[Planting]
    conventions: list[Seen]
    pairs: list[Seen]
    triples: list[Seen]
    entries: list[Entries]
    imprecise: list[tuple[str, bool]]
    alarms: Alarms
    fooling: list[tuple[str, str]]  # what short numbers do not show, and the cases that see it
    costs: list[tuple[Case, float]]  # what each case of a check takes, in seconds
    seed: int

    @property
    def good(self) -> bool:
        """Whether everything is caught, what has to be named is, and nothing right is accused."""
        named = [s for s in self.singles if s.named]
        return (
            all(seen.caught for seen in (*self.singles, *self.conventions, *self.pairs, *self.triples))
            and sum(seen.first for seen in named) >= 0.95 * len(named)
            and all(seen.among_three for seen in named)
            and sum(seen.first for seen in self.pairs) >= 0.95 * len(self.pairs)
            and sum(seen.first for seen in self.triples) >= 0.88 * len(self.triples)
            and all(e.anywhere == e.tried and e.hardest == e.settings for e in self.entries if e.required)
            and all(called for _, called in self.imprecise)
            and not self.alarms.alarms
            and sum(bool(by) for _, by in self.fooling) >= 0.9 * len(self.fooling)
        )


@dataclass(frozen=True)
class Extent:
    """How much is measured; every so many single mistakes are named, all are caught.

    one_in: of the single mistakes, of other conventions, and of what short numbers do not show, one in so many.
    """

    every: int = 8
    pairs: int = 200
    triples: int = 100
    sizes: Sequence[float] = SIZES
    draws: int = 8
    sample: Sequence[Setting] = SAMPLE
    steps: Sequence[float] = (1e-3, 1e-5, 1e-7)
    runs: int = 20_000
    hidden: Sequence[str] = HIDDEN
    depths: Sequence[int] = DEPTHS
    one_in: int = 1


QUICK = Extent(8, 4, 2, (1e-4, 1e-11), 1, SAMPLE[:1], (1e-5,), 300, ("sigmoid",), (2,), 7)


def measure(extent: Extent, seed: int) -> Measured:
    """The whole run, the same for the same seed."""
    random = Random(seed)
    planted_ones = list(singles(extent.hidden, extent.depths))
    able = [(planting, setting) for planting, setting in planted_ones if setting is not None]
    return Measured(
        [
            looked_at(*one, named=number % extent.every == seed % extent.every)
            for number, one in enumerate(able[:: extent.one_in])
        ],
        [planting for planting, setting in planted_ones if setting is None],
        [looked_at(*one) for one in list(conventions())[:: extent.one_in]],
        [looked_at(*one) for one in several(2, extent.pairs, random)],
        [looked_at(*one) for one in several(3, extent.triples, random)],
        list(entries(extent.sample, extent.sizes, extent.draws, random)),
        [
            (kind, report.verdict == "imprecise" and any(words in note for note in report.notes))
            for kind, _, report, words in imprecise(extent.sample[:3], extent.steps)
        ],
        false_alarms(extent.runs, random),
        [
            (kind.name, fooling.seen_by(kind))
            for kind in fooling.KINDS[:: 3 * extent.one_in if extent.one_in > 1 else 1]
        ],
        costs(Setting(("sigmoid", "sigmoid"), "mse")),
        seed,
    )


def costs(setting: Setting, times: int = 5) -> list[tuple[Case, float]]:
    """What it takes to ask a right candidate in plain loops for each case, and to judge its answer: medians, in seconds."""
    gradients = implementation(Way(MACHINES[0])).gradients
    asked = setting.candidate(lambda network, batch: reshaped(network, gradients(network, batch, loss(setting.loss))))
    question = Layers(setting.question().declared)  # which remembers no budgets

    def seconds(case: Case) -> float:
        start = time.perf_counter()
        judged(question, [case], [ask(asked, case, question.declared)], "candidate", explained=False)
        return time.perf_counter() - start

    return [(case, median(seconds(case) for _ in range(times))) for case in question.declared.ladder()]


def percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % means all."""
    return f"{math.floor(1000 * part / whole) / 10:g} %" if whole else "–"


def rows(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    written = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in written)


def _line(name: str, caught: Sequence[Seen]) -> list[object]:
    named = [seen for seen in caught if seen.named]
    return [
        name,
        len(caught),
        percent(sum(s.caught for s in caught), len(caught)),
        len(named),
        percent(sum(s.first for s in named), len(named)),
        percent(sum(s.place == 1 for s in named), len(named)),
        percent(sum(s.among_three for s in named), len(named)),
    ]


def document(found: Measured) -> str:
    """docs/power.md."""
    all_seen = [*found.singles, *found.conventions, *found.pairs, *found.triples]
    by_family = [
        _line(family, [s for s in found.singles if s.planting.made[0][0].family == family]) for family in FAMILIES
    ]
    named = [seen for seen in all_seen if seen.named]
    missed = [seen for seen in all_seen if not seen.caught]
    unnamed = [seen for seen in named if not seen.first]
    slow = sorted(seen.seconds for seen in named)
    kinds = Counter(kind for kind, _ in found.imprecise)
    called = Counter(kind for kind, good in found.imprecise if good)
    seen = sum(bool(by) for _, by in found.fooling)
    harmless = Counter(str(planting) for planting in found.equivalent)
    parts = [
        "# Power, measured",
        "A checker is as good as what it catches. Mistakes of the catalogue ([mistakes.md](mistakes.md)) are planted in "
        "right code, which `purebp.oracle.check` then sees as it sees any candidate. This page is written by "
        f"`make power` (seed {found.seed}); `python -m studies.power --help` tells more.",
        "*Caught*: the verdict is not that it conforms. *Named*: the first explanation is what was planted, or another "
        "that gives the same answers, inside its budgets, on the built-in cases and on random networks that `check` does "
        "not know; *word for word*: it is what was planted. Whether something planted is a mistake at all is decided on "
        "such random networks too.",
        "## Mistakes, one by one",
        f"Every mistake at depths {found_depths(found.singles)}, with every activation in the hidden layers, in every layer in "
        f"turn where it can be made. Of these, a share is also diagnosed.",
        rows(HEADS, [*by_family, _line("**together**", found.singles)]),
        "Where a mistake changes nothing, there is nothing to catch: "
        + ("; ".join(f"{name} ({n})" for name, n in sorted(harmless.items())) or "nowhere")
        + ". These are architectures in which both ways to compute are right.",
        "## Conventions, pairs and triples",
        "Right gradients with another sign, another factor or of another loss than declared; and two or three mistakes "
        "at once, drawn at random.",
        rows(
            HEADS,
            [
                _line("conventions", found.conventions),
                _line("pairs", found.pairs),
                _line("triples", found.triples),
            ],
        ),
        "Not caught: " + ("none." if not missed else ""),
        "\n".join(f"- {seen.planting} ({seen.setting})" for seen in missed),
        "Not named: " + ("none." if not unnamed else ""),
        "\n".join(f"- {seen.planting} ({seen.setting}): {_said(seen)}" for seen in unnamed),
        f"A check with its diagnosis took {slow[len(slow) // 2]:.1f} s in the middle and {slow[-1]:.1f} s at most, budgets "
        "not counted.",
        "## Single entries",
        f"One entry of the gradient is changed by a relative size, in networks of up to {LARGEST} parameters. Caught by "
        "`check` if a random entry is off in every case, if the entry with the widest budget is; and on one case alone, "
        "of all entries that are not 0.",
        rows(
            ["format", "size", "a random entry", "the hardest entry", "on one case alone"],
            [
                [
                    e.format,
                    f"1e{round(math.log10(e.size))}",
                    percent(e.anywhere, e.tried),
                    percent(e.hardest, e.settings),
                    percent(e.alone, e.single),
                ]
                for e in found.entries
            ],
        ),
        "## Imprecise",
        "What is computed in float32, or from differences of the loss, is called so by name where the loss is declared.",
        rows(["what is inside", "checks", "called so"], [[k, n, percent(called[k], n)] for k, n in kinds.items()]),
        "## What short, small and few numbers do not show",
        f"Right code in loops with one thing changed that is wrong for long, large, many or whole numbers: {seen} of "
        f"{len(found.fooling)} are seen. *Short numbers*: by one of the simple cases. What is not seen lies inside the budgets, "
        "or shows after more calls than a check makes.",
        rows(["what is wrong", "seen by"], [[name, by or "**not seen**"] for name, by in found.fooling]),
        "## What each case costs",
        "To ask a right candidate in plain loops, sigmoids and the mean squared error, and to judge its answer.",
        rows(
            ["case", "widths", "samples", "share of the time of all"],
            [
                [
                    case.name,
                    "-".join(map(str, case.sizes)),
                    case.samples,
                    f"{seconds / sum(s for _, s in found.costs):.1%}",
                ]
                for case, seconds in found.costs
            ],
        ),
        f"All together: {1000 * sum(seconds for _, seconds in found.costs):.0f} ms.",
        "## False alarms",
        f"Right implementations were asked {found.alarms.total:,} times (an implementation and a case each), in plain "
        "loops with naive, stable and tanh-based formulas, sums in any order, and 1/n anywhere. Among them is what is "
        "often accused: a (1 − a) on outputs, ŷ − y without f′ under cross-entropy, and the error y − ŷ whose gradient is "
        f"added. False alarms: {len(found.alarms.alarms) or 'none'}.",
        rows(
            ["format, and what is returned or left open", "asked"],
            [[k, f"{n:,}"] for k, n in sorted(found.alarms.runs.items())],
        ),
        "\n".join(f"- {alarm}" for alarm in found.alarms.alarms),
        "## Budgets under attack",
        "Random networks of any scale, with saturated neurons and exact kinks, are given to right implementations on machines "
        "that round as badly as their format allows: `make campaign-long` tries to find one outside its error budget.",
        f"```text\n{(DOCS / 'campaign.txt').read_text('utf-8').strip()}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


HEADS = ("", "planted", "caught", "diagnosed", "named", "word for word", "among the first three")


def found_depths(seen: Sequence[Seen]) -> str:
    return ", ".join(map(str, sorted({len(one.setting.names) for one in seen})))


def _said(seen: Seen) -> str:
    return f"“{seen.report.explanations[0].name}”" if seen.report.explanations else "localised only"


def catalogue() -> str:
    """docs/mistakes.md."""
    parts = [
        "# Mistakes",
        "What `purebp check` looks for when numbers are wrong. *Seen*: in how many of 125 collected reports of hand-written "
        "backpropagation that went wrong a mistake of its kind was found (several entries can be of one kind); 0 means "
        "that it stands here because it is easy to make. "
        "The symbols are those of [lesson.md](lesson.md). This page is written by `python -m studies.power --mistakes --write`.",
    ]
    for family in FAMILIES:
        lines = [
            [m.name, plain_sentence(m.sentence), m.line, seen(m)] for m in CATALOGUE.values() if m.family == family
        ]
        parts += [
            f"## {family.capitalize()}",
            rows(["mistake", "what is wrong, and what to do", "line", "seen"], lines),
        ]
    parts += [
        "Also recognised: gradients with the wrong sign or with a factor such as 2, ½, 1/n or 1/m, all of them or those of "
        "single layers; the gradient of another loss; a penalty λ W; an update after every sample; gradients that are clipped, normalised or divided by their size, with the bound; a temperature, or another factor on z before the activation; gradients that are not "
        "reset between calls; and several of all these at once.",
        "## What has no name",
        "Each line of the recurrence is held by itself, with the candidate's own numbers in it (of one sample, ∂loss/∂b is "
        "δ, and ∂loss/∂W is δ ⊗ a). What stands in a line that fails is looked for among the mistakes above, then among "
        "products of what is in reach there, times any constant, and more added; then among expressions of up to six "
        "operands. Learning rates, slopes and constants are solved for. [beyond.md](beyond.md) has what comes of it.",
        rows(
            ["in the place of", "may stand"],
            [[right, ", ".join(what).replace("|", "\\|")] for right, what in in_reach().items()],
        ),
        "## What is right although it is often accused",
        "- **a (1 − a) as the derivative at a sigmoid output**, with a = σ(z): it is σ′(z).",
        "- **ŷ − y without f′** under cross-entropy after softmax, or binary cross-entropy after sigmoid: f′ cancels "
        "against the derivative of the loss.",
        "- **y − ŷ and then +=**: the two minus signs cancel.",
    ]
    return "\n\n".join(parts) + "\n"


def in_reach() -> dict[str, list[str]]:
    """What expressions are made of."""
    return {
        "∂loss/∂ŷ": list(grammar.ERRORS),
        "δ, of what is passed down": list(grammar.SENT),
        "W, of what is passed down": list(grammar.MATRICES),
        "f′(z)": [
            "1; f′, f, the slope of another activation, a mask, or a short polynomial, each of "
            + ", ".join(grammar.POINTS)
        ],
        "δ, of ∂loss/∂W": list(grammar.LEFT),
        "a of the layer below": list(grammar.RIGHT),
        "∂loss/∂W": list(grammar.WEIGHTS),
        "δ, of ∂loss/∂b": list(grammar.SUMMED),
    }


def plain_sentence(sentence: str) -> str:
    """The sentence without its place."""
    return sentence.replace(" {where}", "").replace("{where} ", "").replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.power", description=str(__doc__).splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write docs/power.md, or docs/mistakes.md")
    parser.add_argument("--quick", action="store_true", help="a small sample")
    parser.add_argument("--all", action="store_true", help="diagnose every single mistake, and 1000 pairs")
    parser.add_argument("--mistakes", action="store_true", help="the catalogue as a page")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    if given.mistakes:
        text, path, good = catalogue(), DOCS / "mistakes.md", True
    else:
        extent = QUICK if given.quick else replace(Extent(), every=1, pairs=1000) if given.all else Extent()
        found = measure(extent, given.seed)
        text, path, good = document(found), DOCS / "power.md", found.good
    print(text)
    if given.write:
        path.write_text(text, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
