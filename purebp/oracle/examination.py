"""Files and programs before the oracle: each asked in a process, what it does not say guessed, and checked.

>>> without_answer(Task("mine.py", None, {"biases": False}), Finding("crash", "it ends")).replay
'purebp check mine.py --no-biases'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from purebp.oracle.answer import Finding
from purebp.oracle.asking.candidate import Candidate
from purebp.oracle.asking.file import ask_file
from purebp.oracle.asking.program import ask_program
from purebp.oracle.asking.task import Outcome, Task
from purebp.oracle.reports.report import Report
from purebp.oracle.ways import command, guided


def examine(task: Task, watch: Callable[[str], None] = lambda doing: None) -> Outcome:
    """Check a file or a program, and leave no process behind; `watch` is told on which case it is."""
    if task.of:
        outcome = ask_file(task, watch, _of_forward)
    else:
        outcome = (ask_program if task.program else ask_file)(task, watch, guided)
    if outcome.broken is None:
        return outcome
    return replace(outcome, report=without_answer(outcome.task, outcome.broken))


def _of_forward(task: Task, backward: Candidate, forward: Candidate) -> Report:
    """The report on a backward function, by the forward function that it is of."""
    assert task.of is not None
    report = import_module("purebp.oracle.check_backwards").check_backward(  # loaded for who has one
        backward,
        forward,
        task.inputs,
        format=task.declared.get("format", "binary64"),
        arrays=task.declared.get("arrays"),
        seed=task.seed,
        name=task.name,
    )
    found: Report = replace(report, replay=command(task, {}))
    return found


def without_answer(task: Task, finding: Finding) -> Report:
    """The report on a candidate that could not be judged."""
    return Report(task.name, finding.kind, False, None, (), (finding,), (), (), None, (), replay=command(task, {}))
