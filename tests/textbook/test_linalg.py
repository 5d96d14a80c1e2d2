"""Linear algebra: exact over dyadic numbers, so that the laws hold to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError, dot, hadamard, inner, transpose
from purebp.textbook.linalg import shape, subtract, total
from tests.strategies import Rows, matrices


@st.composite
def products(draw: st.DrawFn) -> tuple[Rows, Rows, Rows]:
    """A, n × k; X, k × m; Y, n × m."""
    n, k, m = (draw(st.integers(1, 6)) for _ in range(3))
    return draw(matrices(n, k)), draw(matrices(k, m)), draw(matrices(n, m))


def frobenius(a: Rows, b: Rows) -> float:
    """⟨A, B⟩ = Σ Aᵢⱼ Bᵢⱼ."""
    return sum(sum(row) for row in hadamard(a, b))


@given(products())
def test_transpose_is_the_adjoint(given_: tuple[Rows, Rows, Rows]) -> None:
    """⟨A X, Y⟩ = ⟨X, Aᵀ Y⟩, the whole of backpropagation through a linear layer; A B is inner(A, Bᵀ)."""
    a, x, y = given_
    assert frobenius(inner(a, transpose(x)), y) == frobenius(x, inner(transpose(a), transpose(y)))


@given(products())
def test_inner_is_all_dot_products_of_rows(given_: tuple[Rows, Rows, Rows]) -> None:
    a, x, _ = given_
    columns, biases = transpose(x), [0.125 * j for j in range(len(x[0]))]
    assert inner(a, columns) == [[dot(row, column) for column in columns] for row in a]
    assert inner(a, columns, biases) == [[p + bias for p, bias in zip(row, biases)] for row in inner(a, columns)]


@given(products())
def test_transposing_twice_changes_nothing_and_nothing_given_is_changed(given_: tuple[Rows, Rows, Rows]) -> None:
    before = deepcopy(given_)
    a, x, _ = given_
    assert transpose(transpose(a)) == a and shape(transpose(a)) == shape(a)[::-1]
    assert transpose(inner(a, transpose(x))) == inner(transpose(x), a)
    assert subtract(a, a) == hadamard(a, [[0.0] * len(a[0])] * len(a))
    assert total(a[0]) == sum(a[0])
    assert given_ == before


def test_without_rows_the_shape_is_0_0() -> None:
    assert shape([]) == (0, 0) and transpose([]) == []


@pytest.mark.parametrize("operation", [inner, hadamard, subtract], ids=lambda operation: operation.__name__)
def test_other_shapes_are_refused_with_both_shapes(operation: Callable[[Rows, Rows], Rows]) -> None:
    with pytest.raises(PurebpError, match=r"\(1, 2\) and \(1, 3\)"):
        operation([[1.0, 2.0]], [[1.0, 2.0, 3.0]])
