"""`make demo`: judge a right and a wrong backpropagation, then train on the digits and prove a gradient of theirs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from purebp.cli import main
from purebp.cli.training import saved
from purebp.cli.training.datasets import load
from purebp.oracle.certify import certified_gradients
from purebp.textbook.backprop import backpropagation
from purebp.textbook.differences import numerical_gradients
from purebp.textbook.network import Batch

SAMPLES = 8
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def demo() -> int:
    """Judge, train, compare, certify; the exit status."""
    for name, wanted in (("two_layers.py", 0), ("two_layers_wrong.py", 1)):
        print(f"$ purebp check docs/examples/{name}", flush=True)
        if main(["check", str(EXAMPLES / name)]) != wanted:
            return 1
        print()
    with TemporaryDirectory() as folder, chdir(folder):
        print("$ purebp train digits --save digits.json", flush=True)
        if status := main(["train", "digits", "--save", "digits.json"]):
            return status
        network = saved.network("digits.json")
    digits = load("digits").batch
    batch = Batch(digits.inputs[:SAMPLES], digits.targets[:SAMPLES])
    gradient = backpropagation(network, batch, "cross_entropy").parameters()
    print(f"\nits gradient on {SAMPLES} samples, {len(gradient)} entries, the largest {max(map(abs, gradient)):.3g}")
    for method, name in (("central", "central differences are"), ("complex", "the complex step is")):
        numerical = numerical_gradients(network, batch, "cross_entropy", method).parameters()
        print(f"  {name} within {_largest_difference(gradient, numerical):.1e} of it", flush=True)
    certified = certified_gradients(network, batch, "cross_entropy").parameters()
    rounded = sum(entry.rounded for entry in certified)
    same = sum(entry.value == x for entry, x in zip(certified, gradient))
    worst = _largest_difference(gradient, [entry.value for entry in certified])
    print(f"  {rounded} entries are certified, proven to the last bit: the plain floats are right to the last bit in")
    print(f"  {same} of them, and within {worst:.1e} in all")
    return 0


def _largest_difference(x: Sequence[float], y: Sequence[float]) -> float:
    return max(abs(xi - yi) for xi, yi in zip(x, y, strict=True))


if __name__ == "__main__":
    sys.exit(demo())
