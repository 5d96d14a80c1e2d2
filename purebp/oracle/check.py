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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from purebp import losses
from purebp.activations import Activation
from purebp.activations import activation as known_activation
from purebp.arithmetic import Matrix, PurebpError
from purebp.backprop import evaluate
from purebp.linalg import transpose
from purebp.losses import Loss
from purebp.network import Batch, Gradients, Network
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import Format, format_named, is_exact
from purebp.oracle.candidate import Answer, Candidate, Declared, Finding, arguments, ask
from purebp.oracle.cases import Case, default_loss, ladder
from purebp.oracle.conventions import ONE, Convention
from purebp.oracle.diagnosis import Diagnosis, Observation, explanations
from purebp.oracle.judge import Claim, Entry, Key, TensorReport, compare, enclosures, inside, tensor_name
from purebp.oracle.mistakes import LOCAL
from purebp.oracle.report import CaseReport, Report

COARSER = ("binary32", "tf32", "bfloat16", "binary16")


def check(
    candidate: Candidate,
    *,
    activations: Sequence[str | Activation] | str = ("sigmoid", "sigmoid"),
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool = True,
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
) -> Report:
    """Ask the candidate for gradients on built-in cases, and report what is proven about its answers.

    activations: one per layer (a single name: any depth). What is None is left open: the conventions are tried.
    loss: its name, such as "half_sse". sizes: the widths, inputs first, if they are wired in. batch: the number of
    samples, if that is. weights: "out_in" (row j feeds neuron j) or "in_out". samples: "rows" or "columns", or
    "vector" for a candidate that takes one sample. returns: "gradients", "descent" (their negative) or "step" (updated
    weights, with learning_rate). arrays: "numpy", "torch" or "jax". explore: search on with Hypothesis.
    """
    names = activations if isinstance(activations, str) else tuple(known_activation(f).name for f in activations)
    declared = Declared(
        (names,) if isinstance(names, str) else names,
        None if loss is None else losses.loss(loss).name,
        None if sizes is None else tuple(sizes),
        biases,
        batch,
        weights,
        samples,
        returns,
        learning_rate,
        format_named(format).name,
        arrays,
    )
    if not callable(candidate):
        raise PurebpError(
            f"{candidate!r:.60} cannot be called: a function of (weights, biases, inputs, targets) is wanted"
        )
    called = name or str(getattr(candidate, "__name__", type(candidate).__name__))
    cases = list(ladder(names, loss=loss, sizes=sizes, biases=biases, batch=batch, seed=seed))
    report = _checked(candidate, cases, declared, called)
    if explore and report.conforms:
        from purebp.testing.explore import counterexample  # the only part that wants Hypothesis

        found = counterexample(candidate, declared, report.convention)
        if found is not None:
            report = _checked(candidate, [*cases, found], declared, called)
    return report


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
        tuple(layer.activation.name for layer in network.layers),
        None if loss is None else losses.loss(loss).name,
        biases=any(layer.biases is not None for layer in network.layers),
        returns=returns,
        learning_rate=learning_rate,
        format=format_named(format).name,
    )
    return _checked(lambda *given: claimed, [Case("the case", network, batch)], declared, name, repeat=False)


def _checked(candidate: Candidate, cases: Sequence[Case], declared: Declared, name: str, repeat: bool = True) -> Report:
    answers = [ask(candidate, case, declared) for case in cases]
    findings = list({f.kind: f for answer in reversed(answers) for f in reversed(answer.findings)}.values())[::-1]
    if repeat:
        findings += _stateful(candidate, cases, answers, declared)
    format = format_named(declared.format).name
    answered = [(case, answer.claim) for case, answer in zip(cases, answers) if answer.claim]
    convention, conventional = _convention(answered, declared)
    reports = []
    for case, answer in zip(cases, answers):
        tensors: tuple[TensorReport, ...] = ()
        if answer.claim:
            budgets = _budgets(case, convention, format)
            tensors = tuple(compare(answer.claim, budgets))
        fatal = next((f for f in answer.findings if f.fatal), None)
        reports.append(CaseReport(case.name, case.network.sizes, len(case.batch.inputs), tensors, fatal))
    wrong = [report for report in reports if not report.passed]
    fatal_findings = [f for f in findings if f.fatal]
    found: list[Diagnosis] = []
    notes: list[str] = []
    if not wrong and not fatal_findings:
        verdict = "correct-under-convention" if conventional else "correct"
        conforms = _as_declared(convention, declared)
        if undecided := _undecided(reports):
            verdict, conforms = "undecided", False
            notes.append(
                f"The budgets of {', '.join(undecided)} are wider than half the values on every case: no evidence."
            )
        elif conforms:
            notes += _negative_set(declared, convention)
        else:
            found = _told(answered, declared, 1)
    else:
        conforms, verdict = False, "wrong"
        if answered and wrong and any(key[0] in LOCAL for _, claim in answered for key in claim):
            found = _told(answered, declared)
            if found and found[0].name == "right":
                found = []
        if not found:
            found = [
                Diagnosis("not reset between calls", "order and state", f.sentence[0].upper() + f.sentence[1:] + ".",
                          "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹", ("not reset between calls",))
                for f in findings if f.kind == "keeps state"
            ]  # fmt: skip
        if not found and answered and not fatal_findings and (note := _imprecise(answered, declared)):
            verdict = "imprecise"
            notes.append(note)
        elif (
            found
            and all(
                d.convention is not None and d.changes and all(_conventional(c) for c in d.changes) for d in found[:1]
            )
            and not fatal_findings
        ):
            verdict, convention = "correct-under-convention", found[0].convention or convention
        elif not found and answered and wrong:
            notes += _localised(reports, answered, declared, convention)
        if any(f.kind == "flaky" for f in findings):
            verdict = "flaky"
    tensors = _over_cases(reports)
    entries = [t.worst for r in reports for t in r.tensors if t.wrong and t.worst is not None]
    worst = max(entries, key=lambda e: e.share if e.share == e.share else inf) if entries else None
    failing = next((case for case, report in zip(cases, reports) if not report.passed), None)
    return Report(
        name,
        verdict,
        conforms,
        convention if conventional or verdict == "correct-under-convention" else None,
        tuple(found),
        tuple(findings),
        tuple(notes),
        tensors,
        _own_layout(worst, declared),
        tuple(reports),
        format,
        "" if failing is None else _shown(failing, answers[cases.index(failing)], convention, declared),
    )


def _told(answered: Sequence[tuple[Case, Claim]], declared: Declared, at_most: int = 5) -> list[Diagnosis]:
    observations = [
        Observation(case.network, case.batch, {key: rows for key, rows in claim.items() if key[0] in LOCAL})
        for case, claim in answered
    ]
    observations = [observed for observed in observations if observed.claim]
    depths = {len(o.network.layers) for o in observations}
    if len(depths) > 1:  # networks of any depth: explain the commonest
        depth = max(depths, key=lambda d: sum(len(o.network.layers) == d for o in observations))
        observations = [o for o in observations if len(o.network.layers) == depth]
    return explanations(observations, declared.loss, declared.format, declared.returns, declared.learning_rate)[
        :at_most
    ]


def _budgets(case: Case, convention: Convention, format: str) -> dict[Key, Any]:
    samples, outputs = len(case.batch.targets), len(case.batch.targets[0])
    turned = convention.turned(samples, outputs, ball(format))
    return dict(enclosures(case.network, case.batch, convention.effective, format, turned))


def _default(declared: Declared) -> Convention:
    names = [known_activation(f) for f in declared.activations]
    return Convention(default_loss(names, declared.loss), ONE, declared.returns or "gradients", declared.learning_rate)


def _convention(answered: Sequence[tuple[Case, Claim]], declared: Declared) -> tuple[Convention, bool]:
    """What the answers follow: what was declared, or where that was left open the one found; and whether it is another."""
    default = _default(declared)
    if not answered or (declared.loss is not None and declared.returns is not None):
        return default, False
    if all(inside(claim, _budgets(case, default, declared.format)) for case, claim in answered):
        return default, False
    gradients = [(case, {key: rows for key, rows in claim.items() if key[0] in LOCAL}) for case, claim in answered]
    gradients = [(case, claim) for case, claim in gradients if claim]
    if not gradients:
        return default, False
    depths = [len(case.network.layers) for case, _ in gradients]
    same = [
        Observation(case.network, case.batch, claim)
        for case, claim in gradients
        if len(case.network.layers) == depths[0]
    ]
    rates = [declared.learning_rate] if declared.learning_rate else [1.0, 0.5, 0.1, 0.05, 0.01, 0.001]
    tries: list[tuple[str | None, float | None]] = [(declared.returns, declared.learning_rate)]
    if declared.returns is None:
        tries += [("step", rate) for rate in rates]
    for returns, rate in tries:
        found = explanations(same, declared.loss, declared.format, returns, rate, plain=True)
        if found and found[0].name == "right" and found[0].convention is not None:
            return found[0].convention, True
    return default, False


def _as_declared(convention: Convention, declared: Declared) -> bool:
    """Whether nothing that was declared is otherwise."""
    loss_fits = declared.loss is None or (
        convention.named is not None and convention.named == losses.loss(declared.loss)
    )
    return loss_fits and declared.returns in (None, convention.returns) and convention.returns != "ascent"


def _conventional(change: str) -> bool:
    return change in ("sign turned", "gradient of another loss") or (
        change.startswith("factor ") and " in " not in change
    )


def _undecided(reports: Sequence[CaseReport]) -> list[str]:
    """Tensors that no case decided."""
    seen: dict[str, bool] = {}
    for report in reports:
        for tensor in report.tensors:
            seen[tensor.name] = seen.get(tensor.name, False) or not tensor.undecided
    return [name for name, decided in seen.items() if not decided]


def _stateful(
    candidate: Candidate, cases: Sequence[Case], answers: Sequence[Answer], declared: Declared
) -> Iterator[Finding]:
    """Ask some cases once more: answers that change were kept from an earlier call, or drawn by chance."""
    for case, first in zip(cases[:2], answers):
        if not first.claim:
            continue
        second, third = ask(candidate, case, declared), ask(candidate, case, declared)
        if _same(first.claim, second.claim) and _same(second.claim, third.claim):
            continue
        growing = _same_steps(second.claim, third.claim, ask(candidate, case, declared).claim)
        if growing:
            yield Finding("keeps state", "its answer grows from call to call by the same amount: gradients are added to "
                          "those of earlier calls, and never reset to 0", case.name)  # fmt: skip
        elif _same(second.claim, third.claim):
            yield Finding("keeps state", "its answer depends on what was asked before: something of an earlier call is "
                          "kept", case.name)  # fmt: skip
        else:
            yield Finding("flaky", "asked the same three times, it gives different answers: something is drawn by "
                          "chance, or kept from call to call", case.name)  # fmt: skip
        return


def _same(a: Claim, b: Claim) -> bool:
    return a.keys() == b.keys() and all(_rows(a[key]) == _rows(b[key]) for key in a)


def _rows(rows: Matrix) -> list[list[float]]:
    return [list(row) for row in rows]


def _same_steps(a: Claim, b: Claim, c: Claim) -> bool:
    """Whether c − b = b − a, entry by entry and nearly, and not 0."""
    if not (a.keys() == b.keys() == c.keys()):
        return False
    steps = [(z - y, y - x) for key in a for rows in zip(a[key], b[key], c[key]) for x, y, z in zip(*rows)]
    largest = max((abs(s) for pair in steps for s in pair), default=0.0)
    return largest > 0 and all(abs(s - t) <= 1e-6 * largest for s, t in steps)


def _imprecise(answered: Sequence[tuple[Case, Claim]], declared: Declared) -> str:
    """The lower precision, or the finite difference, inside whose budget every answer lies."""
    default = _default(declared)
    own = format_named(declared.format)
    for name in COARSER:
        if format_named(name).precision >= own.precision:
            continue
        if name != "binary32" and not all(_stored(claim, name) for _, claim in answered):
            continue
        if all(inside(claim, _budgets(case, default, name)) for case, claim in answered):
            return (
                f"Every number lies inside the budget of {name}: it is computed, or was rounded on the way, in {name}."
            )
    if declared.returns in (None, "gradients") and (note := _finite_difference(answered, default)):
        return note
    return ""


def _stored(claim: Claim, name: str) -> bool:
    """Whether all numbers are numbers of that format; the wide budgets of short formats would hide a mistake else."""
    held = format_named("binary32" if name == "tf32" else name)
    return all(is_exact(x, held) for rows in claim.values() for row in rows for x in row)


def _finite_difference(answered: Sequence[tuple[Case, Claim]], convention: Convention) -> str:
    """Whether the answers are those of a difference quotient: off by what its step h leaves out, and by roundoff / h."""
    off = [(case, claim) for case, claim in answered if not inside(claim, _budgets(case, convention, "binary64"))]
    if len(off) < 0.8 * len(answered):
        return ""
    case, claim = min(off, key=lambda item: len(item[0].network.parameters()))
    keys = [key for key in claim if key[0] in LOCAL]
    given = [x for key in sorted(keys, key=lambda k: (k[1], k[0] == "biases")) for row in claim[key] for x in row]
    parameters = case.network.parameters()
    if len(given) != len(parameters):
        return ""

    def at(i: int, h: float) -> float:
        moved = case.network.with_parameters([w + h * (i == j) for j, w in enumerate(parameters)])
        return evaluate(moved, case.batch, convention.effective)

    here = evaluate(case.network, case.batch, convention.effective)
    for h in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-2):
        for central in (True, False):
            quotients = [
                (at(i, h) - at(i, -h)) / (2 * h) if central else (at(i, h) - here) / h for i in range(len(parameters))
            ]
            room = 40 * 2.0**-53 * max(1.0, abs(here)) / h
            if room < 1e-3 * max(map(abs, quotients)) and all(abs(x - q) <= room for x, q in zip(given, quotients)):
                kind = "central" if central else "one-sided"
                return f"Every number is that of a {kind} finite difference with a step near {h:g}: an approximation, no backpropagation."
    return ""


def _negative_set(declared: Declared, convention: Convention) -> list[str]:
    """What is often taken for a mistake, and is right here."""
    last = known_activation(declared.activations[-1])
    notes = []
    if convention.effective.fused_with(last):
        notes.append(
            "If δ at the output is ŷ − y without f′: that is right here, f′ cancels against the derivative of the loss."
        )
    if "sigmoid" in declared.activations:
        notes.append("If σ′ is written a (1 − a), with a = σ(z): that is right.")
    if convention.returns == "descent":
        notes.append("If the error is y − ŷ and the result is added: that is right, the two signs cancel.")
    return notes


def _localised(
    reports: Sequence[CaseReport], answered: Sequence[tuple[Case, Claim]], declared: Declared, convention: Convention
) -> list[str]:
    """No recipe explains it: what is right, what is wrong, and the step to look at."""
    wrong: dict[Key, bool] = {}
    for report in reports:
        for tensor in report.tensors:
            key = (tensor.kind, tensor.layer)
            wrong[key] = wrong.get(key, False) or bool(tensor.wrong)
    if not any(wrong.values()):
        return []
    notes = [f"No single mistake of the catalogue explains it. {_step(wrong, len(answered[0][0].network.layers))}"]
    for key in [key for key, is_wrong in wrong.items() if is_wrong and key[0] in LOCAL]:
        patterns = [
            _pattern(claim[key], _budgets(case, convention, declared.format)[key])
            for case, claim in answered[:4]
            if key in claim
        ]
        if patterns and patterns[0] and len(set(patterns)) == 1:
            notes.append(f"{tensor_name(key)} {patterns[0]}.")
    kept = [
        (case, earlier) for (earlier, old), (case, claim) in zip(answered, answered[1:])
        if _same({k: v for k, v in old.items() if k[0] in LOCAL}, {k: v for k, v in claim.items() if k[0] in LOCAL})
    ]  # fmt: skip
    if kept:
        notes.append(
            f"On the case “{kept[0][0].name}” it answers what it answered on the case before: something is kept."
        )
    return notes


def _step(wrong: dict[Key, bool], depth: int) -> str:
    first = next((key for key in (("outputs", -1), ("loss", -1)) if wrong.get(key)), None)
    if first:
        return (
            "The outputs are off already: look at the forward pass."
            if first[0] == "outputs"
            else "The loss is off already: look at its formula."
        )
    layers = [l for l in range(depth) if any(wrong.get((kind, l)) for kind in ("deltas", *LOCAL))]
    weights = [l for l in layers if wrong.get(("weights", l))]
    biases = [l for l in layers if wrong.get(("biases", l))]
    name = {l: "the output layer" if l == depth - 1 else f"layer {l + 1}" for l in range(depth)}
    if not weights:
        return f"All gradients of weights are right, those of the biases of {_and(name[l] for l in biases)} are not: look at ∂loss/∂b = Σ δ over the samples."
    if not biases and any(key[0] == "biases" for key in wrong):
        return f"All gradients of biases are right, those of the weights of {_and(name[l] for l in weights)} are not: look at the other factor, ∂loss/∂Wˡ = δˡᵀ aˡ⁻¹."
    if depth - 1 not in layers:
        highest = max(layers)
        return f"The output layer is right, {_and(name[l] for l in layers)} {'is' if len(layers) == 1 else 'are'} not: look at what is passed down to {name[highest]}, and at its f′."
    if len(layers) == 1 and depth > 1:
        return "The output layer is wrong, the layers below are right: look at how its δ meets a, not at δ itself."
    return (
        "The output layer is wrong, and what lies below depends on it: look at the output error and at f′ there first."
    )


def _and(names: Iterator[str] | Any) -> str:
    return " and ".join(names)


def _pattern(rows: Matrix, budgets: Matrix[Any]) -> str:
    given = [x for row in rows for x in row]
    expected = [float(b.midpoint) for row in budgets for b in row]
    if not any(given):
        return "is 0 throughout"
    scale = max(map(abs, expected)) or 1.0
    if len(given) > 1 and all(abs(x - y) <= 1e-6 * scale for x, y in zip(sorted(given), sorted(expected))):
        return "holds the right numbers in the wrong places"
    if all(abs(abs(x) - abs(y)) <= 1e-6 * scale for x, y in zip(given, expected)):
        return "is right but for signs"
    largest = max(range(len(given)), key=lambda i: abs(expected[i]))
    ratio = given[largest] / expected[largest] if expected[largest] else 0.0
    if (
        ratio
        and len(given) > 1
        and all(abs(x - ratio * y) <= 1e-6 * abs(ratio) * scale for x, y in zip(given, expected))
    ):
        return "is a constant multiple of what it should be"
    return ""


def _over_cases(reports: Sequence[CaseReport]) -> tuple[TensorReport, ...]:
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
                worse, entries=old.entries + tensor.entries, wrong=old.wrong + tensor.wrong, ulps=max(old.ulps, tensor.ulps),
                resolution=min(old.resolution, tensor.resolution),
            )  # fmt: skip
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
    if not answer.claim or len(case.network.parameters()) > 60:
        return "\n".join(lines)
    budgets = _budgets(case, convention, declared.format)
    for tensor in compare(answer.claim, budgets):
        key = (tensor.kind, tensor.layer)
        if tensor.wrong:
            turn = transpose if tensor.kind == "weights" and declared.weights == "in_out" else _rows
            expected = [[float(b.midpoint) for b in row] for row in budgets[key]]
            lines.append(f"  {tensor.name} expected {_listed(turn(expected))}")
            lines.append(f"  {' ' * len(tensor.name)}    given {_listed(turn(answer.claim[key]))}")
    return "\n".join(lines)


def _listed(rows: Matrix) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.6g}" for x in row) + "]" for row in rows) + "]"
