"""Where no mistake explains an answer: what it looks like, what it approximates, and which step is said to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import floor, inf, nan, trunc
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Network, backpropagation, evaluate
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BINARY32, BINARY64, format_named
from purebp.oracle.answer import Answer, Claim, Key, as_claim
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case, ladder
from purebp.oracle.conventions import budgets, default_convention
from purebp.oracle.evidence import Evidence, gathered, regathered
from purebp.oracle.explaining.localisation import approximation, localised, pattern, rounded_to, stored

DECLARED = Declared(("tanh", "identity"), "half_sse", returns="gradients")
CONVENTION = default_convention(DECLARED)
CASES = ladder(("tanh", "identity"), loss="half_sse")[:6]
RIGHT = [as_claim(backpropagation(case.network, case.batch, "half_sse")) for case in CASES]


def evidence(claims: Sequence[Claim], format: str = "binary64") -> tuple[Evidence, ...]:
    """The claims beside their budgets."""
    return gathered(CASES, list(map(Answer, map(dict, claims))), CONVENTION, format, budgets)


def each(change: Callable[[float], float]) -> list[Claim]:
    """The right numbers, each changed."""
    return [{key: [[change(x) for x in row] for row in rows] for key, rows in claim.items()} for claim in RIGHT]


def single(x: float) -> float:
    """The nearest number of binary32."""
    (found,) = unpack("f", pack("f", x))
    return float(found)


# Patterns.

SIXTHS = st.lists(st.integers(-60, 60), min_size=2, max_size=6)


def looks(rows: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]) -> str:
    return pattern(rows, ball(None).lift(expected))


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        ([[1.0, inf]], [[1.0, 2.0]], "holds ∞: something overflows, or is divided by 0"),
        ([[nan, 1.0]], [[1.0, 2.0]], "holds ∞: something overflows, or is divided by 0"),
        ([[0.0, 0.0]], [[1.0, 2.0]], "is 0 throughout"),
        ([[0.0]], [[1.0]], "is 0 throughout"),
        ([[1.0, 3.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]], "holds the right numbers in the wrong places"),
        ([[-1.0, 2.0]], [[1.0, 2.0]], "is right but for signs"),
        ([[-1.0, -2.0]], [[1.0, 2.0]], "is right but for signs"),
        ([[2.5, 5.0]], [[1.0, 2.0]], "is 2.5 times what it should be"),
        ([[1.0], [-2.0]], [[-3.0], [6.0]], "is -0.3333 times what it should be"),
        ([[1.0, 2.5]], [[1.0, 2.0]], ""),
        ([[3.0]], [[1.0]], ""),  # a single number is a multiple of everything
        ([[3.0, 1.0]], [[0.0, 0.0]], ""),
    ],
)
def test_a_tensor_is_described(given: list[list[float]], expected: list[list[float]], told: str) -> None:
    assert looks(given, expected) == told


@given(SIXTHS, st.integers(2, 9))
def test_a_multiple_is_told_with_its_factor(wholes: list[int], factor: int) -> None:
    expected, row = [[k / 8 for k in wholes]], [factor * k / 8 for k in wholes]
    wanted = f"is {factor} times what it should be" if any(wholes) else "is 0 throughout"
    assert looks([row], expected) == wanted


@given(SIXTHS, st.data())
def test_a_permutation_holds_the_right_numbers(wholes: list[int], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(wholes))
    wanted = "holds the right numbers in the wrong places" if any(wholes) else "is 0 throughout"
    assert looks([[k / 8 for k in moved]], [[k / 8 for k in wholes]]) == wanted


# Approximations.


def approximated(claims: Sequence[Claim], format: str = "binary64") -> str:
    return approximation(evidence(claims, format), CONVENTION, format, budgets)


def test_what_was_rounded_to_a_shorter_format_is_told() -> None:
    found = approximated(each(single))
    assert found == "Every number lies inside the budget of binary32, and is one of binary32: it was rounded to it."


def test_what_is_off_as_single_precision_would_be_is_told() -> None:
    found = approximated(each(lambda x: x * (1 + 1e-8)))
    assert found.startswith("Every number lies inside the budget of binary32: it is off as single precision would be.")
    assert "an epsilon such as 1e-8" in found and approximated(each(lambda x: x * (1 + 1e-8)), "binary32") == ""


@pytest.mark.parametrize(
    ("printed", "words"),
    [("{:.4g}", "4 significant digits"), ("{:.3e}", "4 significant digits"), ("{:.5f}", "5 decimals")],
)
def test_what_was_printed_with_few_digits_is_told(printed: str, words: str) -> None:
    found = approximated(each(lambda x: float(printed.format(x))))
    assert found.startswith(f"Every number is right up to {words}, and was rounded to them")


@pytest.mark.parametrize("bits", [4, 8, 10, 16])
@pytest.mark.parametrize(("turned", "how"), [(round, "rounded"), (floor, "cut"), (trunc, "cut")])
def test_fixed_point_is_told_with_its_unit(bits: int, turned: Callable[[float], int], how: str) -> None:
    found = approximated(each(lambda x: turned(x * 2**bits) / 2**bits))
    assert found == (
        f"Every number was {how} to a multiple of 1/{2**bits}, and is right up to that: it is in fixed point, with {bits} "
        "bits behind the point."
    )


def test_what_was_computed_in_fixed_point_is_not_called_binary16() -> None:
    found = approximated(each(lambda x: round(x * 1024 + (3 if abs(x) > 0.3 else 0)) / 1024))
    assert found.startswith("Every number lies inside the budget of binary16, and is a whole multiple of 1/1024")
    assert found.endswith("it was computed in fixed point, with 10 bits behind the point.")


@pytest.mark.parametrize("letter", ["e", "f"])
def test_numbers_of_a_floating_point_format_are_not_called_fixed_point(letter: str) -> None:
    found = approximated(each(lambda x: float(unpack(letter, pack(letter, x))[0])))
    name = {"e": "binary16", "f": "binary32"}[letter]
    assert found == f"Every number lies inside the budget of {name}, and is one of {name}: it was rounded to it."


def test_multiples_that_are_off_by_more_are_no_fixed_point() -> None:
    assert approximated(each(lambda x: round(1300 * x + 100) / 1024)) == ""


def difference(case: Case, h: float, central: bool) -> Claim:
    """The gradient by a difference quotient in each parameter."""
    parameters = case.network.parameters()

    def at(i: int, step: float) -> float:
        moved = case.network.with_parameters([w + step * (i == j) for j, w in enumerate(parameters)])
        return evaluate(moved, case.batch, "half_sse")

    n = range(len(parameters))
    if central:
        return as_claim(case.network.with_parameters([(at(i, h) - at(i, -h)) / (2 * h) for i in n]))
    return as_claim(case.network.with_parameters([(at(i, h) - at(i, 0.0)) / h for i in n]))


@pytest.mark.parametrize(
    ("h", "central", "words"),
    [
        (1e-5, True, "central finite difference with a step of 1e-05"),
        (1e-6, False, "forward finite difference with a step of 1e-06"),
    ],
)
def test_a_finite_difference_is_told_with_its_step(h: float, central: bool, words: str) -> None:
    found = approximated([difference(case, h, central) for case in CASES])
    assert words in found and found.endswith("an approximation, no backpropagation.")


def test_what_is_wrong_approximates_nothing() -> None:
    assert approximated(each(lambda x: 1.3 * x + 0.1)) == ""


def test_a_format_is_named_where_all_numbers_are_of_it_and_in_its_budgets() -> None:
    rounded, right = evidence(each(single)), evidence(RIGHT)

    def inside(found: Sequence[Evidence]) -> Callable[[Any], bool]:
        return lambda held: not any(piece.off for piece in regathered(found, CONVENTION, held, budgets))

    assert rounded_to(rounded, "binary64", inside(rounded)) == "binary32"
    assert rounded_to(rounded, "binary64", lambda held: False) == rounded_to(right, "binary64", inside(right)) == ""
    assert rounded_to(rounded, "binary32", lambda held: held is BINARY32) == ""  # no coarser one is asked for


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=32))
def test_normal_numbers_of_a_format_are_stored_in_it(x: float) -> None:
    assert stored({("weights", 0): [[x]]}, BINARY32) and stored({("weights", 0): [[x]]}, BINARY64)


@pytest.mark.parametrize("x", [1 / 3, inf, nan, 1e300])
def test_one_number_that_is_none_of_a_format_is_enough(x: float) -> None:
    assert not stored({("weights", 0): [[1.0, 0.5]], ("biases", 0): [[x]]}, format_named("binary32"))


# The step to look at.

W1, B1, W2, B2 = KEYS = (("weights", 0), ("biases", 0), ("weights", 1), ("biases", 1))
UNKNOWN = "No single mistake of the catalogue explains it. "


def spoilt(keys: Sequence[Key], on: Sequence[int] = range(len(CASES)), claims: Sequence[Claim] = RIGHT) -> list[Claim]:
    """Claims in which tensors are off without a pattern, on some cases."""

    def off(rows: Any) -> list[list[float]]:
        return [[x * (1.5 + i + 2 * j) + 0.3 for j, x in enumerate(row)] for i, row in enumerate(rows)]

    return [
        {key: off(rows) if i in on and key in keys else rows for key, rows in c.items()} for i, c in enumerate(claims)
    ]


def told(claims: Sequence[Claim], named: bool = False) -> list[str]:
    return localised(evidence(claims), CONVENTION, named)


def test_where_nothing_is_wrong_nothing_is_said() -> None:
    assert told(RIGHT) == told(RIGHT, named=True) == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([B1], f"{UNKNOWN}All gradients of weights are right, those of the biases of layer 1 are not: "),
        ([B1, B2], f"{UNKNOWN}All gradients of weights are right, those of the biases of layer 1 and the output layer"),
        ([W1], f"{UNKNOWN}All gradients of biases are right, those of the weights of layer 1 are not: "),
        ([W1, B1], f"{UNKNOWN}The output layer is right, layer 1 is not: look at what is passed down to layer 1"),
        ([W2, B2], f"{UNKNOWN}The output layer is wrong, the layers below are right: look at how its δ meets a"),
        ([W1, B1, W2, B2], f"{UNKNOWN}The output layer is wrong, and what lies below depends on it: "),
        ([W1, W2], f"{UNKNOWN}All gradients of biases are right, those of the weights of layer 1 and the output layer"),
    ],
)
def test_what_is_right_and_what_is_wrong_says_where_to_look(keys: Sequence[Key], sentence: str) -> None:
    first, *others = told(spoilt(keys))
    assert first.startswith(sentence) and others == []  # none of these tensors has a pattern
    assert told(spoilt(keys), named=True) == []


def with_forward(keys: Sequence[Key]) -> list[Claim]:
    """Outputs, loss and δ are given as well; these tensors are off."""
    claims = []
    for case, claim in zip(CASES, RIGHT):
        whole = budgets(case, CONVENTION, "binary64", {("outputs", -1): []})
        given = {key: [[float(x.midpoint) for x in row] for row in rows] for key, rows in whole.items()}
        claims.append({**given, **claim})
    return spoilt(keys, claims=claims)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([("outputs", -1), ("loss", -1), W1], "The outputs are off already: look at the forward pass."),
        ([("loss", -1), ("deltas", 1)], "The loss is off already: look at its formula."),
        ([("deltas", 0), ("deltas", 1), W1], "The first quantity that is off is δ²: look at how it is made."),
        ([("deltas", 0), W1], "The first quantity that is off is δ¹: look at how it is made."),
    ],
)
def test_the_first_quantity_that_is_off_is_named(keys: Sequence[Key], sentence: str) -> None:
    assert told(with_forward(keys))[0] == sentence
    assert told(with_forward(keys), named=True) == [sentence]  # worth a word also where the mistake is known


def test_few_cases_are_named() -> None:
    assert f"It is wrong on 1 of 6 cases only: “{CASES[3].name}”." in told(spoilt(KEYS, [3]))
    assert f"It is wrong on 2 of 6 cases only: “{CASES[1].name}”, “{CASES[3].name}”." in told(spoilt(KEYS, [1, 3]))
    assert not any("cases only" in note for note in told(spoilt(KEYS, [1, 3, 4])))


def test_a_pattern_is_told_where_all_cases_have_it() -> None:
    doubled = [{**claim, W2: [[2 * x for x in row] for row in claim[W2]]} for claim in RIGHT]
    assert "∂loss/∂W² is 2 times what it should be." in told(doubled)
    mixed = [*doubled[:1], *({**c, W2: [[3 * x for x in row] for row in c[W2]]} for c in RIGHT[1:])]
    assert not any("times what" in note for note in told(mixed))


def test_an_answer_that_is_kept_is_told() -> None:
    case = CASES[2]
    other = replace(case, name="again", network=Network.random(case.network.sizes, ["tanh", "identity"], 3))
    answer = Answer(dict(RIGHT[2]))
    kept = gathered([case, other], [answer, answer], CONVENTION, "binary64", budgets)
    assert (
        localised(kept, CONVENTION)[-1]
        == "On the case “again” it answers what it answered on the one before: something is kept."
    )
