"""What certified gradients cost (part of `make bench`)."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from purebp import backpropagation
from purebp.oracle.certify import certified_gradients
from studies.benchmarks.implementations import in_flint
from studies.benchmarks.measuring import ROOT, Table, medians, ours, random_problem

SAMPLES = 8
SIZES = ("2-3-1", "64-32-10", "784-32-10", "784-256-10")
MEMORY = """
from pathlib import Path
from studies.benchmarks.certificates import SAMPLES, certified_gradients, ours, random_problem
certified_gradients(*ours(random_problem([784, 256, 10], SAMPLES)))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""  # not getrusage, which counts what the parent held at the fork


def certifying() -> Table:
    """Seconds for all gradients: in floats, correctly rounded, and enclosed by python-flint."""
    table: Table = {}
    for name in SIZES:
        problem = random_problem([int(n) for n in name.split("-")], SAMPLES)
        network, batch = ours(problem)
        works: dict[str, Any] = {
            "floats": lambda: backpropagation(network, batch),
            "certified": lambda: certified_gradients(network, batch),
        }
        if find_spec("flint"):
            works["python-flint"] = in_flint(*problem)
            theirs = [float(x) for w, b in works["python-flint"]() for row in (*w, b) for x in row]
            assert theirs == [entry.value for entry in certified_gradients(network, batch).parameters()]
        table[f"{name}, {len(network.parameters()):,} parameters"] = medians(works, seconds=3, fewest=3)
    return table


def memory() -> str:
    """In use at the most in a process that certifies 203,530 gradients; only Linux tells."""
    if not Path("/proc/self/status").exists():
        return "not measured here"
    answer = subprocess.run([sys.executable, "-c", MEMORY], cwd=ROOT, check=True, capture_output=True, text=True)
    return f"below {1 << (int(answer.stdout) // 1024).bit_length()} MiB"
