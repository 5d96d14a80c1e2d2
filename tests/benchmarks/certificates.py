"""What certified gradients cost (part of `make bench`)."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from purebp import backpropagation
from purebp.oracle.certify import certified_gradients
from tests.benchmarks.implementations import in_flint
from tests.benchmarks.measuring import ROOT, Table, medians, ours, random_problem

SAMPLES = 8
SIZES = ("2-3-1", "64-32-10", "784-32-10", "784-256-10")
MEMORY = """
import resource, sys
from tests.benchmarks.certificates import SAMPLES, certified_gradients, ours, random_problem
certified_gradients(*ours(random_problem([784, 256, 10], SAMPLES)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def certifying() -> Table:
    """Seconds for all gradients, correctly rounded: by purebp, in floats alone, and enclosed by python-flint."""
    table: Table = {}
    for name in SIZES:
        problem = random_problem([int(n) for n in name.split("-")], SAMPLES)
        network, batch = ours(problem)
        works: dict[str, Any] = {
            "certified": lambda: certified_gradients(network, batch),
            "floats": lambda: backpropagation(network, batch),
        }
        if find_spec("flint"):
            works["python-flint"] = in_flint(*problem)
            theirs = [float(x) for w, b in works["python-flint"]() for row in (*w, b) for x in row]
            assert theirs == [entry.value for entry in certified_gradients(network, batch).parameters()]
        table[f"{name}, {len(network.parameters()):,} parameters"] = medians(works, seconds=3, fewest=3)
    return table


def memory() -> float:
    """MiB at the most in a process that certifies 203,530 gradients."""
    answer = subprocess.run([sys.executable, "-c", MEMORY], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(answer.stdout) / 2**20
