"""A program that is started, asked, started anew and ended, and of which nothing is left."""

from __future__ import annotations

import time

import pytest

from purebp import Batch, Network
from purebp.cli import main
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.subject import Subject
from purebp.oracle.cases import Case
from tests.subjects.asked import gone, processes, program


def test_nothing_is_left_behind(capsys: pytest.CaptureFixture[str]) -> None:
    for how in ("leaves a child", "hangs", "closes its output", "prints without end"):
        mark = f"left behind by {how}, at {time.time_ns()}"
        with Subject([*program(how), mark], timeout=0.5):
            assert mark in processes()
        main(["check", "--timeout", "0.5", "--", *program(how), mark])
        assert gone(mark)
    capsys.readouterr()


def test_two_hundred_cases_cost_little_beside_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """No time is asserted (make bench prints it): that no process is started anew, and each answer is its own."""
    declared = Declared(("identity",), "half_sse")
    with Subject(program("is right")) as subject:
        candidate, first = subject.candidate(declared), subject.process
        for k in range(200):
            network = Network.random([2, 1], "identity").with_parameters([float(k), 0.0, 1.0])
            answer = ask(candidate, Case("a case", network, Batch([[1.0, 0.0]], [[0.0]])), declared)
            assert answer.claim["biases", 0] == [[k + 1.0]]
        assert subject.process is first
