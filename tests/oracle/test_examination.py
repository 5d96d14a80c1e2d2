"""A check that is asked for: its name, its command, and that what was guessed counts for nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from purebp.cli import parser
from purebp.cli.check import declared as on_the_command_line
from purebp.oracle.answer import Finding
from purebp.oracle.asking.declared import Declared, agreed
from purebp.oracle.asking.task import Asked, Task, Way
from purebp.oracle.examination import without_answer
from purebp.oracle.ways import command, guided
from tests.oracle.asking.test_guessing import right

DECLARED = agreed({"activations": "relu", "loss": "half_sse", "sizes": "2,3,1", "biases": False})


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Task("a b.py", "f", {}), "purebp check 'a b.py:f'"),
        (
            Task("a.py", None, {}, explore=lambda *given: None, seed=3, timeout=0.5),
            "purebp check a.py --explore --seed 3 --timeout 0.5",
        ),
        (Task("", None, {}, timeout=5.0, program=("./x", "y z")), "purebp check -- ./x 'y z'"),
        (Task("", None, {}, timeout=9.0, program=("x",), once=True), "purebp check --once --timeout 9.0 -- x"),
    ],
)
def test_the_command_says_what_is_not_usual(task: Task, words: str) -> None:
    assert command(task, {}) == words


def test_a_program_replays_its_failing_case() -> None:
    task = Task("", None, {}, explore=lambda *given: None, timeout=5.0, program=("./x",))
    assert command(task, {}, "wide") == "purebp replay wide -- ./x"
    assert command(task, {}) == "purebp check --explore -- ./x"


def test_the_command_declares_what_was_declared_and_what_was_guessed() -> None:
    words = shlex.split(command(Task("a.py", None, DECLARED), {"weights": "in_out"}))
    args = parser(["check"]).parse_args(words[1:])
    assert on_the_command_line(args) == {**DECLARED, "weights": "in_out"}


def test_a_candidate_that_cannot_be_judged_has_a_report() -> None:
    report = without_answer(Task("a.py", None, {}), Finding("crash", "it ends", "wide"))
    assert (report.verdict, report.conforms, report.replay) == ("crash", False, "purebp check a.py")
    assert "On the case “wide” it ends." in str(report)


@pytest.mark.parametrize(("declared", "renewed"), [({}, 1), ({"activations": ["tanh", "identity"]}, 1)])
def test_what_was_asked_to_guess_is_forgotten_before_the_check(declared: dict[str, Any], renewed: int) -> None:
    told: list[Iterator[str]] = []
    fresh: list[int] = []
    asked: list[Declared] = []

    def candidate(chosen: Declared, cases: Iterator[str]) -> Any:
        told.append(cases)
        asked.append(chosen)
        return right("tanh", "identity")

    way = Way("f", candidate, lambda: fresh.append(len(asked)))
    report = guided(Asked(Task("a.py", "f", {}), agreed(declared), [way]))
    assert report.verdict == "correct" and len(fresh) == renewed and fresh[0] == len(asked) - 1
    names = [case.name for case in report.cases]
    assert [next(told[-1]) for _ in names] == names and next(told[-1]) == "one of them, asked again"
    assert [f.name for f in asked[-1].per_layer()] == ["tanh", "identity"]


def test_nothing_is_asked_where_everything_is_declared() -> None:
    declared = {"activations": "tanh,identity", "weights": "out_in", "samples": "rows", "biases": True, "arrays": None}

    def never() -> None:
        raise AssertionError

    task = Task("a.py", "f", {})
    way = Way("f", lambda chosen, cases: right("tanh", "identity"), never)
    report = guided(Asked(task, agreed(declared), [way]))
    assert report.verdict == "correct"
