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

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from purebp.number_systems.formats import Format
from purebp.oracle.asking.candidate import LAYOUTS, NOT_ASKED, Answer, Candidate, Finding, ask
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.cases import Case, default_loss
from purebp.oracle.conventions import ONE, Convention, budgets
from purebp.oracle.evidence import UPDATED, Claim, Entry, TensorReport, compare, inside, same, tensor_name
from purebp.oracle.explaining.catalogue import STATE
from purebp.oracle.explaining.diagnosis import Diagnosis, Observation, explanations, followed, gradients_in
from purebp.oracle.explaining.localisation import approximation, localised
from purebp.oracle.explaining.recipe import LOCAL
from purebp.oracle.reports.report import CaseReport, Report
from purebp.textbook.activations import Activation, sigmoid
from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.linalg import transpose
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Gradients, Network

if TYPE_CHECKING:
    from purebp.graphs.operations import Node

BROKEN = ("crash", "timeout", "malformed")  # a program that does so gives no wrong number, and no verdict
COMMON_RATES = [1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001]  # tried where a step is returned and no learning rate declared


def check(
    candidate: Candidate,
    *,
    activations: Sequence[str | Activation] | Activation | str = ("sigmoid", "sigmoid"),
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool | str = True,
    batch: int | None = None,
    weights: str = "out_in",
    samples: str = "rows",
    returns: str | None = None,
    learning_rate: float | None = None,
    format: str | Format = "binary64",
    arrays: str | None = None,
    explore: bool = False,
    seed: int = 0,
    name: str | None = None,
    graph: Node | None = None,
) -> Report:
    """Ask the candidate for gradients on built-in cases, and report what is proven about its answers.

    activations: one per layer (a single one: any depth). What is None is left open: the conventions are tried.
    loss: its name, such as "half_sse". sizes: the widths, inputs first, if they are wired in. batch: the number of
    samples, if that is. weights: "out_in" (row j feeds neuron j) or "in_out". samples: "rows" or "columns", or
    "vector" for a candidate that takes one sample. returns: "gradients", "descent" (their negative) or "step" (updated
    weights, with learning_rate). biases: False, or "columns" for n × 1 matrices. arrays: "numpy", "torch" or "jax".
    explore: search on with Hypothesis.

    graph: the cost of an architecture that is declared by a graph, in place of activations, loss and sizes. The
    candidate is then called with one dictionary from names to lists, and returns one of gradients (docs/graph.md).
    """
    declared = Declared(
        activations, loss, sizes, biases, batch, weights, samples, returns, learning_rate, format, arrays
    )
    if not callable(candidate):
        raise PurebpError(
            f"{candidate!r:.60} cannot be called: a function of (weights, biases, inputs, targets) is wanted"
        )
    called = name or str(getattr(candidate, "__name__", type(candidate).__name__))
    if graph is not None:
        from purebp.oracle.graphs import check_graph  # which builds on this module

        if explore or any(given is not None for given in (loss, sizes, batch, arrays)):
            raise PurebpError("graph=… says it all: loss, sizes, batch, arrays and explore do not go with it")
        return check_graph(candidate, graph, declared, called, seed)
    cases = list(declared.ladder(seed))
    answers = [ask(candidate, case, declared) for case in cases]
    state = list(stateful(cases, answers, lambda case: ask(candidate, case, declared)))
    report = judged(cases, answers, declared, called, state)
    if report.conforms and (missing := _not_given(report, cases, declared)):
        return replace(report, verdict="undecided", conforms=False, notes=(missing, *report.notes))
    if any(finding.kind in ("wrong shape", "wrong number of layers", "not understood") for finding in report.findings):
        report = _in_another_layout(candidate, cases, declared, called) or report
    elif explore and report.conforms:
        from purebp.testing.explore import counterexample  # the only part that wants Hypothesis

        found = counterexample(
            candidate, declared, report.convention, any_depth=isinstance(declared.activations, Activation)
        )
        if found is not None:
            answers.append(ask(candidate, found, declared))
            report = judged([*cases, found], answers, declared, called, state, known=report.convention)
    return report


def replayed(candidate: Candidate, cases: Sequence[Case], declared: Declared, report: Report) -> Report:
    """The report on a candidate that has failed, with its first failing case asked once more: of a fresh process, say."""
    index = next((i for i, found in enumerate(report.cases[: len(cases)]) if not found.passed), None)
    if index is None or report.verdict == "flaky":
        return report
    convention = report.convention or default_convention(declared)
    answer = ask(candidate, cases[index], declared)
    again = judged([cases[index]], [answer], declared, "", explained=False, known=convention).cases[0]
    first = report.cases[index]
    if again.tensors == first.tensors and (again.finding and again.finding.kind) == (
        first.finding and first.finding.kind
    ):
        return report
    sentence = (
        "asked once more, in a fresh process, it gives another answer: it depends on what came before, or on chance"
    )
    finding = Finding("flaky", sentence, cases[index].name)
    verdict = report.verdict if report.verdict in BROKEN else "flaky"
    return replace(report, verdict=verdict, findings=(*report.findings, finding))


def _not_given(report: Report, cases: Sequence[Case], declared: Declared) -> str:
    """What a candidate left out, where all that it gave is right."""
    kinds = LOCAL if declared.biases else LOCAL[:1]
    for case, found in zip(cases, report.cases):
        if not found.tensors:  # skipped
            continue
        given = {(tensor.kind, tensor.layer) for tensor in found.tensors}
        for l in range(len(case.network.layers)):
            for kind in kinds:
                if (kind, l) not in given:
                    name = tensor_name((kind, l), declared.returns)
                    return (
                        f"On the case “{case.name}” {name} was not given, so that it is not judged: "
                        "return all gradients, or use purebp.oracle.judge for a part of them."
                    )
    return ""


def _in_another_layout(candidate: Candidate, cases: Sequence[Case], declared: Declared, name: str) -> Report | None:
    """The report on the same answers in another shape, if they are right then.

    Biases within the weights are a convention; transposed or reversed gradients cannot be subtracted from the weights.
    """
    for layout, read in LAYOUTS.items():

        def adapted(*given: Any, read: Callable[[Any], Any] = read) -> Any:
            return read(candidate(*given))

        answers = [ask(adapted, case, declared) for case in cases]
        report = judged(cases, answers, declared, name, explained=False)
        if report.conforms:
            note = f"{layout[0].upper()}{layout[1:]}."
            return replace(
                report, verdict="correct-under-convention", conforms="biases" in layout, notes=(note, *report.notes)
            )
    return None


def judge(
    network: Network,
    batch: Batch,
    claimed: Gradients | Claim | tuple[Any, Any] | dict[str, Any],
    loss: Loss | str | None = "mse",
    format: str | Format = "binary64",
    *,
    returns: str | None = "gradients",
    learning_rate: float | None = None,
    name: str = "answer",
) -> Report:
    """Judge one answer, without calling anything: `Gradients`, (weight gradients, bias gradients), or a dictionary.

    >>> from purebp import backpropagation
    >>> network, batch = Network.random([2, 3, 1]), Batch([[0.5, -1.0]], [[1.0]])
    >>> judge(network, batch, backpropagation(network, batch, "sse"), "sse").verdict
    'correct'
    """
    declared = Declared(
        tuple(layer.activation for layer in network.layers),
        loss,
        biases=any(layer.biases is not None for layer in network.layers),
        returns=returns,
        learning_rate=learning_rate,
        format=format,
    )
    case = Case("the case", network, batch)
    return judged([case], [ask(lambda *given: claimed, case, declared)], declared, name)


def judged(
    cases: Sequence[Case],
    answers: Sequence[Answer],
    declared: Declared,
    name: str,
    state: Sequence[Finding] = (),  # found by asking again
    explained: bool = True,
    known: Convention | None = None,  # what the answers to most of the cases follow
) -> Report:
    """The report on answers to cases."""
    findings = list({f.kind: f for answer in reversed(answers) for f in reversed(answer.findings)}.values())[::-1]
    findings += state
    answered = [(case, answer.claim) for case, answer in zip(cases, answers) if answer.claim]
    convention, found_another = (known, True) if known else _convention(answered, declared)
    reports = _reports(cases, answers, convention, declared.format.name)
    verdict, told, notes = _verdict(answered, reports, findings, convention, found_another, declared, explained)
    if verdict == "wrong" and explained and not known:
        voted = [] if told else _voted(answered, declared)
        meant = told[0].convention if told else _of_most(answered, voted, declared)
        if meant is None and not any(finding.fatal for finding in findings):
            for c in voted:
                if note := approximation(_gradients(answered), c, declared.format.name):
                    verdict, notes, meant = "imprecise", [note], c
                    break
        if meant is not None and meant != convention and _as_declared(meant, declared):
            convention, found_another = meant, True
            reports = _reports(cases, answers, convention, declared.format.name)
            if verdict == "wrong":
                notes = localised(reports, answered, convention, declared.format.name, named=bool(told))
    conforms = verdict in ("correct", "correct-under-convention") and not told and _as_declared(convention, declared)
    if verdict == "correct-under-convention":
        found_another, convention = True, next((d.convention for d in told if d.convention), convention)
    entries = [tensor.worst for report in reports for tensor in report.tensors if tensor.wrong and tensor.worst]
    worst = max(entries, key=lambda entry: entry.share, default=None)
    failing = next((index for index, report in enumerate(reports) if not report.passed), None)
    return Report(
        name,
        verdict,
        conforms,
        convention if found_another else None,
        tuple(told),
        tuple(findings),
        tuple(notes),
        over_cases(reports),
        _own_layout(worst, declared),
        tuple(reports),
        declared.format.name,
        "" if failing is None else _shown(cases[failing], answers[failing], convention, declared),
    )


def _reports(cases: Sequence[Case], answers: Sequence[Answer], convention: Convention, format: str) -> list[CaseReport]:
    """Every answer beside its budgets."""
    reports = []
    for case, answer in zip(cases, answers):
        allowed = budgets(case, convention, format, answer.claim) if answer.claim else {}
        tensors = compare(answer.claim, allowed, convention.returns)
        fatal = next((finding for finding in answer.findings if finding.fatal), None)
        reports.append(CaseReport(case.name, case.network.sizes, len(case.batch.inputs), tuple(tensors), fatal))
    return reports


def _verdict(
    answered: Sequence[tuple[Case, Claim]],
    reports: Sequence[CaseReport],
    findings: Sequence[Finding],
    convention: Convention,
    found_another: bool,
    declared: Declared,
    explain: bool,
) -> tuple[str, list[Diagnosis], list[str]]:
    """The verdict, the explanations of a candidate that does not conform, and what else is to be said."""
    gradients = _gradients(answered)
    kept = next((finding for finding in findings if finding.kind in ("flaky", "keeps state")), None)
    broken = next((finding.kind for finding in findings if finding.kind in BROKEN), None)
    if broken and not any(tensor.wrong for report in reports for tensor in report.tensors):
        return broken, [], []
    if all(report.passed for report in reports) and not kept:
        if not answered:
            return "skipped", [], []
        if undecided := undecided_tensors(reports):
            note = f"The budgets of {', '.join(undecided)} are wider than half the values on every case: no evidence."
            return "undecided", [], [note]
        if _as_declared(convention, declared):
            verdict = "correct-under-convention" if found_another else "correct"
            unseen = declared.biases and not any(kind == "biases" for _, claim in gradients for kind, _ in claim)
            notes = ["Gradients of biases were not given, and are not judged."] if gradients and unseen else []
            return verdict, [], [*notes, *_often_accused(declared, convention)]
        notes = ["That is the gradient of no loss in use."] if convention.named is None else []
        if convention.returns == "ascent":
            notes.append("The step goes uphill: subtract the gradient from the weights.")
        return "correct-under-convention", _told(gradients, declared)[:1], notes
    if not explain:
        return "wrong", [], []
    elsewhere = any(t.wrong and t.kind not in LOCAL for report in reports for t in report.tensors)
    explained = [diagnosis for diagnosis in _told(gradients, declared) if diagnosis.changes] if gradients else []
    if kept and kept.kind == "flaky":
        return "flaky", explained, []
    if kept and not explained:
        sentence = f"{kept.sentence[0].upper()}{kept.sentence[1:]}."
        name = "not reset between calls"
        return "wrong", [Diagnosis(name, STATE, sentence, "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹", (name,))], []
    if not any(finding.fatal for finding in findings):
        if explained and not elsewhere and all(map(_conventional, explained[0].changes)):
            return "correct-under-convention", explained, []
        if not explained and not elsewhere and (note := approximation(gradients, convention, declared.format.name)):
            return "imprecise", [], [note]
    return "wrong", explained, localised(reports, answered, convention, declared.format.name, named=bool(explained))


def _gradients(answered: Sequence[tuple[Case, Claim]]) -> list[tuple[Case, Claim]]:
    """Weights and biases alone."""
    return [(case, found) for case, claim in answered if (found := gradients_in(claim))]


def _told(gradients: Sequence[tuple[Case, Claim]], declared: Declared, plain: bool = False) -> list[Diagnosis]:
    """What explains the gradients; of networks of several depths, those of the commonest."""
    depths = [len(case.network.layers) for case, _ in gradients]
    depth = max(depths, key=depths.count)
    observations = [Observation(*o) for o, d in zip(gradients, depths) if d == depth]
    return explanations(
        observations, declared.loss, declared.format.name, declared.returns, declared.learning_rate, plain
    )


def default_convention(declared: Declared) -> Convention:
    """What answers follow where nothing is declared otherwise."""
    return Convention(
        default_loss(declared.per_layer(), declared.loss), ONE, declared.returns or "gradients", declared.learning_rate
    )


def _convention(answered: Sequence[tuple[Case, Claim]], declared: Declared) -> tuple[Convention, bool]:
    """What the answers follow: what was declared, or where that was left open the one found; and whether it is another."""
    default = default_convention(declared)
    if not answered or (declared.loss is not None and declared.returns is not None):
        return default, False
    if all(inside(claim, budgets(case, default, declared.format.name, claim)) for case, claim in answered):
        return default, False
    gradients = _gradients(answered)
    if not gradients:
        return default, False
    found = [told[0].convention for tried in _tries(declared) if (told := _told(gradients, tried, plain=True))]
    known = sorted((c for c in found if c is not None), key=lambda convention: convention.named is None)
    return (known[0], True) if known else (default, False)


def _tries(declared: Declared) -> Iterator[Declared]:
    """What was declared; and where it was not declared what is returned, a step of each common learning rate."""
    yield declared
    if declared.returns is None:
        for rate in [declared.learning_rate] if declared.learning_rate else COMMON_RATES:
            yield replace(declared, returns="step", learning_rate=rate)


def _voted(answered: Sequence[tuple[Case, Claim]], declared: Declared) -> list[Convention]:
    """What was left open, as the answers to more than half of the cases have it, in a quick pass; most votes first."""
    if declared.loss is not None and declared.returns is not None:
        return []
    gradients, votes = _gradients(answered), Counter[Convention]()
    for of in _tries(declared):
        for one in gradients:
            found = followed(Observation(*one), of.loss, of.format.name, of.returns, of.learning_rate)
            votes.update(dict.fromkeys(found, 1))
    most = [c for c, n in votes.items() if 2 * n > len(gradients) and _as_declared(c, declared)]
    return sorted(most, key=lambda c: (-votes[c], c.plainness))


def _of_most(
    answered: Sequence[tuple[Case, Claim]], voted: Sequence[Convention], declared: Declared
) -> Convention | None:
    """The first convention in whose budgets the answers to more than half of the cases lie."""
    gradients = _gradients(answered)
    for convention in voted:
        allowed = ((claim, budgets(case, convention, declared.format.name, claim)) for case, claim in gradients)
        if 2 * sum(inside(*pair) for pair in allowed) > len(gradients):
            return convention
    return None


def _as_declared(convention: Convention, declared: Declared) -> bool:
    """Whether nothing that was declared is otherwise."""
    if convention.named is None:  # 1/n twice is no convention of any loss
        return False
    loss_fits = declared.loss is None or convention.named == declared.loss
    return loss_fits and declared.returns in (None, convention.returns) and convention.returns != "ascent"


def _conventional(change: str) -> bool:
    return change in ("sign turned", "gradient of another loss") or (
        change.startswith("factor ") and " in " not in change
    )


def undecided_tensors(reports: Sequence[CaseReport]) -> list[str]:
    """Tensors that no case decided."""
    seen: dict[str, bool] = {}
    for report in reports:
        for tensor in report.tensors:
            seen[tensor.name] = seen.get(tensor.name, False) or not tensor.undecided
    return [name for name, decided in seen.items() if not decided]


def stateful(cases: Sequence[Any], answers: Sequence[Answer], again: Callable[[Any], Answer]) -> Iterator[Finding]:
    """Ask some cases once more: answers that change were kept from an earlier call, or drawn by chance."""
    for case, first in zip(cases[:2], answers):
        if not first.claim:
            continue
        second, third = again(case), again(case)
        if same(first.claim, second.claim) and same(second.claim, third.claim):
            continue
        if any(finding.kind in (*BROKEN, NOT_ASKED) for answer in (second, third) for finding in answer.findings):
            continue
        growing = _same_steps(second.claim, third.claim, again(case).claim)
        if growing:
            yield Finding(
                "keeps state",
                "its answer grows from call to call by the same amount: gradients are added to "
                "those of earlier calls, and never reset to 0",
                case.name,
            )
        elif same(second.claim, third.claim):
            yield Finding(
                "keeps state",
                "its answer depends on what was asked before: something of an earlier call is kept",
                case.name,
            )
        else:
            yield Finding(
                "flaky",
                "asked the same three times, it gives different answers: something is drawn by "
                "chance, or kept from call to call",
                case.name,
            )
        return


def _same_steps(a: Claim, b: Claim, c: Claim) -> bool:
    """Whether c − b = b − a, entry by entry and nearly, and not 0."""
    if not (a.keys() == b.keys() == c.keys()):
        return False
    steps = [(z - y, y - x) for key in a for rows in zip(a[key], b[key], c[key]) for x, y, z in zip(*rows)]
    largest = max((abs(s) for pair in steps for s in pair), default=0.0)
    return largest > 0 and all(abs(s - t) <= 1e-6 * largest for s, t in steps)


def _often_accused(declared: Declared, convention: Convention) -> list[str]:
    """What is often taken for a mistake, and is right here."""
    functions, notes = declared.per_layer(), []
    if convention.effective.fused_with(functions[-1]):
        notes.append(
            "If δ at the output is ŷ − y without f′: that is right here, f′ cancels against the derivative of the loss."
        )
    if sigmoid in functions:
        notes.append("If σ′ is written a (1 − a), with a = σ(z): that is right.")
    if convention.returns == "descent":
        notes.append("If the error is y − ŷ and the result is added: that is right, the two signs cancel.")
    return notes


def over_cases(reports: Sequence[CaseReport]) -> tuple[TensorReport, ...]:
    """Each tensor over all cases: entries and wrong ones added up, the largest share and error, the best resolution."""
    merged: dict[str, TensorReport] = {}
    for report in reports:
        for tensor in report.tensors:
            old = merged.get(tensor.name)
            if old is None:
                merged[tensor.name] = tensor
                continue
            worse = tensor if not tensor.share <= old.share else old
            merged[tensor.name] = replace(
                worse,
                entries=old.entries + tensor.entries,
                wrong=old.wrong + tensor.wrong,
                ulps=max(old.ulps, tensor.ulps),
                resolution=min(filter(None, (old.resolution, tensor.resolution)), default=0.0),
            )
    return tuple(merged.values())


def _own_layout(entry: Entry | None, declared: Declared) -> Entry | None:
    """Row and column as the candidate has them."""
    if entry is None or declared.weights == "out_in" or "W" not in entry.tensor:
        return entry
    return replace(entry, row=entry.column, column=entry.row)


def _shown(case: Case, answer: Answer, convention: Convention, declared: Declared) -> str:
    """The numbers of a small case in the layout of the candidate, expected and given side by side."""
    given = arguments(case, replace(declared, arrays=None))
    lines = []
    for l, layer in enumerate(case.network.layers):
        biases = "" if layer.biases is None else f", biases {_listed([layer.biases])[1:-1]}"
        lines.append(f"  layer {l + 1}: {layer.activation.name}, weights {_listed(given[0][l])}{biases}")
    for name, rows in zip(("inputs", "targets"), given[2:]):
        lines.append(f"  {name} {_listed(rows if declared.samples != 'vector' else [rows])}")
    if convention.returns in UPDATED:
        lines.append(f"  learning rate {convention.learning_rate:g}")
    if not answer.claim or len(case.network.parameters()) > 60:
        return "\n".join(lines)
    allowed = budgets(case, convention, declared.format.name, answer.claim)
    for tensor in compare(answer.claim, allowed, convention.returns):
        key = (tensor.kind, tensor.layer)
        if tensor.wrong:
            turned = tensor.kind == "weights" and declared.weights == "in_out"
            expected: Matrix = [[float(b.midpoint) for b in row] for row in allowed[key]]
            pair = [transpose(rows) if turned else rows for rows in (expected, answer.claim[key])]
            digits = 6 if _listed(pair[0]) != _listed(pair[1]) else 17
            lines.append(f"  {tensor.name} expected {_listed(pair[0], digits)}")
            lines.append(f"  {' ' * len(tensor.name)}    given {_listed(pair[1], digits)}")
    return "\n".join(lines)


def _listed(rows: Matrix, digits: int = 6) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.{digits}g}" for x in row) + "]" for row in rows) + "]"
