"""What a program on a pipe costs beside its own time, and what the test vectors do."""

from __future__ import annotations

import sys
from subprocess import PIPE, Popen

from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.asking.subject import Subject
from purebp.oracle.asking.wire import HELLO, asked
from purebp.oracle.cases import ladder
from purebp.oracle.vectors.files import load, shipped
from purebp.oracle.vectors.making import verify
from purebp.oracle.vectors.vector import FAMILIES
from purebp.textbook.serialization import parsed
from studies.benchmarks.measuring import ROOT, Table, medians

PROGRAM = [sys.executable, "-S", str(ROOT / "tests" / "subjects" / "broken.py"), "is right"]
CASES = 200


def driven() -> Table:
    """Small cases through one process: the same lines in one go, which is the time of the program alone, and asked."""
    declared = Declared(("identity",), "half_sse")
    cases = [case for seed in range(CASES) for case in ladder(("identity",), loss="half_sse", seed=seed)[:1]]
    requests = [asked(arguments(case, declared), declared) for case in cases]
    text = "".join(line + "\n" for line in (HELLO, *(request.in_json("1") for request in requests))).encode()

    def alone() -> None:
        with Popen(PROGRAM, stdin=PIPE, stdout=PIPE) as process:
            process.communicate(text)

    def through_subject() -> None:
        with Subject(PROGRAM) as subject:
            candidate = subject.candidate(declared)
            assert all(ask(candidate, case, declared).claim for case in cases)

    return {
        f"{CASES} cases, one after the other": medians({"the program alone": alone, "asked by purebp": through_subject})
    }


def vectors() -> Table:
    """Each family of test vectors, read and computed anew."""

    def verified(family: str) -> None:
        assert not list(verify(parsed(shipped(f"{family}.json"))))

    return {
        family: medians({"verified": lambda: verified(family), "loaded": lambda: load(family)}, fewest=3)
        for family in FAMILIES
        if family != "refused"
    }
