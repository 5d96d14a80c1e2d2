"""Elementary functions of floats and of traced numbers alike: what a program in plain Python calls in place of `math`'s.

>>> exp(0.0), maximum(1.0, 2.0), where(True, 1.0, 2.0)
(1.0, 2.0, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from purebp.number_systems.traced import UNARY


def _function(name: str, x: Any) -> Any:
    method = getattr(x, name, None)
    return UNARY[name](float(x)) if method is None else method()


def exp(x: Any) -> Any:
    """eˣ.

    >>> exp(1.0)
    2.718281828459045
    """
    return _function("exp", x)


def expm1(x: Any) -> Any:
    """eˣ − 1, accurate near 0.

    >>> expm1(1e-10)
    1.00000000005e-10
    """
    return _function("expm1", x)


def log(x: Any) -> Any:
    """The natural logarithm.

    >>> log(1.0)
    0.0
    """
    return _function("log", x)


def log1p(x: Any) -> Any:
    """ln(1 + x), accurate near 0.

    >>> log1p(1e-10)
    9.9999999995...e-11
    """
    return _function("log1p", x)


def sqrt(x: Any) -> Any:
    """The square root.

    >>> sqrt(2.25)
    1.5
    """
    return _function("sqrt", x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    >>> tanh(0.0)
    0.0
    """
    return _function("tanh", x)


def normal_cdf(x: Any) -> Any:
    """Φ(x), of the standard normal distribution.

    >>> normal_cdf(0.0)
    0.5
    """
    return _function("normal_cdf", x)


def erf(x: Any) -> Any:
    """The error function, 2 Φ(√2 x) − 1.

    >>> erf(0.0)
    0.0
    """
    return 2 * normal_cdf(x * math.sqrt(2)) - 1


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ).

    >>> sigmoid(0.0)
    0.5
    """
    return 1 / (1 + exp(-x))


def maximum(x: Any, y: Any) -> Any:
    """The larger of two.

    >>> maximum(-1.0, 0.0)
    0.0
    """
    return y if x < y else x


def minimum(x: Any, y: Any) -> Any:
    """The smaller of two.

    >>> minimum(-1.0, 0.0)
    -1.0
    """
    return x if x < y else y


def where(condition: Any, x: Any, y: Any) -> Any:
    """x if the condition holds, else y.

    >>> where(0.5 > 1, 1.0, 2.0)
    2.0
    """
    return x if condition else y


def total(numbers: Iterable[Any]) -> Any:
    """Their sum.

    >>> total([1.0, 2.0, 3.0])
    6.0
    """
    return sum(numbers)


def dot(a: Iterable[Any], b: Iterable[Any]) -> Any:
    """Σ aᵢ bᵢ.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    return sum(x * y for x, y in zip(a, b))
