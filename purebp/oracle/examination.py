"""Files and programs before the oracle: each asked in a process, what it does not say guessed, and checked.

>>> command(Task("mine.py", None, {"biases": False}), {})
'purebp check mine.py --no-biases'
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import chain, repeat
from typing import Any

from purebp.oracle.answer import Answer, Finding
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared, option
from purebp.oracle.asking.file import ask_file
from purebp.oracle.asking.guessing import guess
from purebp.oracle.asking.program import ask_program
from purebp.oracle.asking.task import Asked, Outcome, Task
from purebp.oracle.cases import Case
from purebp.oracle.check import check, replayed
from purebp.oracle.reports.report import Report


def examine(task: Task, watch: Callable[[str], None] = lambda doing: None) -> Outcome:
    """Check a file or a program, and leave no process behind; `watch` is told on which case it is."""
    outcome = (ask_program if task.program else ask_file)(task, watch, guided)
    if outcome.broken is None:
        return outcome
    return replace(outcome, report=without_answer(outcome.task, outcome.broken))


def without_answer(task: Task, finding: Finding) -> Report:
    """The report on a candidate that could not be judged."""
    return Report(task.name, finding.kind, False, None, (), (finding,), (), (), None, (), replay=command(task, {}))


def guided(asked: Asked) -> Report:
    """Guess what is not declared, and check what then is."""
    task, declared = asked.task, asked.declared

    def ask_one(case: Case, tried: Declared) -> Answer:
        return ask(asked.candidate(tried, repeat(case.name)), case, tried)

    guessed = guess(ask_one, declared, task.source)
    if guessed.asked:
        asked.fresh()
    options = {**declared, **guessed.options}
    whole = Declared(**options)
    cases = whole.ladder(task.seed)
    called = asked.candidate(whole, chain((case.name for case in cases), repeat("one of them, asked again")))
    report = check(called, **options, explore=task.explore, seed=task.seed, name=task.name)
    if task.program and not report.conforms:
        asked.fresh()
        report = replayed(called, cases, whole, report)
    failing = next((case.id for case, judged in zip(cases, report.cases) if not judged.passed), "")
    found_after_all = guessed.state == "lost" and report.verdict == "correct-under-convention"
    said = () if found_after_all else guessed.notes(report.conforms, bool(task.program))
    notes = (*report.notes, *said)
    return replace(report, notes=notes, replay=command(task, guessed.shown, failing))


def command(task: Task, guessed: dict[str, Any], case: str = "") -> str:
    """The command that checks it again, or of a program its failing case alone."""
    words = ["purebp", "replay", case] if task.program and case else ["purebp", "check"]
    if not task.program:
        words.append(f"{task.told}:{task.function}" if task.function else task.file)
    declared = {**guessed, **task.declared}
    for each in fields(Declared):
        words += option(each.name, declared.get(each.name))
    if task.explore and "replay" not in words:
        words.append("--explore")
    if task.once:
        words.append("--once")
    for name, value, usual in (("seed", task.seed, 0), ("timeout", task.timeout, task.usual_timeout)):
        if value != usual:
            words += option(name, value)
    return shlex.join([*words, "--", *task.program] if task.program else words)
