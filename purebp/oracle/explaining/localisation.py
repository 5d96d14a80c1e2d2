"""Where no mistake of the catalogue explains an answer: what is right, what is wrong, and the step to look at.

>>> from purebp import Network, Batch, backpropagation
>>> from purebp.oracle import judge
>>> network, batch = Network.random([2, 3, 1], seed=4), Batch([[0.5, -1.0]], [[1.0]])
>>> right = [layer.weights for layer in backpropagation(network, batch).layers]
>>> for note in judge(network, batch, {"weights": [[[0.3, 0.7], [0.1, 0.9], [0.2, 0.4]], right[1]]}).notes[:2]:
...     print(note)
What is right, made of your own numbers: δ² and ∂loss/∂W².
∂loss/∂W¹ does not follow from your own δ¹: it should be the outer product of δ¹ and the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import chain, product
from math import frexp, isfinite, ldexp, trunc

from purebp.number_systems.ball import Ball
from purebp.number_systems.formats import (
    BFLOAT16,
    BINARY16,
    BINARY32,
    FORMATS,
    TF32,
    Format,
    format_named,
    is_exact,
    rounds_to,
)
from purebp.oracle.answer import LOCAL, Claim, Key, same, tensor_name
from purebp.oracle.cases import Case
from purebp.oracle.certify import nearest_double
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Enclose, Evidence, compare, regathered, share
from purebp.oracle.explaining.differences import difference_quotient
from purebp.textbook.arithmetic import Matrix
from purebp.textbook.network import Batch


def approximation(evidence: Sequence[Evidence], convention: Convention, format: Format | str, enclose: Enclose) -> str:
    """The lower precision, or the finite difference, that every answer is; "" if they are neither.

    evidence: of gradients, beside their budgets under the convention in that format.
    """

    @cache
    def inside_all(coarser: Format) -> bool:
        """Whether they lie in its budgets, some of which decide something where they are off."""
        decided = False
        for piece in evidence:
            (wide,) = regathered([piece], convention, coarser, enclose)
            if wide.off:
                return False
            decided = decided or any(not t.undecided for t in wide.tensors if t.key in piece.off)
        return decided

    claimed = format_named(format)  # of a strict one, that is asked before mistakes are looked for
    if not claimed.strict and (note := less_than_claimed(evidence, convention, claimed, enclose)):
        return note
    bits = _fixed_point(evidence, format)
    if bits and (note := _up_to_the_unit(evidence, bits)):
        return note
    if not bits and (name := rounded_to(evidence, format, inside_all)):
        return f"Every number lies inside the budget of {name}, and is one of {name}: it was rounded to it."
    if note := _few_digits(evidence, format) or difference_quotient(evidence, convention):
        return note
    if note := read_as(evidence, convention, format, enclose):
        return note
    held_by = (held for held in (BINARY32, BINARY16, TF32, BFLOAT16) if held in _coarser(format) and inside_all(held))
    if (held := next(held_by, None)) is None:
        return ""
    if bits:
        return (
            f"Every number lies inside the budget of {held.name}, and is a whole multiple of 1/{2**bits}: it was computed in "
            f"fixed point, with {bits} bits behind the point."
        )
    if held is BINARY32:
        return "Every number lies inside the budget of binary32: it is off as single precision would be. It computes in binary32 somewhere, or adds an epsilon such as 1e-8, or has a constant with too few digits."
    if not _errs_as(held, evidence):
        return ""
    name = "binary16, or of tf32" if held is BINARY16 and TF32 in _coarser(format) and inside_all(TF32) else held.name
    return (
        f"Every number lies inside the budget of {name}, and errs now this way, now that: it computes in {held.name} "
        "somewhere, or rounds to a few digits on the way."
    )


def read_as(evidence: Sequence[Evidence], convention: Convention, format: Format | str, enclose: Enclose) -> str:
    """Whether every number is right for what was given, rounded or cut to a coarser format or some decimals; "" if not."""

    def right(piece: Evidence, part: str, read: Callable[[float], float]) -> bool:
        case = _reading(piece.case, part, read)
        if (case.network, case.batch) == (piece.case.network, piece.case.batch):
            return not piece.off
        tensors = compare(piece.claim, enclose(case, convention, format, piece.claim))
        return not any(t.wrong or (t.undecided and t.key in piece.off) for t in tensors)

    tried = set[Case]()
    off = [piece for piece in evidence if piece.off]
    if not off:
        return ""
    ways = [way for held in _coarser(format) if held is not TF32 for way in _readings(held)]
    ways += [(f"rounded to {n} decimal{'s' * (n > 1)}", partial(round, ndigits=n)) for n in range(1, 8)]
    for (how, read), part in product(ways, PARTS):
        if not all(isfinite(read(x)) for piece in evidence for x in _numbers(piece.case)):
            continue  # it overflows
        first = _reading(off[0].case, part, read)
        if first in tried:
            continue
        tried.add(first)
        if all(right(piece, part, read) for piece in chain(off, evidence)):
            what = PARTS[part]
            return (
                f"Every number is right for {what} {how}: nothing else is off. Read what is given with all its digits."
            )
    return ""


PARTS = {
    "all": "what is given",
    "parameters": "weights and biases",
    "batch": "inputs and targets",
    "inputs": "inputs",
    "targets": "targets",
}


def _numbers(case: Case) -> Iterator[float]:
    yield from case.network.parameters()
    for row in (*case.batch.inputs, *case.batch.targets):
        yield from row


def _readings(held: Format) -> Iterator[tuple[str, Callable[[float], float]]]:
    """To the nearest number of the format, and to the next one towards 0."""
    yield f"rounded to {held.name}", lambda x: rounds_to(x, held)

    def cut(x: float) -> float:
        mantissa, exponent = frexp(x)
        return ldexp(trunc(ldexp(mantissa, held.precision)), exponent - held.precision)

    yield f"cut to {held.name}", cut


def _reading(case: Case, part: str, read: Callable[[float], float]) -> Case:
    """The case as it is read; long numbers have all digits that they are read with."""
    network, batch = case.network, case.batch
    if part in ("all", "parameters"):
        network = network.with_parameters(list(map(read, network.parameters())))
    rows: dict[str, Matrix] = {"inputs": batch.inputs, "targets": batch.targets}
    for name in rows if part in ("all", "batch") else {part} & rows.keys():
        rows[name] = [list(map(read, row)) for row in rows[name]]
    return replace(case, network=network, batch=Batch(**rows), long=False)


def _coarser(format: Format | str) -> list[Format]:
    """The formats that are coarser, the shortest first."""
    coarser = (each for each in FORMATS.values() if each.precision < format_named(format).precision)
    return sorted(coarser, key=lambda each: (each.precision, each.operand_bits))


def _errs_as(held: Format, evidence: Sequence[Evidence]) -> bool:
    """Whether what is off errs both ways, as a factor would not, and by as much as a number of the format may."""
    errors = [
        (x - exact) / exact
        for piece in evidence
        for key in piece.off
        for rows in zip(piece.claim[key], piece.budgets[key])
        for x, b in zip(*rows)
        if not share(x, b) <= 1 and (exact := nearest_double(b.mantissa, b.exponent))
    ]
    above = sum(error > 0 for error in errors)
    return min(above, len(errors) - above) * 8 >= len(errors) > 1 and max(map(abs, errors)) > held.storage / 8


MOST_BITS = 24  # behind the point, of what is called fixed point
SPARE_BITS = 12  # that floating-point numbers would have used, before they are


def _fixed_point(evidence: Sequence[Evidence], format: Format | str) -> int:
    """k, if all numbers are whole multiples of 2⁻ᵏ, and not those of a floating-point format; 0 if they are not.

    Small numbers of a floating-point format are multiples of smaller units than large ones: where these bits are left
    unused, again and again, it is not that format.
    """
    sizes = [abs(x) for piece in evidence for rows in piece.claim.values() for row in rows for x in row if x]
    if len(sizes) < 4 or not all(map(isfinite, sizes)):
        return 0
    bits = max(x.as_integer_ratio()[1] for x in sizes).bit_length() - 1
    held = (each for each in _coarser(format) if all(stored(piece.claim, each) for piece in evidence))
    precision = next(held, format_named(format).of_numbers).precision
    spare = sum(max(precision - bits - frexp(x)[1], 0) for x in sizes)  # an ulp of x is 2^(frexp(x)[1] − precision)
    return bits if 1 <= bits <= MOST_BITS and spare >= SPARE_BITS else 0


def _up_to_the_unit(evidence: Sequence[Evidence], bits: int) -> str:
    """Whether all numbers are right but for one rounding, or cut, to multiples of 2⁻ᵏ."""
    off = max(
        abs(x - float(b.midpoint)) - b.radius
        for piece in evidence
        for key, rows in piece.claim.items()
        for pair in zip(rows, piece.budgets[key])
        for x, b in zip(*pair)
    )
    ways = {"rounded": 0.500001, "cut": 1.000001}
    how = next((how for how, units in ways.items() if off <= ldexp(units, -bits)), "")
    return how and (
        f"Every number was {how} to a multiple of 1/{2**bits}, and is right up to that: it is in fixed point, with {bits} "
        "bits behind the point."
    )


def _few_digits(evidence: Sequence[Evidence], format: Format | str) -> str:
    """Whether all numbers were rounded to some digits or decimals, as printing does, and are right up to that."""
    numbers = [x for piece in evidence for rows in piece.claim.values() for row in rows for x in row]
    if sum(map(bool, numbers)) < 4:  # which may be near by chance
        return ""
    most = 6 if format_named(format).precision < 53 else 14
    for kind, words in (("g", "significant digits"), ("f", "decimals")):
        wide = (n for n in range(1, most + 1) if all(float(f"{x:.{n}{kind}}") == x for x in numbers))
        if (digits := next(wide, None)) and all(
            abs(x - float(b.midpoint)) <= 0.500001 * _last_place(x, digits, kind) + b.radius
            for piece in evidence
            for key, rows in piece.claim.items()
            for pair in zip(rows, piece.budgets[key])
            for x, b in zip(*pair)
        ):
            return (
                f"Every number is right up to {digits} {words}, and was rounded to them: print more, such as the 17 of "
                "%.17g in C, or the shortest that read back the same."
            )
    return ""


def _last_place(x: float, digits: int, kind: str) -> float:
    """The unit of the last of the digits."""
    exponent = 0 if kind == "f" else int(f"{x:e}".partition("e")[2]) + 1
    return 10.0 ** (exponent - digits)


def less_than_claimed(evidence: Sequence[Evidence], convention: Convention, format: Format, enclose: Enclose) -> str:
    """Whether numbers are right, and not as stable, or as rarely stored, as was claimed; "" if not."""

    def right(looser: Format) -> bool:
        return not any(piece.off for piece in regathered(evidence, convention, looser, enclose))

    if format.kept is not None and right(format.kept):
        return (
            f"Every number lies inside the budget of {format.name} where all is stored on the way, but not inside that for "
            "binary32 of which the result alone is stored: something is rounded before, or off by as little as that hides "
            "(--stored every-step tells)."
        )
    if not format.strict or not right(replace(format, strict=False)):
        return ""
    return (
        f"Every number lies inside the budget of {format.name} for formulas that cancel, as a(1 − a), 1 − a² and log(1 + eᶻ) "
        "do, but not inside that for stable ones, as in e^−|z|/(1 + e^−|z|)²: docs/error-budget.md, “Strict”."
    )


def rounded_to(evidence: Sequence[Evidence], format: Format | str, inside_all: Callable[[Format], bool]) -> str:
    """The shortest format of which all numbers are, and in whose budgets they lie; "" for none."""
    held = (each for each in _coarser(format) if all(stored(piece.claim, each) for piece in evidence))
    return next((each.name for each in held if inside_all(each)), "")


def stored(claim: Claim, held: Format) -> bool:
    """Whether all numbers are numbers of that format; the wide budgets of short formats would hide a mistake else."""
    return all(isfinite(x) and is_exact(x, held) for rows in claim.values() for row in rows for x in row)


def localised(
    evidence: Sequence[Evidence], convention: Convention, named: bool = False, lines: Sequence[str] = ()
) -> list[str]:
    """What is wrong, in sentences: the step to look at, and patterns in single tensors.

    named: the mistake is known, so that only the first quantity on the way that is off is worth a word. lines: what is
    known of each line of the recurrence.
    """
    wrong: dict[Key, bool] = {}
    for tensor in (tensor for piece in evidence for tensor in piece.tensors):
        wrong[tensor.key] = wrong.get(tensor.key, False) or bool(tensor.wrong)
    if not any(wrong.values()):
        return []
    seen = [key for key, is_wrong in wrong.items() if is_wrong and key[0] not in LOCAL]
    notes = list(lines) if lines and not seen else [_step(wrong, max(key[1] for key in wrong) + 1)]
    if named:
        return notes if seen else []
    answered = [piece for piece in evidence if piece.claim]
    failing = [f"“{piece.case.name}”" for piece in answered if piece.off]
    if 3 * len(failing) <= len(answered):
        notes.append(f"It is wrong on {len(failing)} of {len(answered)} cases only: {', '.join(failing)}.")
    local = [key for key, is_wrong in wrong.items() if is_wrong and key[0] in LOCAL]
    notes += patterns(local, answered, convention.returns, most=4)
    for before, now in zip(answered, answered[1:]):
        if same(before.claim, now.claim) and len({x for rows in now.claim.values() for row in rows for x in row}) > 2:
            notes.append(
                f"On the case “{now.case.name}” it answers what it answered on the one before: something is kept."
            )
            break
    return notes


def _step(wrong: dict[Key, bool], depth: int) -> str:
    """From which tensors are right and which are wrong to the line of the recurrence."""
    if wrong.get(("outputs", -1)):
        return "The outputs are off already: look at the forward pass."
    if wrong.get(("loss", -1)):
        return "The loss is off already: look at its formula."
    for l in reversed(range(depth)):
        if wrong.get(("deltas", l)):
            return f"The first quantity that is off is {tensor_name(('deltas', l))}: look at how it is made."
    names = {l: "the output layer" if l == depth - 1 else f"layer {l + 1}" for l in range(depth)}
    weights = [l for l in range(depth) if wrong.get(("weights", l))]
    biases = [l for l in range(depth) if wrong.get(("biases", l))]
    layers = sorted({*weights, *biases})
    where = " and ".join(names[l] for l in layers)
    start = "No single mistake of the catalogue explains it. "
    if not weights:
        return (
            f"{start}All gradients of weights are right, those of the biases of {where} are not: look at ∂loss/∂b = Σ δ "
            "over the samples."
        )
    if not biases and any(kind == "biases" for kind, _ in wrong):
        return (
            f"{start}All gradients of biases are right, those of the weights of {where} are not: look at the other "
            "factor, ∂loss/∂Wˡ = δˡᵀ aˡ⁻¹."
        )
    if depth - 1 not in layers:
        verb = "is" if len(layers) == 1 else "are"
        highest = names[max(layers)]
        return (
            f"{start}The output layer is right, {where} {verb} not: look at what is passed down to {highest}, and at "
            "its f′."
        )
    if len(layers) == 1 and depth > 1:
        return f"{start}The output layer is wrong, the layers below are right: look at how its δ meets a, not at δ."
    return (
        f"{start}The output layer is wrong, and what lies below depends on it: look at the output error and at f′ there "
        "first. If you find nothing, look at the forward pass: return the outputs as well to have them judged."
    )


def patterns(keys: Sequence[Key], evidence: Sequence[Evidence], returns: str, most: int) -> list[str]:
    """What each tensor looks like wherever it is wrong, on so many cases at most, if that is the same; in sentences."""
    notes = []
    for key in keys:
        off = [piece for piece in evidence if key in piece.off]
        found = {pattern(piece.claim[key], piece.budgets[key]) for piece in off[:most]}
        if len(found) == 1 and "" not in found:
            notes.append(f"{tensor_name(key, returns)} {found.pop()}.")
    return notes


def pattern(rows: Matrix, allowed: Matrix[Ball]) -> str:
    """What a wrong tensor looks like beside the right one; "" for nothing that has a name."""
    given = [x for row in rows for x in row]
    expected = [float(b.midpoint) for row in allowed for b in row]
    room = 1e-6 * max(map(abs, expected))
    if not all(map(isfinite, given)):
        return "holds ∞: something overflows, or is divided by 0"
    if not any(given):
        return "is 0 throughout"
    if not room or len(given) < 2:
        return ""
    if all(abs(x - y) <= room for x, y in zip(sorted(given), sorted(expected))):
        return "holds the right numbers in the wrong places"
    if all(abs(abs(x) - abs(y)) <= room for x, y in zip(given, expected)):
        return "is right but for signs"
    largest = max(range(len(given)), key=lambda i: abs(expected[i]))
    ratio = given[largest] / expected[largest]
    if all(abs(x - ratio * y) <= abs(ratio) * room for x, y in zip(given, expected)):
        return f"is {ratio:.4g} times what it should be"
    return ""
