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
from purebp.oracle.asking.state import Changed, stateful
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
    return [(changed.finding.kind, changed.finding.case, changed.finding.sentence) for changed in told]


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
    (changed,) = stateful([WIDE], [Answer(whole)], lambda case: next(answers))
    assert changed.finding.kind == "flaky"


def test_the_second_case_is_asked_where_the_first_is_the_same_and_no_third_is() -> None:
    same, growing = [1.0, 2.0, 3.0], [[float(k), 0.0, 0.0] for k in range(4)]
    assert [told[:2] for told in found(repeat(same), growing)] == [("keeps state", "deep")]
    assert found(repeat(same), repeat(same), growing) == []


def test_what_changed_comes_with_the_answers_it_changed_to() -> None:
    growing = [claim([float(k), 0.0, 0.0]) for k in range(4)]
    answers = {case: map(Answer, growing[1:]) for case in (WIDE, DEEP)}
    told = list(stateful([WIDE, DEEP], [Answer(growing[0])] * 2, lambda case: next(answers[case])))
    assert [(changed.index, changed.finding.case) for changed in told] == [(0, "wide"), (1, "deep")]
    assert all(changed.claims == (growing[1], growing[2]) for changed in told)


def asked(first: Answer, again: Callable[[int], Answer]) -> tuple[int, list[Changed]]:
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
    (changed,) = asked(first, lambda n: raising)[1]
    assert changed.finding.kind == "keeps state" and changed.finding.fatal
