"""`check_nodes`: a learner's classes of nodes, values or layers, judged one by one, and then as a network.

Of each trial the same graph is built in purebp, and the numbers are judged as those of any graph. So verdicts have error
budgets and no tolerance.

>>> from purebp.oracle.asking.nodes import nodes_in
>>> class Value:
...     def __init__(self, data, made_of=()):
...         self.data, self.grad, self.made_of = data, 0.0, made_of
...     def __add__(self, other):
...         return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
...     def __sub__(self, other):
...         return Value(self.data - other.data, [(self, 1.0), (other, 1.0)])
...     def backward(self, gradient=1.0):
...         self.grad += gradient
...         for value, slope in self.made_of:
...             value.backward(gradient * slope)
>>> check_nodes(nodes_in({"Value": Value}), "mine").headline
'mine: wrong: Value.__sub__: sign turned'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from purebp.graphs.tensors import Tensor
from purebp.oracle.answer import Finding
from purebp.oracle.asking.nodes import Nodes
from purebp.oracle.asking.trials import NOT_CHANGED, Runner, Trial, direct
from purebp.oracle.check_graphs import check_graph
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.explaining.recipe import LOSS, OPERANDS, STATE
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import PurebpError

SCALED = ("correct-under-convention",)  # of one class: a factor, which another class may make good
THE_RULE = "v̄ = Σ over the uses of v, in y = f(…, v, …), of ȳ ∂f/∂v"


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial and its report."""

    trial: Trial
    report: Report
    factor: str = ""  # of a step

    @property
    def scaled(self) -> bool:
        """Whether it is off by a constant factor alone."""
        return self.report.verdict in SCALED or bool(self.factor)

    @property
    def passed(self) -> bool:
        return self.report.verdict == "correct"


def check_nodes(nodes: Nodes, name: str, *, seed: int = 0, call: Runner = direct) -> Report:
    """Put the classes to their trials, and report on the simplest that is wrong, or that all are right.

    call: runs the code of the user, with a label that says what it is doing; as where it must not take too long.
    """
    tried: dict[str, list[Tried]] = {}
    notes: list[str] = [nodes.sentence]
    wrong: dict[str, Tried] = {}
    scaled: dict[str, Tried] = {}
    whole = None
    for trial in nodes.trials:
        if trial.subject in wrong or any(need in wrong for need in trial.needs):
            continue
        if trial.note and trial.subject in scaled:
            continue
        one = Tried(trial, _asked(trial, seed, call))
        if not one.passed and trial.otherwise and (factor := _factor(trial, seed, call)):
            one = replace(one, factor=factor)
        if trial.note:
            notes += [] if one.passed or _refused(one.report, "") else [trial.note]
            continue
        if trial.refuses and _refused(one.report, trial.forward):
            continue
        tried.setdefault(trial.subject, []).append(one)
        if trial.is_network:
            whole = one.passed and whole is not False
        if one.passed or one.report.verdict == "undecided":
            continue
        if one.scaled and trial.shared:
            scaled.setdefault(trial.subject, one)
        else:
            wrong[trial.subject] = one
    if scaled and whole:
        notes += [_made_good(one) for one in scaled.values()]
    else:
        wrong |= scaled
    order = [subject for subject in tried if subject in wrong]
    return _report(name, tried, {subject: wrong[subject] for subject in order}, notes, nodes, seed, call)


def _asked(trial: Trial, seed: int, call: Runner, leaves: Sequence[str] | None = None) -> Report:
    """The report on one trial, as that on any graph."""
    label = f"{trial.subject}, {trial.how}"
    asked = trial.leaves if leaves is None else leaves

    def candidate(feed: Mapping[str, Tensor]) -> Any:
        said = call(label, lambda: trial.run(feed))
        return {key: x for key, x in said.items() if key not in trial.leaves or key in asked}

    returns = "gradients" if trial.learning_rate is None else "step"
    try:
        return check_graph(
            candidate, trial.graph(asked), returns=returns, learning_rate=trial.learning_rate, seed=seed, name=label
        )
    except PurebpError as error:
        return Report(label, "undecided", False, None, (), (), (f"{label}: {error}",), (), None, ())


def _factor(trial: Trial, seed: int, call: Runner, leaves: Sequence[str] | None = None) -> str:
    """The factor with which a step is right, of all parameters or of these alone, if there is one."""
    for name, graph in trial.otherwise:
        if _asked(replace(trial, graph=graph, otherwise=()), seed, call, leaves).verdict == "correct":
            return name
    return ""


def _refused(report: Report, method: str) -> bool:
    """Whether it, or that method, raises: it refuses what it is given."""
    return any(finding.kind == "raises" and finding.sentence.startswith(method) for finding in report.findings)


def _made_good(one: Tried) -> str:
    factor = one.factor or one.report.explanations[0].name
    return (
        f"{one.trial.backward} alone returns its gradient with another factor ({factor}), and the others make it good."
    )


def _report(
    name: str,
    tried: Mapping[str, Sequence[Tried]],
    wrong: Mapping[str, Tried],
    notes: list[str],
    nodes: Nodes,
    seed: int,
    call: Runner,
) -> Report:
    pieces = [one for s, several in tried.items() for one in several if s in wrong or not one.scaled]
    right = [s for s, several in tried.items() if s not in wrong and any(one.passed or one.scaled for one in several)]
    open_ = [s for s in tried if s not in wrong and s not in right]
    cases = tuple(
        replace(case, name=f"{one.report.candidate}: {case.name}") for one in pieces for case in one.report.cases
    )
    tensors = tuple(
        replace(tensor, name=f"{one.trial.subject} {one.trial.how}: {tensor.name}")
        for one in pieces
        for tensor in one.report.tensors
    )
    mild = [f for one in pieces for f in one.report.findings if not f.fatal and f.kind != "not given"]
    notes += [f"Right: {', '.join(right)}."] * bool(right)
    notes += [f"Not decided: {', '.join(open_)}."] * bool(open_)
    if not wrong:
        verdict = "correct" if right else "undecided"
        return Report(
            name, verdict, verdict == "correct", None, (), _first_of_each(mild), tuple(notes), tensors, None, cases
        )
    first, *others = wrong.values()
    diagnosis, located = _diagnosis(first, seed, call)
    skipped = [t.subject for t in nodes.trials if t.subject not in tried and not t.note]
    notes = [*located, *notes]
    notes += [f"Wrong as well: {', '.join(one.trial.subject for one in others)}."] * bool(others)
    notes += [f"Not judged before that is mended: {', '.join(dict.fromkeys(skipped))}."] * bool(skipped)
    report = first.report
    verdict = "imprecise" if report.verdict == "imprecise" else report.verdict if report.verdict == "flaky" else "wrong"
    return replace(
        report,
        candidate=name,
        verdict=verdict,
        conforms=False,
        convention=None,
        explanations=(diagnosis,),
        findings=_first_of_each(mild),
        notes=tuple(notes),
        cases=cases,
    )


def _first_of_each(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple({finding.kind: finding for finding in reversed(findings)}.values())


def _diagnosis(one: Tried, seed: int, call: Runner) -> tuple[Diagnosis, list[str]]:
    """What is wrong with the class, and in which method; and where to look."""
    trial, report = one.trial, one.report
    fatal = next((finding for finding in report.findings if finding.fatal), None)
    gives = trial.mistake[0]
    if fatal and fatal.kind == "keeps state" and not gives:
        name = "not reset between calls"
        return _named(trial.backward, trial, name, STATE, f"{fatal.sentence}."), []
    shapes = trial.refuses and trial.forward != trial.backward
    if fatal and not (gives and (fatal.kind != "raises" or shapes)):
        method, _, rest = fatal.sentence.partition(" ")
        known = method in (trial.forward, trial.backward) or method.partition(".")[0] == trial.subject
        where = method if known else trial.backward
        told = {"raises": rest.split(":")[0].split(",")[0], "order": "wrong order"}.get(fatal.kind, fatal.kind)
        return _named(where, trial, told, OPERANDS, f"{fatal.sentence}."), []
    forward = [t for t in report.tensors if t.wrong and not t.name.startswith("∂") and "after the step" not in t.name]
    if forward and not gives:
        sentence = f"{trial.forward} does not compute what it is meant to: its value is off already."
        return _named(trial.forward, trial, "forward is wrong", OPERANDS, sentence), []
    located = [note for note in report.notes if note]
    for told, sentence, run in trial.cured:
        if _asked(replace(trial, run=run), seed, call).verdict == "correct":
            return _named(trial.backward, trial, told, OPERANDS, sentence), []
    if report.verdict == "imprecise":
        return _named(trial.backward, trial, "imprecise", OPERANDS, located[0] if located else ""), []
    named = [each for each in report.explanations if not one.scaled or each.name == gives]
    if gives and not named:
        return _named(trial.backward if not forward else trial.forward, trial, gives, STATE, trial.mistake[1]), []
    if report.explanations:
        found = report.explanations[0]
        sentence = _of_factor(trial, found) if one.scaled else found.sentence
        return _named(trial.backward, trial, found.name, found.family, sentence, found.line), []
    off = [leaf for leaf in trial.leaves if any(t.wrong and t.kind == f"∂loss/∂{leaf}" for t in report.tensors)]
    if len(trial.leaves) > 1 and trial.learning_rate is None:
        for leaf in off:
            alone = _asked(trial, seed, call, [leaf])
            if alone.explanations:
                found = alone.explanations[0]
                sentence = _of_factor(trial, found, leaf) if alone.verdict in SCALED else found.sentence
                return _named(trial.backward, trial, found.name, found.family, sentence, found.line), located
    thing = "gradient" if trial.learning_rate is None else "step"
    what = f"the {thing} of {', '.join(off)}" if off else "what it gives"
    if one.factor:
        return _named(trial.backward, trial, one.factor, LOSS, _of_step(trial, one.factor)), []
    for leaf in off if len(trial.leaves) > 1 and trial.otherwise else ():
        if factor := _factor(trial, seed, call, [leaf]):
            return _named(trial.backward, trial, factor, LOSS, _of_step(trial, factor, leaf)), []
    if trial.learning_rate is not None and trial.subject == trial.backward:
        return _named(
            trial.backward,
            trial,
            "wrong step",
            LOSS,
            f"{trial.backward} does not subtract the learning rate times the gradient.",
        ), located
    zeros = off and all(any(f"∂loss/∂{leaf} is 0" in note for note in located) for leaf in off)
    if zeros:
        sentence = f"{trial.backward}, {trial.how}: {what} is 0: nothing comes back to it."
        return _named(trial.backward, trial, f"{what} is 0", OPERANDS, sentence), []
    sentence = f"{trial.backward}, {trial.how}: {what} is wrong."
    return _named(trial.backward, trial, what + " is wrong", OPERANDS, sentence), located


def _named(where: str, trial: Trial, name: str, family: str, sentence: str, line: str = THE_RULE) -> Diagnosis:
    sentence = re.sub(r"#\d+", "", sentence)
    if not sentence.startswith(where):
        sentence = f"{where}, {trial.how}: {sentence}"
    return Diagnosis(f"{where}: {name}", family, sentence, line, (name,))


def _of_step(trial: Trial, factor: str, leaf: str = "") -> str:
    what = f"The step of {leaf} in {trial.backward}" if leaf else f"The step of {trial.backward}"
    if factor == "sign turned":
        return f"{what} goes uphill: subtract the learning rate times the gradient."
    if factor == NOT_CHANGED:
        return f"{what} changes nothing."
    return f"{what} is too long or too short: {factor}."


def _of_factor(trial: Trial, found: Diagnosis, leaf: str = "") -> str:
    what = f"the gradient of {leaf}" if leaf else "the gradient"
    if found.name == "sign turned":
        return f"{trial.backward} returns {what} with its sign turned: it is not that of {trial.forward}."
    factor = found.name.removeprefix("factor ")
    return f"{trial.backward} returns {factor} times {what} of {trial.forward} (n samples, m outputs)."
