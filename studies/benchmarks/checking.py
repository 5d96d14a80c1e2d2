"""Checkers side by side: what each catches, whom it accuses, how long it takes (part of `make bench`).

The mistakes are those of the catalogue, each planted in the first architecture in which it changes something. Every
checker is given the right loss, also where the mistake is in the forward pass, which is a favour: given the loss as
the candidate computes it, it would see nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from math import inf
from random import Random
from statistics import median
from typing import Any
from warnings import catch_warnings, simplefilter

from purebp import Batch, Layer, Network, evaluate, forward, loss
from purebp.number_systems.formats import BINARY64
from purebp.oracle import check, judge
from purebp.oracle.asking.candidate import ask
from purebp.oracle.cases import Case, ladder
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report
from purebp.textbook.names import superscript
from purebp.textbook.network import Gradients
from studies.benchmarks.checkers import (
    CHECKERS,
    Checker,
    Gradient,
    Loss,
    Vector,
    autograd_candidate,
    jax_candidate,
    torch_candidate,
)
from studies.benchmarks.implementations import numpy_functions, numpy_gradients
from studies.benchmarks.measuring import ROOT, Table, medians, ours, progress, random_problem
from studies.benchmarks.page import CASE, LADDER
from studies.conforming import MACHINES, WAYS, implementation, single
from studies.conforming import Recipe as Way
from studies.power import Answer, Setting, place, reshaped

Distances = dict[str, list[float]]  # by checker, one for each of its seeds; purebp's is 0 or infinite
FIRST = "purebp"
LIMITS = {FIRST: (1.0,)} | {name: checker.limits for name, checker in CHECKERS.items()}


# What is caught, and who is accused.


@dataclass(frozen=True, slots=True)
class Asked:
    """A case, and a candidate that answers for it."""

    case: Case
    setting: Setting
    answer: Answer
    dtype: str = "float64"

    def functions(self) -> tuple[Loss, Gradient, Vector]:
        """What the other checkers are given."""
        np = import_module("numpy")

        def at(x: Vector) -> Network:
            return self.case.network.with_parameters(x.tolist())

        return (
            lambda x: np.asarray(evaluate(at(x), self.case.batch, self.setting.loss), self.dtype),
            lambda x: np.asarray(self.answer(at(x), self.case.batch).parameters(), self.dtype),
            np.array(self.case.network.parameters(), self.dtype),
        )

    def report(self) -> Report:
        """What purebp says."""
        format = {"float64": "binary64", "float32": "binary32"}[self.dtype]
        question = self.setting.question(format=format)
        said = ask(self.setting.candidate(self.answer), self.case, question.declared)
        return judged(question, [self.case], [said], "candidate", explained=False)

    def distances(self) -> Distances:
        report = self.report()
        found = {FIRST: [0.0 if report.conforms or report.verdict == "undecided" else inf]}
        functions = self.functions()
        with catch_warnings():
            simplefilter("ignore")  # of overflow, and of single precision
            return found | {
                name: [distance(*functions) for distance in checker.distances] for name, checker in CHECKERS.items()
            }


def typical(setting: Setting) -> Case:
    """What somebody would try: a random network that is not square, and four random samples."""
    random = Random(0)
    sizes = [3, *[4, 3, 4][: len(setting.names) - 1], 2]
    network = Network.random(sizes, list(setting.names))
    network = network.with_parameters([w or random.gauss(0, 0.5) for w in network.parameters()])
    inputs = [[random.gauss(0, 1) for _ in range(sizes[0])] for _ in range(4)]
    return Case("typical", network, Batch(inputs, [[float(j == i % 2) for j in range(2)] for i in range(4)]))


RIGHT = [implementation(Way(machine, **way)) for machine in MACHINES if machine.format is BINARY64 for way in WAYS]


def right(setting: Setting, number: int = 0) -> Answer:
    """One of the implementations in plain loops that are none of purebp's; they take turns over the cases."""
    gradients = RIGHT[number % len(RIGHT)].gradients
    return lambda network, batch: reshaped(network, gradients(network, batch, loss(setting.loss)))


@dataclass(frozen=True, slots=True)
class Score:
    """Of one checker at one limit."""

    limit: float
    accused: int  # right candidates, each on a case of the ladder
    missed_on_one: list[str]  # mistakes, on the typical case
    missed_on_all: list[str]  # mistakes, on the typical case and the ladder


@dataclass(frozen=True, slots=True)
class Scores:
    """Of all checkers, and out of how many."""

    of: dict[str, Score]
    mistakes: int
    candidates: int


def scores() -> Scores:
    """The best score of each checker.

    A mistake is caught on a case on which the checker rejects it, and accepts what is right. Where directions are
    drawn, the first seed counts. Of the ladder it is asked for the simple cases: differences take long for wide ones.
    """
    planted = {name: place(mistake) for name, mistake in CATALOGUE.items()}
    simple = {s: [case for case in ladder(s.names, loss=s.loss) if not case.further] for _, s in planted.values()}
    cases = {s: [typical(s), *found] for s, found in simple.items()}
    of_wrong: dict[str, list[Distances]] = {}
    of_right = {s: [Asked(case, s, right(s, i)).distances() for i, case in enumerate(cases[s])] for s in cases}
    for number, (name, (planting, s)) in enumerate(planted.items(), start=1):
        progress(f"mistake {number} of {len(planted)}: {name}")
        of_wrong[name] = [Asked(case, s, planting.answer(s)).distances() for case in cases[s]]

    def score(checker: str, limit: float) -> Score:
        def accepts(found: Distances) -> bool:
            return found[checker][0] <= limit

        caught = {
            name: [accepts(r) and not accepts(w) for r, w in zip(of_right[planted[name][1]], of_wrong[name])]
            for name in planted
        }
        return Score(
            limit,
            sum(not accepts(found) for _, *ladder in of_right.values() for found in ladder),
            [name for name, (first, *_) in caught.items() if not first],
            [name for name, on in caught.items() if not any(on)],
        )

    of = {checker: best(score(checker, limit) for limit in limits) for checker, limits in LIMITS.items()}
    return Scores(of, len(planted), sum(len(found) - 1 for found in of_right.values()))


def best(scores: Iterable[Score]) -> Score:
    """The one with the fewest missed, on all cases, or accused; of several, the one with the strictest limit.

    >>> best([Score(1e-2, 0, [], ["a"]), Score(1e-4, 0, [], []), Score(1e-6, 0, [], []), Score(1e-8, 3, [], [])]).limit
    1e-06
    """
    return min(scores, key=lambda score: (len(score.missed_on_all) + score.accused, score.limit))


def caught(scores: Scores) -> dict[str, dict[str, str]]:
    return {
        name: {
            "limit": f"{score.limit:g}" if len(LIMITS[name]) > 1 else "its own",
            "caught on one case": f"{scores.mistakes - len(score.missed_on_one)} of {scores.mistakes}",
            "caught on all cases": f"{scores.mistakes - len(score.missed_on_all)} of {scores.mistakes}",
            "right ones accused": f"{score.accused} of {scores.candidates}",
        }
        for name, score in scores.of.items()
    }


def single_entries(scores: Scores) -> dict[str, dict[str, str]]:
    """Of how many entries each checker sees that one alone is off by a relative size: the median over its seeds."""
    setting = Setting(("sigmoid", "sigmoid"), "mse")
    case = typical(setting)
    count = len(case.network.parameters())
    table: dict[str, dict[str, str]] = {name: {} for name in scores.of}
    for digits in (1, 2, 4, 6, 9, 12):
        progress(f"single entries, digit {digits}")
        found = [Asked(case, setting, _off(setting, i, 10.0**-digits)).distances() for i in range(count)]
        for name, score in scores.of.items():
            by_seed = zip(*(distances[name] for distances in found))
            seen = median(sum(not distance <= score.limit for distance in distances) for distances in by_seed)
            table[name][f"off by 10⁻{superscript(digits)}"] = f"{seen} of {count}"
    return table


def _off(setting: Setting, place: int, size: float) -> Answer:
    def answer(network: Network, batch: Batch) -> Gradients:
        entries = right(setting)(network, batch).parameters()
        entries[place] *= 1 + size
        return reshaped(network, entries)

    return answer


def by_hand(dtype: str) -> Answer:
    """Sigmoids and the mean squared error in NumPy, with σ′ = a (1 − a)."""

    def answer(network: Network, batch: Batch) -> Gradients:
        layers = [(layer.weights, layer.biases) for layer in network.layers]
        _, gradient, parameters = numpy_functions(layers, batch.inputs, batch.targets, dtype)
        return reshaped(network, gradient(parameters).tolist())

    return answer


def twice(answer: Answer) -> Answer:
    return lambda network, batch: reshaped(network, [2 * x for x in answer(network, batch).parameters()])


def extremes() -> Iterator[tuple[str, Asked]]:
    """Right candidates where numbers are very large or very small, or lie at a kink."""
    sigmoids, rectified = Setting(("sigmoid", "sigmoid"), "mse"), Setting(("relu", "identity"), "mse")
    plain = typical(sigmoids)

    def scaled(setting: Setting, hidden: float, output: float) -> Case:
        layers = [
            Layer([[scale * w for w in row] for row in layer.weights], layer.biases, f)
            for layer, scale, f in zip(plain.network.layers, (hidden, output), setting.names)
        ]
        return Case("", Network(layers), plain.batch)

    kink = Network([Layer([[1.0, -0.5], [0.5, 0.75]], [0.0, 0.25], "relu"), Layer([[1.0, -1.5]], [0.5], "identity")])
    at_kink = Case("", kink, Batch([[0.5, 1.0], [1.0, 0.5]], [[1.0], [0.0]]))
    short = Network(
        Layer(list(map(_single, layer.weights)), _single(layer.biases or ()), "sigmoid")
        for layer in plain.network.layers
    )
    in_short = Case("", short, Batch(list(map(_single, plain.batch.inputs)), plain.batch.targets))
    yield "float32", Asked(in_short, sigmoids, by_hand("float32"), "float32")
    yield "ReLU exactly at 0", Asked(at_kink, rectified, right(rectified))
    yield "saturated sigmoids", Asked(scaled(sigmoids, 100, 1), sigmoids, by_hand("float64"))
    yield "weights of 1e6", Asked(scaled(rectified, 1e6, 1e6), rectified, right(rectified))
    outputs = forward(plain.network, plain.batch.inputs).outputs
    nearly_learnt = Batch(plain.batch.inputs, [[x + 1e-9 for x in row] for row in outputs])
    yield "gradients of 1e-9", Asked(Case("", plain.network, nearly_learnt), sigmoids, right(sigmoids))


def _single(row: Sequence[float]) -> list[float]:
    return [single(x) for x in row]


def at_extremes(scores: Scores) -> dict[str, dict[str, str]]:
    """What each checker says of right gradients, and of twice these; where its seeds disagree, how many say so.

    Of purebp also: of how many entries it says that their budgets decide nothing.
    """
    table: dict[str, dict[str, str]] = {name: {} for name in scores.of}
    for what, asked in extremes():
        of_right, of_wrong = asked.distances(), replace(asked, answer=twice(asked.answer)).distances()
        for name, score in scores.of.items():
            said = {
                "accuses": [not distance <= score.limit for distance in of_right[name]],
                "misses": [distance <= score.limit for distance in of_wrong[name]],
            }
            words = [
                word if all(seeds) else f"{word}, {sum(seeds)} of {len(seeds)}"
                for word, seeds in said.items()
                if any(seeds)
            ]
            table[name][what] = "; ".join(words) or "right"
        tensors = asked.report().tensors
        if open := sum(tensor.open for tensor in tensors):
            table[FIRST][what] += f", {open} of {sum(tensor.entries for tensor in tensors)} entries undecided"
    return table


# How long it takes.


def from_cold() -> dict[str, float]:
    """Seconds of a fresh process that imports what it needs, and gives a verdict on a right candidate in NumPy."""
    program = """
from studies.benchmarks.checkers import CHECKERS
from studies.benchmarks.implementations import numpy_functions
right = numpy_functions([([[0.5, -0.25], [1.0, 0.75], [-0.5, 1.5]], [0.1, 0.2, -0.3]), ([[1.0, -1.5, 0.5]], [0.25])],
                        [[0.5, 1.0], [-1.0, 0.25]], [[1.0], [0.0]])
assert CHECKERS[{name!r}].distances[0](*right) <= max(CHECKERS[{name!r}].limits)
"""

    def starting(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)

    works = {"purebp check": starting("-m", "purebp", "check", "docs/examples/numpy_rows.py")}
    return medians(works | {name: starting("-c", program.format(name=name)) for name in CHECKERS}, fewest=5)


SIZES = ("2-3-1", "4-8-3", "16-16-2", "64-32-10", "784-32-10")
SAMPLES = 8
LARGEST = {"numdifftools Gradient": 400}  # parameters; with more it takes minutes


def growth() -> Table:
    """Seconds from a warm start to the verdict on a right candidate in NumPy."""
    table: Table = {}
    for name in SIZES:
        sizes = [int(n) for n in name.split("-")]
        problem = random_problem(sizes, SAMPLES)
        (network, batch), functions = ours(problem), numpy_functions(*problem)
        np = import_module("numpy")
        given = [
            [np.array(w) for w, _ in problem[0]],
            [np.array(b) for _, b in problem[0]],
            *map(np.array, problem[1:]),
        ]
        count = len(network.parameters())
        declared: dict[str, Any] = {
            "activations": ["sigmoid", "sigmoid"],
            "loss": "mse",
            "sizes": sizes,
            "arrays": "numpy",
        }
        works: dict[str, Callable[[], object]] = {
            CASE: lambda: _conforms(judge(network, batch, candidate(*given), "mse")),
            LADDER: lambda: _conforms(check(candidate, **declared)),
        }
        for other, checker in CHECKERS.items():
            if count <= LARGEST.get(other, count):
                works[other] = _asking(checker, functions)
        table[f"{name}, {count:,} parameters"] = medians(works, seconds=2, fewest=5)
    return table


def candidate(weights: list[Any], biases: list[Any], inputs: Any, targets: Any) -> tuple[list[Any], list[Any]]:
    """In NumPy, as `check` calls it."""
    pairs = numpy_gradients(import_module("numpy"), weights, biases, inputs, targets)
    return [w for w, _ in pairs], [b for _, b in pairs]


def _conforms(report: Report) -> None:
    assert report.conforms, report


def _asking(checker: Checker, functions: tuple[Loss, Gradient, Vector]) -> Callable[[], object]:
    return lambda: checker.distances[0](*functions)


def wrapped() -> Table:
    """Seconds for the loss of the smallest network in NumPy, called by itself and as each library wants it wrapped."""
    cost, gradient, x = numpy_functions(*random_problem([int(n) for n in SIZES[0].split("-")], SAMPLES))
    jax, torch = import_module("jax"), import_module("torch")
    jax.config.update("jax_enable_x64", True)
    by_torch, by_jax = torch_candidate(cost, gradient), jax_candidate(cost, gradient, x)
    by_autograd, tensor, array = autograd_candidate(cost, gradient), torch.tensor(x), jax.numpy.asarray(x)
    works: dict[str, Callable[[], object]] = {
        "by itself": lambda: cost(x),
        "torch.autograd.Function": lambda: by_torch(tensor),
        "jax.pure_callback": lambda: jax.block_until_ready(by_jax(array)),
        "autograd primitive": lambda: by_autograd(x),
    }
    return {f"loss of {SIZES[0]}, {SAMPLES} samples": medians(works)}
