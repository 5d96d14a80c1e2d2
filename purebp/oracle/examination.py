"""Files and programs before the oracle: each asked in a process, what it does not say guessed, and checked.

>>> command(Task("mine.py", None, {"biases": False}), {})
'purebp check mine.py --no-biases'
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import chain, repeat
from typing import Any

from purebp.oracle.answer import Answer, Finding
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared, option
from purebp.oracle.asking.file import ask_file
from purebp.oracle.asking.guessing import Guess, guess
from purebp.oracle.asking.limits import LIMITED
from purebp.oracle.asking.program import ask_program
from purebp.oracle.asking.task import Asked, Outcome, Task, Way
from purebp.oracle.cases import Case
from purebp.oracle.check import replayed, within_limits
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
    """Guess what is not declared, and check what then is: in the way in which its answers are most like the gradient."""
    guesses = list[tuple[Way, Guess]]()
    rest = iter(asked.ways)
    for way in rest:
        guesses.append((way, _guessed(asked, way, ranked=bool(way.owner))))
        if guesses[-1][1].sure or not guesses[-1][1].asked:
            break
    way, guessed = max(guesses, key=lambda found: found[1].rank)
    report = _checked(asked, way, guessed)
    if way.steps:
        return _without_velocity(asked, way, guessed, report)
    if way.steps or not way.owner or not report.conforms:
        return report
    steps = [each for each in [*(tried for tried, _ in guesses), *rest] if each.steps and each.owner == way.owner]
    return _with_its_step(asked, way, report, steps, guessed) if steps else report


def _guessed(asked: Asked, way: Way, ranked: bool) -> Guess:
    def ask_one(case: Case, tried: Declared) -> Answer:
        return ask(way.candidate(tried, repeat(case.name)), case, tried)

    source = None if asked.task.program else asked.task.source
    return guess(ask_one, {**way.options, **asked.declared}, source, ranked)


def _checked(asked: Asked, way: Way, guessed: Guess) -> Report:
    task = asked.task if asked.task.program else replace(asked.task, function=way.name)
    if guessed.asked:
        way.fresh()
    whole = Declared(**{**way.options, **asked.declared, **guessed.options})
    names = chain((case.name for case in whole.ladder(task.seed)), repeat("one of them, asked again"))
    called = way.candidate(whole, names)
    report, taken = within_limits(called, whole, task.name, task.explore, task.seed)
    cases = taken.ladder(task.seed)
    if task.program and not report.conforms:
        way.fresh()
        report = replayed(called, cases, taken, report)
    failing = next((case.id for case, judged in zip(cases, report.cases) if not judged.passed), "")
    said = [way.sentence] if way.sentence else []
    notes = (*report.notes, *said, *guessed.notes(report.conforms, bool(task.program)))
    limited = {name: getattr(taken, name) for name in LIMITED if getattr(taken, name) != getattr(whole, name)}
    return replace(report, notes=notes, replay=command(task, {**guessed.shown, **limited}, failing))


def _without_velocity(asked: Asked, way: Way, guessed: Guess, report: Report) -> Report:
    """Of a step that has momentum: what it keeps from call to call is none of its faults, if the first one is right."""
    kept = any(finding.kind in ("flaky", "keeps state") for finding in report.findings)
    if not kept or way.anew is None or not re.search("momentum|velocity", asked.task.source, re.IGNORECASE):
        return report
    first = _checked(asked, replace(way, candidate=way.anew), guessed)
    if not first.conforms:
        return report
    note = "It has momentum: the step of a new object was judged, before which nothing has moved."
    return replace(first, notes=(*first.notes, note))


def _with_its_step(asked: Asked, way: Way, report: Report, steps: Sequence[Way], guessed: Guess) -> Report:
    """The report on the gradients, which are right, and on what changes the weights: if that is wrong, on that."""
    known = dict(guessed.options)
    if report.convention and report.convention.named:
        known["loss"] = report.convention.named
    asked = replace(asked, declared={**known, **asked.declared})
    ranked = [(other, _guessed(asked, other, True)) for other in steps[:4]]
    other, found = max(ranked, key=lambda pair: pair[1].rank)
    if not found.rank[1]:
        return report
    step = _without_velocity(asked, other, found, _checked(asked, other, found))
    if step.conforms:
        told = f": {step.convention.sentence}" if step.convention else ""
        return replace(report, notes=(*report.notes, f"{other.name} is a right step{told}."))
    return replace(step, notes=(*step.notes, f"The gradients of {way.name} are right."))


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
