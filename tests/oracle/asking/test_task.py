"""Tasks: what they are called, that they can be sent, and what is usual of them."""

from __future__ import annotations

import pickle
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.asking.declared import agreed
from purebp.oracle.asking.subject import TIMEOUT
from purebp.oracle.asking.task import Outcome, Task


def test_the_name_is_that_of_the_file_or_among_several_its_path() -> None:
    task = Task("class/a.py", "f", {})
    assert (task.name, replace(task, alone=False).name) == ("a.py:f", "class/a.py:f")
    assert replace(task, program=("./x", "y z")).name == "./x 'y z'"


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_the_name_of_a_program_is_its_command_in_a_shell(words: list[str]) -> None:
    assert shlex.split(Task("", None, {}, program=tuple(words)).name) == words


@pytest.mark.parametrize(
    ("task", "shown", "name"),
    [
        (Task("a.py", None, {}), "a.py", "a.py"),
        (Task("a.py", "f", {}), "a.py", "a.py:f"),
        (Task("class/a.py", None, {}, alone=False), "class/a.py", "class/a.py"),
        (Task("class/a.py", "f", {}, alone=False), "class/a.py", "class/a.py:f"),
        (Task("class/a.py", "f", {}, program=("./x",)), "a.py", "./x"),
    ],
)
def test_names_in_reports(task: Task, shown: str, name: str) -> None:
    assert (task.shown, task.name) == (shown, name)


def test_a_file_has_ten_seconds_and_a_program_its_own_usual_timeout() -> None:
    file = Task("a.py", None, {}, timeout=3.0)
    assert (file.usual_timeout, replace(file, program=("./x",)).usual_timeout) == (
        Task("a.py", None, {}).timeout,
        TIMEOUT,
    )


def test_an_outcome_without_a_problem_is_a_success() -> None:
    outcome = Outcome(Task("a.py", None, {}))
    assert (outcome.status, outcome.problem, outcome.broken, outcome.report) == (0, "", None, None)


def test_a_task_can_be_sent_to_a_process_that_is_spawned() -> None:
    declared = agreed({"activations": "leaky_relu(0.25)", "loss": "huber(0.5)/samples", "format": "binary32"})
    task = Task("a.py", None, declared, source="x = 1\n")
    assert pickle.loads(pickle.dumps(task)) == task
