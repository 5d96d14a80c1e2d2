"""What code gets wrong that short, small and few numbers do not show: planted, and which built-in case sees it.

    python -m studies.fooling     the table alone; `make power` puts it on docs/power.md

Each kind is right code in plain loops with one thing changed: how it reads numbers, how far its loops go, what it does
to targets, large numbers, integers, or what it keeps from call to call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

from purebp.number_systems.formats import BFLOAT16, BINARY16, BINARY32, Format, rounds_to
from purebp.oracle import Report, check
from purebp.oracle.cases import RUNGS, ladder
from purebp.textbook.activations import Elementwise, activation
from purebp.textbook.losses import loss
from studies.conforming import rounding

SEED = 7  # of the cases, any but 0
Rows = list[list[float]]
Change = Callable[[float], float]
Pair = tuple[list[Any], list[Any]]


def same(x: float) -> float:
    return x


def dot(x: Sequence[float], y: Sequence[float]) -> float:
    return sum(map(float.__mul__, map(float, x), map(float, y)))


@dataclass(frozen=True)
class Code:
    """Backpropagation in loops, step by step; each step may be another one."""

    parameter: Change = same
    input: Change = same
    target: Change = same
    z: Change = same
    a: Change = same
    output: Change = same
    error: Change = same
    delta: Change = same
    gradient: Change = same
    inner: Callable[[Sequence[float], Sequence[float]], float] = dot
    over_samples: Callable[[Sequence[float], Sequence[float]], float] = dot
    samples: Callable[[list[Any]], list[Any]] = list
    layers: Callable[[int], bool] = lambda depth: True

    def __call__(self, names: Sequence[str], loss_name: str, *given: Any) -> Pair:
        weights, biases, inputs, targets = given
        functions = [activation(name) for name in names] * (len(weights) // len(names))
        w = [[[self.parameter(x) for x in row] for row in rows] for rows in weights]
        b = [[self.parameter(x) for x in row] for row in biases]
        pairs = self.samples([(list(map(self.input, x)), list(map(self.target, y))) for x, y in zip(inputs, targets)])
        a, zs = [[x for x, _ in pairs]], []
        for rows, offsets, f in zip(w, b, functions):
            assert isinstance(f, Elementwise)
            zs.append([[self.z(self.inner(x, row) + c) for row, c in zip(rows, offsets)] for x in a[-1]])
            a.append([[self.a(f.value(z)) for z in row] for row in zs[-1]])
        outputs = [[self.output(p) for p in row] for row in a[-1]]
        errors = loss(loss_name).derivative(outputs, [y for _, y in pairs])
        error = [[self.error(e) for e in row] for row in errors]
        found: list[tuple[Rows, list[float]]] = []
        for l in reversed(range(len(w))):
            slope = functions[l].derivative  # type: ignore[attr-defined]  # of an Elementwise
            deltas = [[self.delta(e * slope(z)) for e, z in zip(*rows)] for rows in zip(error, zs[l])]
            columns = list(zip(*deltas))
            below = list(zip(*a[l]))
            rows = [[self.gradient(self.over_samples(d, x)) for x in below] for d in columns]
            found.append((rows, [self.gradient(self.over_samples(d, [1.0] * len(d))) for d in columns]))
            error = [[self.inner(d, column) for column in zip(*w[l])] for d in deltas]
        if not self.layers(len(w)):
            found[-1] = ([[0.0] * len(row) for row in found[-1][0]], [0.0] * len(found[-1][1]))
        return [rows for rows, _ in reversed(found)], [offsets for _, offsets in reversed(found)]


Candidate = Callable[..., Pair]


@dataclass(frozen=True)
class Kind:
    """One thing that is wrong: in which architecture, and how; `wrapped` changes the whole candidate."""

    name: str
    code: Code = Code()
    names: str | tuple[str, ...] = ("tanh", "identity")
    loss: str = "half_sse"
    wrapped: Callable[[Candidate], Candidate] = field(default=lambda candidate: candidate)

    def candidate(self) -> Candidate:
        names = (self.names,) if isinstance(self.names, str) else self.names
        return self.wrapped(partial(self.code, names, self.loss))

    def report(self) -> Report:
        candidate = self.candidate()
        return check(
            lambda *given: candidate(*given), activations=self.names, loss=self.loss, returns="gradients", seed=7
        )


def cut(bits: int) -> Change:
    """Towards 0, to so many bits."""
    return rounding(Format("cut", bits, -1022, 1023, bits), whole=int)


def to(format: Format) -> Change:
    return lambda x: rounds_to(x, format)


def decimals(digits: int) -> Change:
    return lambda x: round(x, digits)


def steps(parts: int) -> Change:
    return lambda x: round(x * parts) / parts


def clip(largest: float, smallest: float | None = None) -> Change:
    return lambda x: max(-largest if smallest is None else smallest, min(largest, x))


def in_blocks(width: int) -> Callable[[Sequence[float], Sequence[float]], float]:
    """Unrolled, and what is left over is left out."""

    def product(x: Sequence[float], y: Sequence[float]) -> float:
        whole = len(x) // width * width if len(x) >= width else len(x)
        return dot(x[:whole], y[:whole])

    return product


def at_most(width: int) -> Callable[[Sequence[float], Sequence[float]], float]:
    return lambda x, y: dot(x[:width], y[:width])


def once(pairs: list[Any]) -> list[Any]:
    """Each sample once, as from a dictionary."""
    return list({repr(pair): pair for pair in pairs}.values())


def everywhere(change: Change) -> Code:
    return Code(parameter=change, input=change, target=change)


def with_step(name: str, change: Change) -> Code:
    steps: dict[str, Any] = {name: change}
    return replace(Code(), **steps)


def probability(margin: float) -> Change:
    return clip(1 - margin, margin)


def after_calls(calls: int) -> Callable[[Candidate], Candidate]:
    """Twice as large from some call on, as where a buffer is full."""

    def wrapped(candidate: Candidate) -> Candidate:
        numbers = count(1)

        def counted(*given: Any) -> Pair:
            weights, biases = candidate(*given)
            factor = 1.0 if next(numbers) <= calls else 2.0
            return [[[factor * x for x in row] for row in m] for m in weights], [
                [factor * x for x in b] for b in biases
            ]

        return counted

    return wrapped


def remembered(key: Callable[..., str]) -> Callable[[Candidate], Candidate]:
    """What was answered to another question with the same key."""

    def wrapped(candidate: Candidate) -> Candidate:
        known: dict[str, Pair] = {}

        def asked(*given: Any) -> Pair:
            found = key(*given)
            if found not in known:
                known[found] = candidate(*given)
            return known[found]

        return asked

    return wrapped


def rounded_key(digits: int) -> Callable[..., str]:
    def read(x: Any) -> Any:
        return [read(each) for each in x] if isinstance(x, (list, tuple)) else round(x, digits)

    return lambda *given: repr(read(given))


def tabled(candidate: Candidate) -> Candidate:
    """Right on the cases that the command has where no seed is drawn, and on nothing else."""
    table = {repr(list(map(list, case.batch.inputs))) for case in ladder(("tanh", "identity"), loss="half_sse")}

    def asked(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        known = repr([list(map(float, row)) for row in inputs]) in table
        found = candidate(weights, biases, inputs, targets)
        return found if known else ([[[0.0] * len(row) for row in m] for m in found[0]], found[1])

    return asked


def as_given(candidate: Candidate) -> Candidate:
    """Written into copies of what is given: of integers, integers."""

    def asked(weights: Any, *rest: Any) -> Pair:
        found, offsets = candidate(weights, *rest)
        kinds = [[[type(x) for x in row] for row in rows] for rows in weights]
        return [[[k(x) for k, x in zip(*r)] for r in zip(*m)] for m in zip(kinds, found)], offsets

    return asked


def divided(candidate: Candidate) -> Candidate:
    """Halves of integers by whole division, as `//` in C."""

    def asked(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        halves = [[x // 2 * 2 if isinstance(x, int) else x for x in row] for row in inputs]
        return candidate(weights, biases, halves, targets)

    return asked


LINEAR = ("relu", "identity")
BINARY: dict[str, Any] = {"names": ("tanh", "sigmoid"), "loss": "binary_cross_entropy"}
KINDS = (
    # how numbers are read and kept
    *(Kind(f"what is given {name}", everywhere(change)) for name, change in [
        ("cut to bfloat16", cut(8)), ("rounded to bfloat16", to(BFLOAT16)), ("rounded to binary16", to(BINARY16)),
        ("rounded to binary32", to(BINARY32)), ("cut to tf32", cut(11)), ("cut to 12 bits", cut(12)),
        ("rounded to 2 decimals", decimals(2)), ("rounded to 3 decimals", decimals(3)),
        ("rounded to 4 decimals", decimals(4)), ("rounded to 6 decimals", decimals(6)), ("in steps of 1/127", steps(127)),
        ("in steps of 1/256", steps(256)), ("in fixed point, 16 bits after the point", steps(1 << 16)),
    ]),
    *(Kind(f"{part} in binary16", with_step(part, to(BINARY16))) for part in ("parameter", "input", "target")),
    *(Kind(f"{part} in binary32", with_step(part, to(BINARY32))) for part in ("z", "a", "delta", "gradient")),
    Kind("gradients rounded to 6 decimals", Code(gradient=decimals(6))),
    Kind("inputs as bytes", Code(input=steps(255)), LINEAR),
    # how far loops go
    *(Kind(f"dot products unrolled by {n}, the rest left out", Code(inner=in_blocks(n))) for n in (2, 4, 8, 16)),
    *(Kind(f"samples in blocks of {n}, the rest left out", Code(over_samples=in_blocks(n))) for n in (4, 8, 16)),
    *(Kind(f"at most {n} samples", Code(over_samples=at_most(n))) for n in (5, 7, 8, 16)),
    *(Kind(f"at most {n} terms of a dot product", Code(inner=at_most(n))) for n in (4, 7, 8, 16, 18)),
    Kind("equal samples counted once", Code(samples=once)),
    Kind("the last of an odd number of samples left out", Code(samples=lambda p: p[: len(p) // 2 * 2 or 1])),
    Kind("nothing below the sixth layer", Code(layers=lambda depth: depth < 6), "tanh"),
    Kind("nothing below the eighth layer", Code(layers=lambda depth: depth < 9), "tanh"),
    # targets
    Kind("targets clipped to 0 … 1", Code(target=clip(1.0, 0.0))),
    Kind("targets clipped to −1 … 1", Code(target=clip(1.0))),
    Kind("targets below 0 taken for 0", Code(target=lambda y: max(y, 0.0))),
    Kind("the absolute value of targets", Code(target=abs)),
    Kind("the slope of the error by division, e/|e|", Code(error=lambda e: e * (e / abs(e))), LINEAR, "mae"),
    # large numbers
    *(Kind(f"probabilities clipped by {m:g}", Code(output=probability(m)), **BINARY) for m in (1e-2, 1e-5, 1e-7, 1e-10, 1e-12, 1e-15)),
    *(Kind(f"z clipped to ± {n}", Code(z=clip(n)), LINEAR) for n in (6, 10, 30, 100, 500)),
    *(Kind(f"gradients clipped to ± {n}", Code(gradient=clip(n)), LINEAR) for n in (1, 5, 10, 100)),
    *(Kind(f"errors clipped to ± {n}", Code(error=clip(n)), LINEAR) for n in (1, 10)),
    *(Kind(f"weights clipped to ± {n}", Code(parameter=clip(n)), LINEAR) for n in (2, 10)),
    Kind("relu that ends at 6", Code(a=lambda a: min(a, 6.0)), LINEAR),
    Kind("δ below 1e-12 taken for 0", Code(delta=lambda d: d if abs(d) > 1e-12 else 0.0), ("sigmoid", "identity")),
    # integers
    Kind("gradients as integers where weights are", wrapped=as_given),
    Kind("whole division where inputs are integers", wrapped=divided),
    # from call to call
    *(Kind(f"wrong after {n} calls", wrapped=after_calls(n)) for n in (10, 18, 100)),
    *(Kind(f"a cache by numbers rounded to {n} digits", wrapped=remembered(rounded_key(n))) for n in (0, 3)),
    Kind("a cache by the shapes", wrapped=remembered(lambda w, b, x, y: repr([[len(m), len(m[0])] for m in (*w, x)]))),
    Kind("a table of the cases of seed 0", wrapped=tabled),
)  # fmt: skip


def seen_by(kind: Kind) -> str:
    """The cases on which it is wrong, those before the new ones first; "" if it passes."""
    report = kind.report()
    if report.conforms:
        return ""
    failing = [case.name for case in report.cases if not case.passed]
    old = [name for name in failing if name in {rung.name for rung in RUNGS}]
    if not failing:
        return report.verdict
    return "short numbers" if old else ", ".join(dict.fromkeys(failing))


def main() -> int:
    found = [(kind.name, seen_by(kind)) for kind in KINDS]
    print("\n".join(f"{name}: {by or 'not seen'}" for name, by in found))
    print(f"{sum(bool(by) for _, by in found)} of {len(found)} seen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
