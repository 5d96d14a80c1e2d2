"""How much the oracle sees: mistakes planted in right code, and how many `check` catches and names (`make power`).

    python -m tests.power --write           measure, and write docs/power.md
    python -m tests.power --mistakes        the catalogue as a page; with --write, docs/mistakes.md
    python -m tests.power --quick --seed 3  a small sample

Whether something planted is a mistake, and whether two explanations say the same, is decided on random networks
that the ladder of `check` does not hold.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from purebp import FLOAT, Batch, Layer, Network, backpropagation, evaluate, loss
from purebp.arithmetic import Matrix, PurebpError
from purebp.network import Gradients, LayerGradients
from purebp.number_systems.ball import Ball, ball
from purebp.oracle.cases import Case, ladder
from purebp.oracle.check import check
from purebp.oracle.conventions import Factor
from purebp.oracle.diagnosis import Diagnosis, Made, Observation, explanations
from purebp.oracle.judge import as_claim, enclosures, share
from purebp.oracle.mistakes import CATALOGUE, Recipe, planted, run
from purebp.oracle.report import Report
from tests.conforming import MACHINES, WAYS, Implementation, drawn, implementation, single
from tests.conforming import Recipe as Way

DOCS = Path(__file__).resolve().parent.parent / "docs"
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "softplus", "elu(1.0)", "silu", "gelu", "identity")
DEPTHS = (2, 3, 4)
FAMILIES = ("activation derivative", "biases", "operands", "order and state", "loss and scale")

Answer = Callable[[Network, Batch], Gradients]
Candidate = Callable[[Matrix, Matrix, Matrix, Matrix], tuple[list[Any], list[Any]]]


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

    def check(self, answer: Answer, **declared: Any) -> Report:
        given: dict[str, Any] = {"activations": self.names, "loss": self.loss, "returns": "gradients", **declared}
        return check(self.candidate(answer), **given)

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
def fresh(setting: Setting, count: int = 6) -> tuple[Case, ...]:
    """Random networks and batches of the setting, with square layers and others, in numbers that are not short."""
    random, cases = Random(f"fresh {setting}"), []
    while len(cases) < count:
        sizes = [random.randint(1, 4) for _ in range(len(setting.names) + 1)]
        if len(cases) % 3 == 0:
            sizes = [sizes[0] + 1] * len(sizes)
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
        return names | ({f"factor {size}"} if size != Factor() else set()) | ({"gradient of another loss"} if self.other else set())

    def answer(self, setting: Setting) -> Answer:
        recipe = Recipe()
        for mistake, layers in self.made:
            recipe = planted(mistake, layers, recipe)

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

    def __str__(self) -> str:
        return " and ".join(sorted(self.changes))


def reshaped(network: Network, entries: Sequence[float]) -> Gradients:
    """Entries in the order of `Network.parameters()`, as gradients."""
    layers = network.with_parameters(entries).layers
    return Gradients(tuple(LayerGradients(layer.weights, layer.biases, ()) for layer in layers))


def same(found: Diagnosis, planting: Planting, setting: Setting) -> bool:
    """Whether the explanation also holds, inside its budgets, on random networks that were not asked about."""
    answer = planting.answer(setting)
    seen = ladder(setting.names, loss=setting.loss)
    observations = [
        Observation(case.network, case.batch, as_claim(answer(case.network, case.batch)))
        for case in (*seen, *fresh(setting))
    ]
    return any(found.name == other.name for other in explanations(observations, setting.loss))


@dataclass
class Seen:
    """What `check` said of one planting."""

    planting: Planting
    setting: Setting
    report: Report
    seconds: float
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


def looked_at(planting: Planting, setting: Setting) -> Seen:
    start = time.perf_counter()
    report = setting.check(planting.answer(setting))
    seen = Seen(planting, setting, report, time.perf_counter() - start)
    names = [set(found.changes) for found in report.explanations]
    seen.place = names.index(planting.changes) + 1 if planting.changes in names else 0
    if seen.place != 1 and names:
        seen.equal = same(report.explanations[0], planting, setting)
    return seen


@contextmanager
def budgets_once() -> Iterator[None]:
    """Cases and their budgets, the same for every candidate, are computed once."""
    module = import_module("purebp.oracle.check")
    with patch.object(module, "_budgets", cache(module._budgets)), patch.object(module, "ladder", cache(ladder)):
        yield


# What is planted.


def singles(hidden: Sequence[str] = HIDDEN, depths: Sequence[int] = DEPTHS) -> Iterator[tuple[Planting, Setting | None]]:
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


def pairs(wanted: int, random: Random) -> Iterator[tuple[Planting, Setting]]:
    """Two mistakes drawn at random, each of which changes something, and changes what the other leaves."""
    while wanted:
        setting = random.choice(settings(random.choice(HIDDEN), random.choice(DEPTHS[:2])))
        made = []
        for mistake in random.sample(list(CATALOGUE.values()), 2):
            made.append((mistake, random.choice(list(mistake.layers(len(setting.names))) or [frozenset[int]()])))
        (a, at), (b, there) = made
        if a.step == b.step and (at & there or not at):
            continue
        both = Planting(tuple(made))
        if all(Planting((one,)).changes_something(setting) for one in made) and not any(
            agree(both, Planting(one), setting) for one in ((), *((m,) for m in made))
        ):
            wanted -= 1
            yield both, setting


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
    *(Planting(factor=Factor(Fraction(c), i, j)) for c, i, j in ((2, 0, 0), ("1/2", 0, 0), (1, 1, 0), (1, -1, 0), (1, 0, -1), (2, -1, 0), (-2, 0, 0))),
    Planting(other="mae"),
    Planting(other="binary_cross_entropy"),
)  # fmt: skip


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
    tried: int = 0
    anywhere: int = 0  # by `check`, an entry drawn at random on every case
    hardest: int = 0  # by `check`, on every case the entry whose budget is the widest
    single: int = 0  # entries of single cases
    alone: int = 0  # and how many of them on that case alone


def entries(sample: Sequence[Setting], sizes: Sequence[float], draws: int, random: Random) -> Iterator[Entries]:
    """One entry of the gradient changed, and nothing else, in networks of up to 100 parameters."""
    ways = {"binary64": Way(MACHINES[0]), "binary32": Way(MACHINES[2])}
    module = import_module("purebp.oracle.check")
    for format, way in ways.items():
        for size in sizes:
            found = Entries(format, size)
            for setting in sample:
                places = [random.random() for _ in range(draws)]
                for place in (*places, None):
                    with patch.object(module, "explanations", lambda *given, **options: []):  # the verdict is asked for
                        report = setting.check(_changed(way, setting, size, place, format), format=format)
                    found.tried += place is not None
                    found.anywhere += place is not None and not report.conforms
                    found.hardest += place is None and not report.conforms
                for case in ladder(setting.names, loss=setting.loss):
                    if len(case.network.parameters()) > LARGEST:
                        continue
                    given, budgets = _judged(case, setting, way, format)
                    off = [(x * (1 + size), b) for x, b in zip(given, budgets) if x]
                    found.single += len(off)
                    found.alone += sum(share(x, b) > 1 for x, b in off)
            yield found


@cache
def _judged(case: Case, setting: Setting, way: Way, format: str) -> tuple[list[float], list[Ball]]:
    chosen = loss(setting.loss)
    budgets = backpropagation(case.network, case.batch, chosen, ball(format)).parameters()
    return way(case.network, case.batch, chosen), budgets


def _changed(way: Way, setting: Setting, size: float, place: float | None, format: str) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        given, budgets = _judged(Case("", network, batch), setting, way, format)
        given = list(given)
        if len(given) <= LARGEST:
            able = [i for i, x in enumerate(given) if x]
            widest = max(able, key=lambda i: budgets[i].radius / abs(given[i]))
            given[widest if place is None else able[int(place * len(able))]] *= 1 + size
        return reshaped(network, given)

    return answer


# Imprecise, and right.


def imprecise(sample: Sequence[Setting], steps: Sequence[float]) -> Iterator[tuple[str, Setting, Report, str]]:
    """What is computed in binary32, or from differences of the loss, and the words that should say so."""
    for setting in sample:
        for machine in MACHINES:
            if machine.format.name == "binary32":
                for way in WAYS[:: 1 if len(sample) > 2 else 3]:
                    yield f"float32 inside: {machine.name}", setting, setting.check(_by(Way(machine, **way), setting)), "binary32"
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
            return evaluate(network.with_parameters([*weights[:i], weights[i] + h, *weights[i + 1 :]]), batch, setting.loss)

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
    ways = [(machine, way) for machine in MACHINES if machine.format.name in ("binary64", "binary32") for way in (*WAYS, None)]
    for number in count():
        setting = random.choice(settings(random.choice(HIDDEN), random.choice((1, 2, 2, 2, 3, 3, 4))))
        turn, open_loss = turns[number % len(turns)], number % 3 == 2
        for machine, way in random.sample(ways, len(ways) // 2):
            chosen = drawn(random, machine) if way is None else implementation(Way(machine, **way))
            kind = machine.format.name + ("" if turn == "gradients" else f", {turn or 'direction open'}") + open_loss * ", loss open"
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
