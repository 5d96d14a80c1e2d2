"""Asked once more: the same answer is never stateful, sums that grow keep state, and chance is flaky."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count, repeat
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from purebp.oracle.answer import BROKEN, Answer, Finding, Key
from purebp.oracle.asking.candidate import NOT_ASKED
from purebp.oracle.asking.state import stateful
from purebp.textbook.arithmetic import Matrix

KEYS: tuple[Key, ...] = (("weights", 0), ("biases", 0))
NUMBERS = st.integers(-64, 64).map(lambda k: k / 8)
VECTORS = st.lists(NUMBERS, min_size=3, max_size=3)


class Question(NamedTuple):
    name: str


WIDE, DEEP, LAST = map(Question, ("wide", "deep", "last"))


def claim(numbers: Iterable[float]) -> dict[Key, Matrix]:
    """The numbers as weights and biases of one layer."""
    *weights, bias = numbers
    return {KEYS[0]: [weights], KEYS[1]: [[bias]]}


def found(*calls: Iterable[Iterable[float]]) -> list[tuple[str, str, str]]:
    """What is said where the first case was answered with the first numbers, then with the next; and so on."""
    series = [map(Answer, map(claim, numbers)) for numbers in calls]
    asked = dict(zip((WIDE, DEEP, LAST), series))
    firsts = [next(answers) for answers in series]
    told = stateful(list(asked), firsts, lambda case: next(asked[case]))
    return [(finding.kind, finding.case, finding.sentence) for finding in told]


@given(st.lists(VECTORS, min_size=1, max_size=3))
def test_answers_that_are_the_same_are_never_stateful(vectors: list[list[float]]) -> None:
    assert found(*map(repeat, vectors)) == []


@given(VECTORS, VECTORS)
def test_answers_that_grow_by_the_same_amount_keep_state(start: list[float], step: list[float]) -> None:
    assume(any(step))
    growing = ([x + k * g for x, g in zip(start, step)] for k in count())
    ((kind, case, sentence),) = found(growing)
    assert (kind, case) == ("keeps state", "wide")
    assert "grows from call to call by the same amount" in sentence and "never reset to 0" in sentence


@given(VECTORS, VECTORS)
def test_an_answer_that_depends_on_what_was_asked_before_keeps_state(before: list[float], now: list[float]) -> None:
    assume(before != now)
    ((kind, case, sentence),) = found([before, *[now] * 4])
    assert (kind, case) == ("keeps state", "wide")
    assert "depends on what was asked before" in sentence


@given(st.lists(VECTORS, min_size=4, max_size=4, unique_by=tuple))
def test_answers_by_chance_are_flaky(answers: list[list[float]]) -> None:
    steps = [[y - x for x, y in zip(a, b)] for a, b in zip(answers[1:], answers[2:])]
    assume(max(abs(x - y) for x, y in zip(*steps)) > 0.01)
    ((kind, case, sentence),) = found(answers)
    assert (kind, case) == ("flaky", "wide")
    assert "asked the same three times" in sentence


def test_growth_that_is_nearly_even_is_growth() -> None:
    assert found([[k + 1e-8 * (k % 2), 0.0, 0.0] for k in range(4)])[0][0] == "keeps state"
    assert found([[k + 1e-5 * (k % 2), 0.0, 0.0] for k in range(4)])[0][0] == "flaky"


def test_another_set_of_tensors_is_another_answer() -> None:
    whole = claim([1.0, 2.0, 3.0])
    part = {KEYS[0]: whole[KEYS[0]]}
    answers = map(Answer, (part, whole, part))
    (finding,) = stateful([WIDE], [Answer(whole)], lambda case: next(answers))
    assert finding.kind == "flaky"


def test_the_second_case_is_asked_where_the_first_is_the_same_and_no_third_is() -> None:
    same, growing = [1.0, 2.0, 3.0], [[float(k), 0.0, 0.0] for k in range(4)]
    assert [told[:2] for told in found(repeat(same), growing)] == [("keeps state", "deep")]
    assert found(repeat(same), repeat(same), growing) == []


def test_one_finding_is_enough() -> None:
    growing = [[float(k), 0.0, 0.0] for k in range(4)]
    assert [told[:2] for told in found(growing, growing)] == [("keeps state", "wide")]


def asked(first: Answer, again: Callable[[int], Answer]) -> tuple[int, list[Finding]]:
    """How often it was asked again, and what is said then."""
    calls: list[str] = []

    def ask(case: Question) -> Answer:
        calls.append(case.name)
        return again(len(calls))

    told = list(stateful([WIDE], [first], ask))
    return len(calls), told


def test_what_gave_no_answer_is_not_asked_again() -> None:
    assert asked(Answer({}, (Finding("raises", "it raises"),)), lambda call: Answer()) == (0, [])


def test_an_answer_that_stays_is_asked_for_twice_and_no_more() -> None:
    first = Answer(claim([1.0, 2.0, 3.0]))
    assert asked(first, lambda call: first) == (2, [])


@pytest.mark.parametrize("kind", [*BROKEN, NOT_ASKED])
@pytest.mark.parametrize("call", [1, 2])
def test_what_breaks_when_asked_again_is_no_state(kind: str, call: int) -> None:
    first, broken = Answer(claim([1.0, 2.0, 3.0])), Answer({}, (Finding(kind, "it ends"),))
    assert asked(first, lambda n: broken if n == call else first) == (2, [])


def test_what_raises_when_asked_again_is_not_the_same() -> None:
    first, raising = Answer(claim([1.0, 2.0, 3.0])), Answer({}, (Finding("raises", "it raises"),))
    (finding,) = asked(first, lambda n: raising)[1]
    assert finding.kind == "keeps state" and finding.fatal
