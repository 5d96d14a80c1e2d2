"""What a number system that bounds errors must know of a function: how steep it is, where it breaks, what cancels.

For the activations, and for the losses that are a function of the error alone, as data: one pair for f and f′.

>>> bounds_of(sigmoid.derivative).peaks, bounds_of(relu.derivative).kinks
((-1.3169578969248166, 1.3169578969248166), ((0.0, 0.0, 1.0),))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from purebp.textbook.activations import gelu, sigmoid, silu, softplus, tanh
from purebp.textbook.arithmetic import Arithmetic, Formula, Function, N, PurebpError
from purebp.textbook.names import look_up


def nothing(magnitude: float) -> float:
    """No intermediate result is larger than the final one."""
    return 0.0


def one(magnitude: float) -> float:
    """Intermediate results reach 1, as in 1 − a."""
    return 1.0


def two(magnitude: float) -> float:
    """1 − a², and 1/cosh² z: a square has twice the relative error of its root."""
    return 2.0


def at_least_one(magnitude: float) -> float:
    """Intermediate results reach 1 or |z|."""
    return max(1.0, magnitude)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The slope of a function g, and where it is steep; without a slope, g is piecewise linear and made of + − × alone.

    |g′| has no local maximum but at the peaks. A kink is a point where the pieces of g meet, with its value on the left and
    on the right; between kinks, g is monotone. `signed` says that the formula adds terms of both signs, so that it
    cancels near a root. `intermediate` is the largest intermediate result, by |z|, of any formula in use.
    """

    slope: Formula | None = None
    peaks: tuple[float, ...] = ()
    kinks: tuple[tuple[float, float, float], ...] = ()
    signed: bool = False
    intermediate: Callable[[float], float] = nothing


def bounds_of(function: Function) -> Bounds:
    """The bounds that the function brings along, or else those in the table.

    >>> bounds_of(Function("cube", lambda z, on: z * z * z))
    Traceback (most recent call last):
      ...
    purebp.textbook.arithmetic.PurebpError: nothing is known about the error of cube: give its Function bounds=Bounds(...)
    """
    if isinstance(function.bounds, Bounds):
        return function.bounds
    try:
        pair = look_up("function", function.name.removesuffix("′"), _TABLE, _FAMILIES)
    except PurebpError:
        advice = "give its Function bounds=Bounds(...)"
        raise PurebpError(f"nothing is known about the error of {function.name}: {advice}") from None
    return pair[function.name.endswith("′")]


def _sigmoid_second(z: N, on: Arithmetic[N]) -> N:
    return -on.tanh(z / 2) * sigmoid.derivative(z, on)


def _silu_second(z: N, on: Arithmetic[N]) -> N:
    return sigmoid.derivative(z, on) * (2 - z * on.tanh(z / 2))


def _scaled_power(z: N, on: Arithmetic[N], scale: float) -> N:
    """alpha e^z for z ≤ 0, the slope of elu′."""
    return on.ratio(0, 1) if on.less(0, z) else on.number(scale) * on.exp(z)


def _elu(alpha: float) -> tuple[Bounds, Bounds]:
    def intermediate(magnitude: float) -> float:
        """alpha e^z − alpha, and a + alpha for the derivative."""
        return max(1.0, abs(alpha))

    def slope(z: N, on: Arithmetic[N]) -> N:
        return on.ratio(1, 1) if on.less(0, z) else _scaled_power(z, on, alpha)

    kinks = () if alpha == 1 else ((0.0, alpha, 1.0),)
    return (
        Bounds(slope, (0.0,), intermediate=intermediate),
        Bounds(lambda z, on: _scaled_power(z, on, alpha), (0.0,), kinks, intermediate=intermediate),
    )


def _huber(delta: float) -> tuple[Bounds, Bounds]:
    def clipped(e: N, on: Arithmetic[N]) -> N:
        bound = on.number(delta)
        return bound if on.less(bound, e) else -bound if on.less(e, -bound) else e

    return Bounds(clipped, (-delta, 0.0, delta)), Bounds(lambda e, on: on.ratio(1, 1))


_CORNER = ((0.0, 0.0, 0.0),)
_TABLE: Mapping[str, tuple[Bounds, Bounds]] = {
    "identity": (Bounds(), Bounds()),
    "relu": (Bounds(kinks=_CORNER), Bounds(kinks=((0.0, 0.0, 1.0),))),
    "sigmoid": (
        Bounds(sigmoid.derivative.formula, (0.0,), intermediate=one),
        Bounds(_sigmoid_second, (-1.3169578969248166, 1.3169578969248166), intermediate=one),  # ± log(2 + √3)
    ),
    "tanh": (
        Bounds(tanh.derivative.formula, (0.0,), intermediate=one),
        Bounds(  # ± artanh(1/√3)
            lambda z, on: 8 * _sigmoid_second(2 * z, on), (-0.6584789484624084, 0.6584789484624084), intermediate=two
        ),
    ),
    "softplus": (
        Bounds(softplus.derivative.formula, intermediate=at_least_one),
        Bounds(sigmoid.derivative.formula, (0.0,), intermediate=one),
    ),
    "silu": (
        Bounds(silu.derivative.formula, (-2.3993572805205468, 0.0, 2.3993572805205468), intermediate=at_least_one),
        Bounds(_silu_second, (-3.4358409935135107, 0.0, 3.4358409935135107), signed=True, intermediate=at_least_one),
    ),
    "gelu": (
        Bounds(gelu.derivative.formula, (-1.4142135623730951, 0.0, 1.4142135623730951), intermediate=at_least_one),
        Bounds(lambda z, on: (2 - z * z) * on.normal_pdf(z), (-2.0, 0.0, 2.0), signed=True, intermediate=at_least_one),
    ),
    "mae": (Bounds(kinks=_CORNER), Bounds(kinks=((0.0, -1.0, 1.0),))),
}
_FAMILIES: Mapping[str, Callable[..., tuple[Bounds, Bounds]]] = {
    "leaky_relu": lambda slope: (Bounds(kinks=_CORNER), Bounds(kinks=() if slope == 1 else ((0.0, slope, 1.0),))),
    "elu": _elu,
    "huber": _huber,
}
