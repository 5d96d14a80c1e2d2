"""`check`: ask a candidate along the ladder, judge what it says, and explain it.

>>> def learnt(weights, biases, inputs, targets):  # one linear layer, half the sum of squares
...     errors = [[sum(w * x for w, x in zip(row, xs)) + b - y for row, b, y in zip(weights[0], biases[0], ys)]
...               for xs, ys in zip(inputs, targets)]
...     columns = list(zip(*errors))
...     return [[[sum(e * x for e, x in zip(c, xs)) for xs in zip(*inputs)] for c in columns]], [[sum(c) for c in columns]]
>>> check(learnt, activations=["identity"], loss="half_sse").verdict
'correct'
>>> report = check(learnt, activations=["identity"])
>>> report.verdict, report.convention.sentence
('correct-under-convention', 'the gradient of half the sum of squares, to be subtracted')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import floor, trunc
from typing import Any

from purebp.number_systems.formats import Format
from purebp.oracle.answer import BROKEN, Answer, Finding, same
from purebp.oracle.asking.candidate import LAYOUTS, Candidate, ask, imported_by, name_of
from purebp.oracle.asking.declared import Declared, argument, biased_layers, option
from purebp.oracle.asking.guessing import Guess, guess
from purebp.oracle.asking.limits import REFUSALS, limits
from purebp.oracle.asking.penalty import Penalty
from purebp.oracle.asking.state import stateful
from purebp.oracle.cases import Case, with_biases_in
from purebp.oracle.conventions import Convention, default_convention
from purebp.oracle.evidence import TensorReport, gathered
from purebp.oracle.layers import Layers
from purebp.oracle.mean_test import CASES, unbiased
from purebp.oracle.pipeline import judged
from purebp.oracle.random_cases import independent
from purebp.oracle.reports.report import Report
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch

Search = Callable[..., Case | None]  # for a case that fails: `purebp.testing.counterexample`


def check(
    candidate: Candidate,
    *,
    activations: Sequence[str | Activation] | Activation | str | None = None,
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool | str | Sequence[bool | str] | None = None,
    batch: int | None = None,
    weights: str | None = None,
    samples: str | None = None,
    returns: str | None = None,
    learning_rate: float | None = None,
    penalty: Penalty | float | str | None = None,
    momentum: float | None = None,
    format: str | Format = "binary64",
    arrays: str | None = None,
    stored: str | None = None,
    strict: bool = False,
    outputs: int | None = None,
    inputs: str | None = None,
    targets: str | None = None,
    explore: Search | None = None,
    seed: int = 0,
    name: str | None = None,
) -> Report:
    """Ask the candidate for gradients on built-in cases, and report what is proven about its answers.

    activations: one per layer (a single one: any depth). Where none are declared, they and all that is open of the
    layout are found by trying, as on the command line. loss: its name, such as "half_sse"; None: conventions are tried.
    sizes: the widths, inputs first, if they are wired in. outputs: the last of them, if that alone is. batch: the number
    of samples, if that is. inputs: "real", "whole" or "binary" numbers. targets: "real", "one_hot", "binary", or
    "labels", the numbers of the classes. weights: "out_in" (row j feeds neuron j, the default) or "in_out". samples:
    "rows" (the default) or "columns", or "vector" for a candidate that takes one sample. returns: "gradients", "descent"
    (their negative), "change" or "step" (updated weights, with learning_rate); None: found by trying. penalty: λ, or
    "0.01/n", which times the weights is added to their gradient, or "0.01,all", to every gradient. momentum: of the
    step, which begins from rest in every call. biases: True (the default), False, or "columns" for n × 1 matrices, or
    one of these for each layer. arrays: "numpy", "torch" or "jax". stored: "once", if results of a narrow format are
    computed in binary32 at least and stored once, or "every-step". strict: whether it claims the stable formulas, and is
    held to them. explore: a search for further cases, `purebp.testing.counterexample`.

    An architecture that is declared by a graph is for `check_graph`; `purebp.oracle.check(candidate, graph=…)` is the same.
    """
    called_so = name_of(candidate, name)
    if explore is not None and not callable(explore):
        raise PurebpError(f"explore={explore!r:.40}: a search is wanted, such as purebp.testing.counterexample")
    given = {
        "activations": activations,
        "loss": loss,
        "sizes": sizes,
        "biases": biases,
        "batch": batch,
        "weights": weights,
        "samples": samples,
        "returns": returns,
        "learning_rate": learning_rate,
        "penalty": penalty,
        "momentum": momentum,
        "format": format,
        "arrays": arrays,
        "stored": stored,
        "strict": strict or None,
        "outputs": outputs,
        "inputs": inputs,
        "targets": targets,
    }
    declares: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    guessed = Guess({}, asked=False)
    if Declared(**declares).activations is None:
        guessed = guess(lambda case, tried: ask(candidate, case, tried), declares, imported_by(candidate))

    def under(guessed: Guess) -> Report:
        declared = Declared(**{**declares, **guessed.options})
        report, _ = within_limits(candidate, declared, called_so, explore, seed, guessed.lost)
        return replace(report, notes=(*report.notes, *guessed.notes(report.conforms, python=True)))

    report = under(guessed)
    if report.verdict == "wrong":
        meant = guessed.computing(report.explanations[0].changes if report.explanations else ())
        others = (under(other) for other in (*filter(None, [meant]), *guessed.others))
        return next((other for other in others if other.conforms), report)
    return report


def within_limits(
    candidate: Candidate,
    declared: Declared,
    name: str,
    explore: Search | None = None,
    seed: int = 0,
    lost: bool = False,
) -> tuple[Report, Declared]:
    """The report on what the candidate takes, and the declaration of that; what it refuses is said, and not held against it.

    lost: no way was found in which it answers, so that nothing is decided where it does not.
    """
    report = checked(candidate, Layers(declared, complete=True), declared.ladder(seed), name, explore)
    if lost and all(case.finding and case.finding.kind in ("raises", "error") for case in report.cases):
        return replace(report, verdict="undecided"), declared
    if not any(case.finding and case.finding.kind in REFUSALS for case in report.cases):
        return _of_whole_numbers(candidate, declared, report, seed), declared
    found = list(limits(lambda case, tried: ask(candidate, case, tried), declared))
    options = {name: value for limit in found for name, value in limit.options.items()}
    if not options:
        return report, declared
    taken = replace(declared, **options)
    again = checked(candidate, Layers(taken, complete=True), taken.ladder(seed), name, explore)
    if again.conforms or not any(case.finding and case.finding.kind in REFUSALS for case in again.cases):
        return replace(again, notes=(*again.notes, *(limit.sentence for limit in found))), taken
    return report, declared


def _of_whole_numbers(candidate: Candidate, declared: Declared, report: Report, seed: int) -> Report:
    """What is wrong for no known reason, and right for whole numbers, may be meant for those, and cut all others."""
    known = report.verdict != "wrong" or report.explanations or report.findings
    if (
        known
        or declared.inputs
        or declared.format.kept
        or not _cuts(candidate, declared.ladder(seed, most=1)[0], declared)
    ):
        return report
    whole = replace(declared, inputs="whole")
    if not checked(candidate, Layers(whole, complete=True), whole.ladder(seed), report.candidate).conforms:
        return report
    sentence = (
        "Where inputs are whole numbers it is right, and where they are not it is not: if it takes no others, declare "
        "inputs='whole', or --inputs whole."
    )
    return replace(report, verdict="undecided", notes=(sentence, *report.notes))


def _cuts(candidate: Candidate, case: Case, declared: Declared) -> bool:
    """Whether it answers as if the inputs were whole numbers."""
    given = ask(candidate, case, declared).claim
    for whole in (trunc, floor, round):
        inputs = [[float(whole(x)) for x in row] for row in case.batch.inputs]
        cut = replace(case, batch=Batch(inputs, case.batch.targets))
        if given and same(given, ask(candidate, cut, declared).claim):
            return True
    return False


def checked(
    candidate: Candidate, question: Layers, cases: Sequence[Case], name: str, explore: Search | None = None
) -> Report:
    """Ask on these cases, judge, and look further where the answers are of another shape, or all right."""
    declared, cases = question.declared, list(cases)
    question = replace(question, again=lambda case: ask(candidate, case, declared))
    answers = [ask(candidate, case, declared) for case in cases]
    some = biased_layers([answer.claim for answer in answers], cases)
    if some and (fewer := _with_biases_in(some, candidate, question, cases, name, explore)):
        return fewer
    state = list(stateful(cases, answers, lambda case: ask(candidate, case, declared)))
    report = judged(question, cases, answers, name, state=state)
    if any(finding.kind in ("wrong shape", "wrong number of layers", "not understood") for finding in report.findings):
        return _in_another_layout(candidate, cases, declared, name) or report
    if declared.weights == "in_out" and report.verdict == "wrong":
        report = _row_by_row(candidate, cases, declared, name) or report
    failed: tuple[Case, Answer] | None = None
    if declared.stored == "every-step":
        report, failed = unbiased(
            question, report, independent(declared.wanted, CASES), lambda case: ask(candidate, case, declared)
        )
    if explore and report.conforms and not failed and (found := explore(candidate, declared, report.convention)):
        failed = found, ask(candidate, found, declared)
    if failed is None:
        return report
    return judged(question, [*cases, failed[0]], [*answers, failed[1]], name, state=state, known=report.convention)


def _with_biases_in(
    some: tuple[bool, ...],
    candidate: Candidate,
    question: Layers,
    cases: Sequence[Case],
    name: str,
    explore: Search | None,
) -> Report | None:
    """The report where only some layers have biases, unless it cannot be asked so."""
    asked = replace(question, declared=replace(question.declared, biases=some))
    report = checked(candidate, asked, [with_biases_in(some, case) for case in cases], name, explore)
    if any(finding.fatal for finding in report.findings):
        return None
    without = [l for l, has in enumerate(some) if not has]
    if len(without) > 1:
        told = f"Layers {' and '.join(str(l + 1) for l in without)} have no biases"
    else:
        hidden = "The hidden layer" if len(some) == 2 else f"Layer {without[0] + 1}"
        told = f"{'The output layer' if without[0] == len(some) - 1 else hidden} has no biases"
    note = f"{told}: declare {argument('biases', some)}, or {' '.join(option('biases', some))}."
    return replace(report, notes=(note, *report.notes))


def _in_another_layout(candidate: Candidate, cases: Sequence[Case], declared: Declared, name: str) -> Report | None:
    """The report on the same answers in another shape, if they are right then.

    Biases within the weights are a convention; transposed or reversed gradients cannot be subtracted from the weights.
    """
    for layout, read in LAYOUTS.items():

        def adapted(*given: Any, read: Callable[[Any], Any] = read) -> Any:
            return read(candidate(*given))

        answers = [ask(adapted, case, declared) for case in cases]
        report = judged(Layers(declared), cases, answers, name, explained=False)
        if report.conforms:
            notes = (f"{layout[0].upper()}{layout[1:]}.", *report.notes)
            verdict = "correct-under-convention"
            return replace(report, verdict=verdict, conforms="biases" in layout, notes=notes)
    return None


def _row_by_row(candidate: Candidate, cases: Sequence[Case], declared: Declared, name: str) -> Report | None:
    """The report on who declares in_out and reads a row for each neuron, if that alone is what is wrong.

    Words on a pipe have no shapes: as many numbers are read either way, and answered in the order in which they were read.
    """
    by_rows = replace(declared, weights="out_in")

    def in_words(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        said = candidate([_refilled(rows) for rows in weights], biases, inputs, targets)
        of_weights, *others = said if isinstance(said, tuple) else (said["weights"],)
        turned = [_refilled(rows) for rows in of_weights]
        return (turned, *others) if others else {**said, "weights": turned}

    for read in (in_words, candidate):
        for some in (cases[:1], cases):
            report = judged(Layers(by_rows, complete=True), some, [ask(read, case, by_rows) for case in some], name)
            if not report.conforms:
                break
        else:
            told = (READS_ROWS, *report.notes)
            return replace(report, verdict="correct-under-convention", conforms=False, notes=told)
    return None


READS_ROWS = (
    "It declares weights=in_out, and reads the numbers, and writes them, as out_in: row j holds the weights of neuron j, "
    "as in the loops of docs/any-language.md. Do not declare weights=in_out, or turn the matrices when they are read and "
    "when they are written."
)


def _refilled(rows: Any) -> list[list[float]]:
    """The numbers of an n × m matrix, in their order, as one of m × n."""
    numbers = [x for row in rows for x in row]
    return [numbers[i : i + len(rows)] for i in range(0, len(numbers), len(rows))]


def replayed(candidate: Candidate, cases: Sequence[Case], declared: Declared, report: Report) -> Report:
    """The report on a candidate that has failed, with its first failing case asked once more: of a fresh process, say."""
    index = next((i for i, found in enumerate(report.cases[: len(cases)]) if not found.passed), None)
    if index is None or report.verdict == "flaky":
        return report
    convention: Convention = report.convention or default_convention(declared)
    if (some := biased_layers([{t.key for t in case.tensors} for case in report.cases], cases)) is not None:
        cases, declared = [with_biases_in(some, case) for case in cases], replace(declared, biases=some)
    answer, first = ask(candidate, cases[index], declared), report.cases[index]
    (again,) = gathered([cases[index]], [answer], convention, declared.format, Layers(declared).enclose)
    if _alike(again.tensors, first.tensors) and (answer.fatal and answer.fatal.kind) == (
        first.finding and first.finding.kind
    ):
        return report
    sentence = (
        "asked once more, in a fresh process, it gives another answer: it depends on what came before, or on chance"
    )
    finding = Finding("flaky", sentence, cases[index].name)
    verdict = report.verdict if report.verdict in BROKEN else "flaky"
    return replace(report, verdict=verdict, findings=(*report.findings, finding))


def _alike(tensors: Sequence[TensorReport], others: Sequence[TensorReport]) -> bool:
    """Whether they may be of one answer, rounded anew: no entry is off by two budgets more, or less, than the other."""
    return [tensor.name for tensor in tensors] == [tensor.name for tensor in others] and not any(
        abs(a - b) > 2
        for tensor, other in zip(tensors, others)
        for rows in zip(tensor.shares, other.shares)
        for a, b in zip(*rows)
    )
