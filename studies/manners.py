"""Right code, written and wanting to be asked in many manners: none may be called wrong for how it was asked.

`python -m studies.manners 2000` draws so many, and prints those that are not cleared. A manner is a function in either order
of arguments, a class made with widths, with a list of them, or with a batch, or functions over a dictionary; it keeps its
weights in one of the usual layouts, returns gradients or trains, and takes what it takes: one output, one sample, fixed
widths, labels, whole numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from purebp import Batch, Layer, Network, PurebpError, backpropagation
from purebp.oracle.reports.report import Report
from purebp.oracle.ways import check_anything
from purebp.textbook.linalg import transpose

RATES = (1.0, 0.5, 0.1, 0.03)
LOSSES = {"sigmoid": ("mse", "half_sse", "binary_cross_entropy"), "softmax": ("cross_entropy",)}
TAKES = ("anything", "one output", "one sample", "fixed widths", "labels", "whole numbers", "zeros and ones")


@dataclass(frozen=True)
class Manner:
    """How a piece of code is written."""

    kind: str
    activations: tuple[str, ...]
    loss: str
    takes: str
    turned: bool  # weights are inputs × outputs
    biases: str  # "", "apart", "last" or "first" in the rows of the weights
    samples: str
    rate: float | None  # of its step; None if it returns gradients
    seed: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Where widths are fixed: these."""
        random = Random(self.seed)
        hidden = [random.randint(2, 5) for _ in self.activations[1:]]
        return (random.randint(1, 4), *hidden, 2 if self.activations[-1] == "softmax" else random.randint(1, 3))


def drawn(seed: int) -> Manner:
    """One of the manners."""
    random = Random(seed)
    kind = random.choice(["function", "other order", "widths", "sizes", "batch", "dictionary"])
    depth = 2 if kind in ("widths", "batch") else random.randint(1, 3)
    output = random.choice(["sigmoid", "identity", "tanh", "softmax"])
    hidden = random.choice(["sigmoid", "tanh", "relu", "leaky_relu(0.01)"])
    takes = random.choice(TAKES)
    if output == "softmax" and takes == "one output":
        takes = "anything"
    if takes == "fixed widths" and (kind != "function" or depth > 2):
        takes = "anything"
    if takes == "labels" and output != "softmax":
        takes = "whole numbers"
    rate = random.choice([None, random.choice(RATES)]) if kind in ("widths", "sizes", "batch") else None
    inside = kind in ("widths", "sizes", "batch") and random.random() < 0.25
    biases = random.choice(["last", "first"]) if inside else random.choice(["", "apart", "apart"])
    samples = "rows" if kind == "batch" or takes == "labels" else random.choice(["rows", "columns", "vector"])
    losses = LOSSES.get(output, ("mse", "half_sse", "sse"))
    return Manner(
        kind,
        (hidden,) * (depth - 1) + (output,),
        random.choice(losses),
        takes,
        random.random() < 0.5,
        biases,
        samples,
        rate,
        seed,
    )


def written(manner: Manner) -> Any:
    """The code: a function or a class."""
    computed = _computed(manner)

    def backpropagation(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        found, offsets = computed(weights, biases, inputs, targets)
        return (found, offsets) if manner.biases else found

    def backward(x: Any, y: Any, weights: Any, biases: Any = None) -> Any:
        return backpropagation(weights, biases, x, y)

    def backward_propagation(parameters: Any, x: Any, y: Any) -> Any:
        names = range(1, len(manner.activations) + 1)
        weights = [parameters[f"W{n}"] for n in names]
        found, offsets = computed(weights, [parameters[f"b{n}"] for n in names] if manner.biases else None, x, y)
        grads = {f"dW{n}": rows for n, rows in zip(names, found)}
        return grads | ({f"db{n}": row for n, row in zip(names, offsets)} if manner.biases else {})

    simple = {"function": backpropagation, "other order": backward, "dictionary": backward_propagation}
    return simple[manner.kind] if manner.kind in simple else _class(manner, computed)


def _class(manner: Manner, computed: Callable[..., Any]) -> Any:
    class Kept:
        """What it keeps, and what it does with that."""

        def keep(self, sizes: Sequence[int]) -> None:
            inside = manner.biases in ("last", "first")
            self.weights = [_rows(manner, n_out, n_in + inside) for n_in, n_out in pairwise(sizes)]
            if manner.biases == "apart":
                self.biases = [[0.5] * n for n in sizes[1:]]

        def asked(self, x: Any, y: Any) -> Any:
            weights, biases = self.weights, getattr(self, "biases", None)
            if manner.biases not in ("last", "first"):
                found, offsets = computed(weights, biases, x, y)
                return found, offsets if manner.biases else None
            at = -1 if manner.biases == "last" else 0
            whole = [transpose(w) if manner.turned else w for w in weights]
            bare = [[row[:-1] if at else row[1:] for row in w] for w in whole]
            found, offsets = computed(
                [transpose(w) if manner.turned else w for w in bare], [[row[at] for row in w] for w in whole], x, y
            )
            rows = [transpose(w) if manner.turned else w for w in found]
            joined = [[[*row, b] if at else [b, *row] for row, b in zip(w, offset)] for w, offset in zip(rows, offsets)]
            return [transpose(w) if manner.turned else w for w in joined], None

        def gradients(self, x: Any, y: Any) -> Any:
            found, offsets = self.asked(x, y)
            return found if offsets is None else (found, offsets)

        def step(self, x: Any, y: Any) -> None:
            found, offsets = self.asked(x, y)
            assert manner.rate is not None
            self.weights = [_moved(w, g, manner.rate) for w, g in zip(self.weights, found)]
            if offsets is not None:
                self.biases = [_moved([b], [g], manner.rate)[0] for b, g in zip(self.biases, offsets)]

    class ByWidths(Kept):
        def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
            self.keep((n_in, n_hidden, n_out))

    class BySizes(Kept):
        def __init__(self, sizes: Sequence[int]) -> None:
            self.keep(sizes)

    class ByBatch(Kept):
        def __init__(self, x: Any, y: Any) -> None:
            self.x, self.y = x, y
            self.keep((len(x[0]), 4, len(y[0])))

    def of_its_own(method: Callable[[Any, Any, Any], Any]) -> Callable[[Any], Any]:
        def called(self: Any) -> Any:
            return method(self, self.x, self.y)

        return called

    made: Any = {"widths": ByWidths, "sizes": BySizes, "batch": ByBatch}[manner.kind]
    method: Any = Kept.gradients if manner.rate is None else Kept.step
    name = "backprop" if manner.rate is None else "train"
    setattr(made, name, of_its_own(method) if manner.kind == "batch" else method)
    for each in ("gradients", "step"):
        delattr(Kept, each)
    return made


def _rows(manner: Manner, n_out: int, n_in: int) -> list[list[float]]:
    rows = [[0.5] * n_in for _ in range(n_out)]
    return transpose(rows) if manner.turned else rows


def _moved(rows: Any, gradients: Any, rate: float) -> list[list[float]]:
    return [[w - rate * g for w, g in zip(*pair)] for pair in zip(rows, gradients)]


def _computed(manner: Manner) -> Callable[[Any, Any, Any, Any], Any]:
    """The gradients, in the layout of the manner; an error for what it does not take."""

    def computed(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        if (biases is not None) != bool(manner.biases):
            raise TypeError("biases")
        matrices = [transpose(w) if manner.turned else w for w in weights]
        x = transpose(inputs) if manner.samples == "columns" else [inputs] if manner.samples == "vector" else inputs
        y = transpose(targets) if manner.samples == "columns" else [targets] if manner.samples == "vector" else targets
        n_out = len(matrices[-1])
        if manner.takes == "labels":
            y = [[float(j == label) for j in range(n_out)] for label in map(_index, y)]
        network = Network(
            Layer(w, b, f)
            for w, b, f in zip(matrices, biases or [None] * len(matrices), manner.activations, strict=True)
        )
        batch = Batch(x, y)
        _refuse(manner, network.sizes, batch)
        found = backpropagation(network, batch, manner.loss).layers
        gradients = [[list(row) for row in layer.weights] for layer in found]
        turned = [transpose(w) if manner.turned else w for w in gradients]
        return turned, [list(layer.biases or ()) for layer in found]

    return computed


def _index(label: Any) -> int:
    if not isinstance(label, int):
        raise TypeError("a label is wanted")
    return label


def _refuse(manner: Manner, sizes: Sequence[int], batch: Batch) -> None:
    numbers = [x for row in batch.inputs for x in row]
    refused = {
        "one output": sizes[-1] != 1,
        "one sample": len(batch.inputs) != 1,
        "fixed widths": tuple(sizes) != manner.sizes,
        "whole numbers": not all(x >= 0 and float(x).is_integer() for x in numbers),
        "zeros and ones": not all(x in (0, 1) for x in numbers),
    }
    if refused.get(manner.takes):
        raise ValueError(f"it takes {manner.takes}")


def cleared(seed: int) -> tuple[bool, Manner, Report | None]:
    """Whether the code in that manner is called right."""
    manner = drawn(seed)
    try:
        report = check_anything(written(manner), seed=seed)
    except PurebpError:
        return False, manner, None
    return report.conforms, manner, report


def accused(seeds: Sequence[int]) -> Iterator[tuple[Manner, str]]:
    """What is called wrong, and what is not decided, with a word on it."""
    for seed in seeds:
        right, manner, report = cleared(seed)
        if not right:
            yield manner, report.verdict if report else "not asked"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    wrong = undecided = 0
    for manner, verdict in accused(range(first, first + count)):
        undecided += verdict in ("undecided", "not asked")
        wrong += verdict not in ("undecided", "not asked")
        print(verdict, manner)
    print(f"{count} manners of right code: {wrong} accused, {undecided} not decided")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
