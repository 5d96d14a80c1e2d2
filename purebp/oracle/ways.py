"""Candidates that can be asked in several ways: the one whose answers are most like the gradient is checked.

>>> from math import tanh
>>> class Neuron:
...     def __init__(self, n): self.weights = [0.0] * n
...     def train(self, x, y, rate):
...         a = tanh(sum(w * v for w, v in zip(self.weights, x)))
...         self.weights = [w - rate * 2 * (a - y[0]) * (1 - a * a) * v for w, v in zip(self.weights, x)]
>>> report = check_anything(Neuron)
>>> report.candidate, report.conforms, report.convention.sentence
('Neuron.train', True, 'the gradient of half the sum of squares, as updated weights, learning rate 1')
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stderr
from dataclasses import fields, replace
from importlib import import_module
from inspect import isclass, isfunction, ismodule
from io import StringIO
from itertools import chain, repeat
from typing import Any

from purebp.oracle.answer import Answer, Key, as_claim
from purebp.oracle.asking.candidate import ask, imported_by
from purebp.oracle.asking.declared import Declared, agreed, option
from purebp.oracle.asking.forms import forms
from purebp.oracle.asking.guessing import Guess, guess
from purebp.oracle.asking.limits import LIMITED
from purebp.oracle.asking.lines import lines_of
from purebp.oracle.asking.loading import WANTED, find, in_order
from purebp.oracle.asking.making import Hints
from purebp.oracle.asking.task import Asked, Task, Way
from purebp.oracle.cases import Case, asked_first
from purebp.oracle.check import Search, check, replayed, within_limits
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import PurebpError

MOST_STEPS = 4  # of a class, that are asked beside
MORE, TIMES = 4, 4  # samples and calls, with which it is seen whether something is drawn by chance


def check_anything(
    candidate: Any, *, explore: Search | None = None, seed: int = 0, name: str | None = None, **declared: Any
) -> Report:
    """`check` for a function, a class, an object or a module: how it is asked is found out, and said.

    A function of weights, biases, inputs and targets, in that order, is asked as it is.
    """
    if callable(candidate) and not isclass(candidate) and in_order(candidate):
        return check(candidate, explore=explore, seed=seed, name=name, **declared)
    declares = agreed({key: x for key, x in declared.items() if x is not None})
    task = Task("", name, declares, explore=explore, seed=seed, source=imported_by(candidate))
    problem = PurebpError(
        f"{candidate!r:.60} cannot be asked: a function of {WANTED} is wanted, or a class with weights and a method that "
        "returns their gradients or changes them"
    )
    namespace = vars(candidate) if ismodule(candidate) else {}
    report = guided(Asked(task, declares, _ways_of(candidate), problem, namespace))
    return replace(report, candidate=name) if name else report


def _ways_of(candidate: Any) -> Iterator[Way]:
    if ismodule(candidate):
        namespace: Mapping[str, Any] = vars(candidate)
    else:
        namespace = {getattr(candidate, "__name__", type(candidate).__name__): candidate}
    if ismodule(candidate):
        try:
            usual = find(candidate, candidate.__name__, None)
            yield Way(usual, lambda declared, cases: getattr(candidate, usual), lambda: None)
        except PurebpError:
            pass
    named = Hints(candidate.__name__) if isfunction(candidate) else Hints()
    yield from (form.way(lambda function, cases: function) for form in forms(namespace, named))


def guided(asked: Asked) -> Report:
    """Guess what is not declared, and check what then is: in the way in which its answers are most like the gradient."""
    guesses = list[tuple[Way, Guess]]()
    rest = iter(asked.ways)
    for way in rest:
        guesses.append((way, _guessed(asked, way, ranked=bool(way.owner))))
        if guesses[-1][1].sure or not guesses[-1][1].asked:
            break
    if not guesses or not guesses[-1][1].sure:
        nodes = _nodes(asked) if not guesses or guesses[-1][1].asked else None
        if nodes is not None:
            return nodes
        if not guesses:
            assert asked.problem is not None
            raise asked.problem
    way, guessed = max(guesses, key=lambda found: found[1].rank)
    report = _checked(asked, way, guessed)
    if report.verdict == "wrong" and guessed.sure:
        later = list(rest)
        rest = iter(later)
        others = (found for found in _otherwise(asked, way, guessed, later) if found[2].conforms)
        way, guessed, report = next(others, (way, guessed, report))
    if way.steps:
        report = _without_velocity(asked, way, guessed, report)
    if not way.owner or not report.conforms:
        return report
    if wrong := _wrong_beside(asked, way, guesses, rest):
        return replace(wrong, notes=(*wrong.notes, f"{way.name} is right."))
    if way.steps:
        return report
    steps = [each for each in [*(tried for tried, _ in guesses), *rest] if each.steps and each.owner == way.owner]
    return _with_its_step(asked, way, report, steps, guessed) if steps else report


def _otherwise(asked: Asked, way: Way, guessed: Guess, rest: Sequence[Way]) -> Iterator[tuple[Way, Guess, Report]]:
    """The reports under what the first answers allow as well: other activations, or another way to ask the same."""
    for other in guessed.others:
        yield way, other, _checked(asked, way, other)
    for another in rest:
        if another.name == way.name and (found := _guessed(asked, another, True)).sure:
            yield another, found, _checked(asked, another, found)


def _wrong_beside(asked: Asked, way: Way, guesses: Sequence[tuple[Way, Guess]], rest: Iterator[Way]) -> Report | None:
    """The report on another class, or another step of the same, that is wrong though a part of it is the gradient."""
    steps = [each for each in rest if each.steps and each.owner == way.owner] if way.steps else []
    named = {each.name: each for each in reversed(steps) if each.name != way.name}  # the likeliest of each
    later = [(each, _guessed(asked, each, True)) for each in [*named.values()][:MOST_STEPS]]
    best: dict[str | None, tuple[Way, Guess]] = {}
    for other, guessed in sorted([*guesses, *later], key=lambda found: found[1].rank):
        if other.name != way.name and (other.owner != way.owner or (way.steps and other.steps)):
            best[other.name] = other, guessed
    for other, guessed in best.values():
        if guessed.rank.complete and 0 < guessed.rank.likeness < 1:
            report = _checked(asked, other, guessed)
            if report.verdict == "wrong":
                return report
    return None


def _nodes(asked: Asked) -> Report | None:
    """The report on classes of nodes, one by one, if there are any."""
    if not asked.namespace:
        return None
    nodes_in = import_module("purebp.oracle.asking.nodes").nodes_in  # loaded for who has some
    found = asked.call("finding out what its classes compute", lambda: nodes_in(asked.namespace))
    if found is None:
        return None
    task = replace(asked.task, function=None)
    check_nodes = import_module("purebp.oracle.check_nodes").check_nodes
    report: Report = check_nodes(found, task.name, seed=task.seed, call=asked.call)
    return replace(report, replay=command(task, {}) if task.file else "")


def _guessed(asked: Asked, way: Way, ranked: bool) -> Guess:
    def ask_one(case: Case, tried: Declared) -> Answer:
        with nullcontext() if asked.task.program else redirect_stderr(StringIO()):  # what it says here is no news
            return ask(way.candidate(tried, repeat(case.name)), case, tried)

    source = None if asked.task.program else asked.task.source
    return guess(ask_one, {**way.options, **asked.declared}, source, ranked)


def _declared(asked: Asked, way: Way, guessed: Guess) -> Declared:
    return Declared(**{**way.options, **asked.declared, **guessed.options})


def _checked(asked: Asked, way: Way, guessed: Guess) -> Report:
    task = asked.task if asked.task.program else replace(asked.task, function=way.name)
    if guessed.asked:
        way.fresh()
    whole = _declared(asked, way, guessed)
    names = chain((case.name for case in whole.ladder(task.seed)), repeat("one of them, asked again"))
    called = way.candidate(whole, names)
    report, taken = within_limits(called, whole, task.name, task.explore, task.seed, guessed.lost)
    changes = report.explanations[0].changes if report.verdict == "wrong" and report.explanations else ()
    if "activations" not in asked.declared and (meant := guessed.computing(changes)):
        other = _checked(asked, way, meant)
        fewer = other.explanations and len(other.explanations[0].changes) < len(changes)
        if other.conforms or fewer:
            return other
    followed = report.convention
    if way.steps and followed and followed.returns == "ascent" and "returns" not in asked.declared:
        # what trains is a step, so that one uphill has its sign turned
        step = {"returns": "step", "learning_rate": followed.learning_rate, "loss": followed.named or followed.loss}
        return _checked(replace(asked, declared={**step, **asked.declared}), way, guessed)
    cases = taken.ladder(task.seed)
    if task.program and not report.conforms:
        way.fresh()
        report = replayed(called, cases, taken, report)
    failing = next((case.id for case, judged in zip(cases, report.cases) if not judged.passed), "")
    said = [way.sentence] if way.sentence else []
    if way.name and way.origins and report.verdict != "flaky" and not report.conforms and not report.explanations:
        said = [*_lines(report, way.name, way.origins, task.source), *said]
    python = not task.program and not task.file
    if guessed.state != "lost" or report.verdict != "correct-under-convention":
        said += guessed.notes(report.conforms, bool(task.program), python)
    notes = (*report.notes, *said)
    limited = {name: getattr(taken, name) for name in LIMITED if getattr(taken, name) != getattr(whole, name)}
    replay = "" if python else command(task, {**guessed.shown, **limited}, failing)
    return replace(report, notes=notes, replay=replay)


def _lines(report: Report, function: str, origins: Mapping[Key, str], source: str) -> Iterator[str]:
    """Where to look: the lines that make a wrong tensor, and none that is right."""
    wrong = {origins[tensor.key] for tensor in report.tensors if tensor.wrong and tensor.key in origins}
    right = {origins[tensor.key] for tensor in report.tensors if not tensor.wrong and tensor.key in origins}
    place, lines = lines_of(source, function, wrong - right or wrong, right - wrong)
    if lines:
        told = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
        beside = ", and nothing that is right comes from there" if right - wrong else ""
        yield f"What is wrong comes from {told} of {place}{beside}."


def _without_velocity(asked: Asked, way: Way, guessed: Guess, report: Report) -> Report:
    """Of a step that has momentum: what it keeps from call to call is none of its faults, if the first one is right."""
    kept = any(finding.kind in ("flaky", "keeps state") for finding in report.findings)
    if not kept or way.anew is None or not re.search("momentum|velocity", asked.task.source, re.IGNORECASE):
        return report
    first = _checked(asked, replace(way, candidate=way.anew), guessed)
    if not first.conforms or _adds_up(asked, way, guessed):
        return report
    note = "It has momentum: the step of a new object was judged, before which nothing has moved."
    return replace(first, notes=(*first.notes, note))


def _adds_up(asked: Asked, way: Way, guessed: Guess) -> bool:
    """Whether a second step from where the first began is twice as long or more: momentum lets go of what it has."""
    whole = _declared(asked, way, guessed)
    case = asked_first(whole.wanted)
    candidate = way.candidate(whole, repeat(case.name))
    first, second = (ask(candidate, case, whole).claim for _ in range(2))
    for key in first.keys() & second.keys():
        begun = as_claim(case.network)[key]
        numbers = zip(*([float(x) for row in rows for x in row] for rows in (begun, first[key], second[key])))
        once, both = max(((b - a, c - a) for a, b, c in numbers), key=lambda steps: abs(steps[0]))
        if once and both / once > 2 - 1e-6:
            return True
    return False


def _by_chance(asked: Asked, way: Way, guessed: Guess) -> bool:
    """Whether it answers the same case differently, though nothing is kept."""
    if way.anew is None:
        return False
    whole = _declared(asked, way, guessed)
    case = asked_first(whole.wanted, samples=0 if whole.batch else MORE)
    candidate = way.anew(whole, repeat(case.name))
    first, *others = (ask(candidate, case, whole).claim for _ in range(TIMES))
    return any(other != first for other in others)


def _with_its_step(asked: Asked, way: Way, report: Report, steps: Sequence[Way], guessed: Guess) -> Report:
    """The report on the gradients, which are right, and on what changes the weights: if that is wrong, on that."""
    known = dict(guessed.options)
    if report.convention and report.convention.named:
        known["loss"] = report.convention.named
    asked = replace(asked, declared={**known, **asked.declared})
    ranked = [(other, _guessed(asked, other, True)) for other in steps[:MOST_STEPS]]
    other, found = max(ranked, key=lambda pair: pair[1].rank)
    if not found.rank.answered:
        return report
    step = _without_velocity(asked, other, found, _checked(asked, other, found))
    if not step.conforms and _by_chance(asked, other, found):
        single = replace(other, options={**other.options, "batch": 1})  # of which there is none to draw or to leave out
        found = replace(found, options={**found.options, "batch": 1})
        step = step if _by_chance(asked, single, found) else _checked(asked, single, found)
        if step.verdict in ("wrong", "flaky") and not step.explanations:
            told = f"The step of {other.name} is not judged: something in it is drawn by chance."
            return replace(report, notes=(*report.notes, told))
    averaged = step.verdict == "correct-under-convention" and step.convention and step.convention.returns == "step"
    if step.conforms or averaged:  # whatever it divides by
        told = f": {step.convention.sentence}" if step.convention else ""
        return replace(report, notes=(*report.notes, f"{other.name} is a right step{told}."))
    return replace(step, notes=(*step.notes, f"The gradients of {way.name} are right."))


def command(task: Task, guessed: dict[str, Any], case: str = "") -> str:
    """The command that checks it again, or of a program its failing case alone."""
    words = ["purebp", "replay", case] if task.program and case else ["purebp", "check"]
    if not task.program:
        words.append(f"{task.told}:{task.function}" if task.function else task.file)
    for name, text in task.hints.items():
        words += [f"--{name.replace('_', '-')}", text]
    declared = {**guessed, **task.declared}
    if task.of:
        words += ["--of", f"{task.of[0]}:{task.of[2]}"]
        declared["inputs"] = task.inputs
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
