"""`make demo`: train on the digits, then hold the gradient of the trained network against three witnesses."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from purebp.backprop import backpropagation
from purebp.cli import main, options
from purebp.datasets import load
from purebp.differences import numerical_gradients
from purebp.network import Batch
from purebp.oracle.certify import certified_gradients

SAMPLES = 8


def demo() -> int:
    """Train, compare, certify; the exit status."""
    with TemporaryDirectory() as folder:
        saved = str(Path(folder) / "digits.json")
        print("$ purebp train digits", flush=True)
        if status := main(["train", "digits", "--save", saved]):
            return status
        network = options.network(saved)
    digits = load("digits").batch
    batch = Batch(digits.inputs[:SAMPLES], digits.targets[:SAMPLES])
    gradient = backpropagation(network, batch, "cross_entropy").parameters()
    print(f"\nits gradient on {SAMPLES} samples, {len(gradient)} entries, the largest {max(map(abs, gradient)):.3g}")
    for method, name in (("central", "central differences"), ("complex", "the complex step")):
        numerical = numerical_gradients(network, batch, "cross_entropy", method).parameters()
        print(f"  {name} differ from it by {_largest_difference(gradient, numerical):.1e} at most", flush=True)
    certified = certified_gradients(network, batch, "cross_entropy").parameters()
    rounded = sum(entry.rounded for entry in certified)
    same = sum(entry.value == x for entry, x in zip(certified, gradient))
    print(f"  certified: {rounded} entries are proven to their last bit;")
    print(f"  plain floats got {same} of them right to the last bit,")
    worst = _largest_difference(gradient, [entry.value for entry in certified])
    print(f"  and are {worst:.1e} off at most")
    return 0


def _largest_difference(x: Sequence[float], y: Sequence[float]) -> float:
    return max(abs(xi - yi) for xi, yi in zip(x, y, strict=True))


if __name__ == "__main__":
    sys.exit(demo())
