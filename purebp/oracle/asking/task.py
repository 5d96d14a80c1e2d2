"""A check that is asked for: a file or a program, what is declared of it, and what comes of it.

>>> Task("mine.py", "backprop", {"biases": False}).name, command(Task("mine.py", None, {"biases": False}), {})
('mine.py:backprop', 'purebp check mine.py --no-biases')
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import chain, repeat
from typing import Any

from purebp.oracle.answer import Answer, Finding
from purebp.oracle.asking.candidate import Candidate, ask
from purebp.oracle.asking.declared import Declared, option
from purebp.oracle.asking.guessing import guess
from purebp.oracle.asking.subject import TIMEOUT
from purebp.oracle.cases import Case
from purebp.oracle.check import Search, check, replayed
from purebp.oracle.reports.report import Report


@dataclass(frozen=True, slots=True)
class Task:
    """What to check: a file, perhaps the function in it, or a program; and what was declared on the command line."""

    file: str
    function: str | None
    declared: dict[str, Any]
    explore: Search | None = None
    seed: int = 0
    timeout: float = 10.0  # seconds, for one call of the candidate
    alone: bool = True
    program: tuple[str, ...] = ()  # a command, in place of a file
    once: bool = False
    source: str = ""  # the text of the file

    @property
    def shown(self) -> str:
        """The file in reports: its name, or where there are several the path."""
        return os.path.basename(self.file) if self.alone else self.file

    @property
    def name(self) -> str:
        """What it is called in reports."""
        if self.program:
            return shlex.join(self.program)
        return f"{self.shown}:{self.function}" if self.function else self.shown

    @property
    def usual_timeout(self) -> float:
        """The seconds that need not be said."""
        return TIMEOUT if self.program else 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, or the exit status and the sentence that say why there is none."""

    name: str
    report: Report | None
    status: int = 0
    problem: str = ""


def without_answer(task: Task, verdict: str, sentence: str, case: str = "") -> Report:
    """The report on a candidate that could not be judged."""
    findings = (Finding(verdict, sentence, case),)
    return Report(task.name, verdict, False, None, (), findings, (), (), None, (), replay=command(task, {}))


def guided(
    task: Task,
    declared: dict[str, Any],
    candidate: Callable[[Declared], Candidate],
    tell_cases: Callable[[Iterator[str]], None],
    fresh: Callable[[], None],
) -> Report:
    """Guess what is not declared, and check what then is.

    candidate: what to call, for a declaration. tell_cases: is told the names of the cases that come next. fresh: is
    called between guessing and checking.
    """

    def asked(case: Case, declared: Declared) -> Answer:
        tell_cases(repeat(case.name))
        return ask(candidate(declared), case, declared)

    guessed = guess(asked, declared, task.source)
    if guessed.asked:
        fresh()
    options = {**declared, **guessed.options}
    whole = Declared(**options)
    cases = whole.ladder(task.seed)
    tell_cases(chain((case.name for case in cases), repeat("one of them, asked again")))
    called = candidate(whole)
    report = check(called, **options, explore=task.explore, seed=task.seed, name=task.name)
    if task.program and not report.conforms:
        fresh()
        report = replayed(called, cases, whole, report)
    failing = next((case.id for case, judged in zip(cases, report.cases) if not judged.passed), "")
    notes = (*report.notes, *guessed.notes(report.conforms, bool(task.program)))
    return replace(report, notes=notes, replay=command(task, guessed.shown, failing))


def command(task: Task, guessed: dict[str, Any], case: str = "") -> str:
    """The command that checks it again, or of a program its failing case alone."""
    words = ["purebp", "replay", case] if task.program and case else ["purebp", "check"]
    if not task.program:
        words.append(f"{task.file}:{task.function}" if task.function else task.file)
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
