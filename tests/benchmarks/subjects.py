"""What a program on a pipe costs beside its own time, and what the test vectors do (python -m tests.benchmarks.subjects)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen

from purebp.oracle.candidate import Declared, arguments, ask
from purebp.oracle.cases import Case, ladder
from purebp.oracle.subject import Subject
from purebp.oracle.vectors import FAMILIES, load, shipped, verify
from purebp.oracle.wire import HELLO, asked
from purebp.serialization import parsed

PROGRAM = [sys.executable, "-S", str(Path(__file__).parent.parent / "subjects" / "broken.py"), "is right"]
CASES = 200


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def own_time(cases: list[Case], declared: Declared) -> float:
    """The same requests through a bare pipe, all at once: start, arithmetic and end of the program alone."""
    names = declared.activations
    lines = [HELLO, *(asked(arguments(case, declared), names, "half_sse", declared).in_json("1") for case in cases)]
    text = "".join(line + "\n" for line in lines).encode()

    def work() -> None:
        with Popen(PROGRAM, stdin=PIPE, stdout=PIPE) as process:
            process.communicate(text)

    return seconds(work)


def through_subject(cases: list[Case], declared: Declared) -> float:
    def work() -> None:
        with Subject(PROGRAM) as subject:
            candidate = subject.candidate(declared)
            for case in cases:
                assert ask(candidate, case, declared).claim

    return seconds(work)


def main() -> None:
    declared = Declared(("identity",), "half_sse")
    cases = [case for seed in range(CASES) for case in ladder(("identity",), loss="half_sse", seed=seed)[:3]][:CASES]
    rows = [(own_time(cases, declared), through_subject(cases, declared)) for _ in range(5)]
    alone, driven = (median(column) for column in zip(*rows))
    print(f"{CASES} cases through a program: {driven:.2f} s, of which its own {alone:.2f} s: {driven - alone:.2f} s on top")
    for family in FAMILIES:
        loading = median(seconds(lambda: load(family)) for _ in range(5))
        verifying = median(seconds(lambda: list(verify(parsed(shipped(f"{family}.json"))))) for _ in range(3))
        print(f"vectors of {family:9}: loaded in {loading:.3f} s, verified in {verifying:.2f} s")


if __name__ == "__main__":
    main()
