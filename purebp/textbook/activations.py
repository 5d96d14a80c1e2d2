"""Activations as data: one row holds all that is known of one: its name, a = f(z), f′(z), f″(z), and their bounds.

Every formula is the stable one: it overflows for no finite float, and is relatively accurate where
the textbook form cancels, as σ′ = a(1 − a) does for a near 1. At a kink the derivative takes the
value that PyTorch gives it: relu′(0) = 0, leaky_relu′(0) = slope, elu′(0) = alpha.

>>> sigmoid(0.0), sigmoid.derivative(0.0), sigmoid(-1000.0)
(0.5, 0.25, 0.0)
>>> activation("leaky_relu(0.5)")(-3.0), relu.kinks
(-1.5, (0.0,))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from purebp.textbook import formulas
from purebp.textbook.arithmetic import DEFAULT, Arithmetic, Bounds, Formula, Function, Matrix, N, PurebpError, Vector
from purebp.textbook.linalg import dot, hadamard, total
from purebp.textbook.names import look_up


class Activation(ABC):
    """What a layer does to its pre-activations z, row by row, and how a gradient passes back.

    title is what a node of a graph that computes it is called, definition the formula in ASCII, in which `parameter`
    stands for the number in the name. One that saturates has finite limits on both sides, where f′ dwindles. The
    outputs of a distribution are shares, which sum to 1 for each sample.
    """

    name: str
    kinks: tuple[float, ...] = ()
    title: str = ""
    definition: str = ""
    parameter: str = ""
    saturates: bool = False
    distribution: bool = False

    @property
    def form(self) -> str:
        """The name, with the letter of the definition in the place of its number.

        >>> leaky_relu(0.5).form, tanh.form
        ('leaky_relu(s)', 'tanh')
        """
        return f"{self.name.partition('(')[0]}({self.parameter})" if self.parameter else self.name

    @abstractmethod
    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """The activations a = f(z); samples × n_out."""

    @abstractmethod
    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """∂loss/∂z from error = ∂loss/∂a: the error times the Jacobian of f; samples × n_out."""

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        """Formulas do not pickle; the name finds them again, if it is theirs."""
        if _PLAIN.get(self.name, self) is not self:
            raise PurebpError(f"this {self.name!r} is not the one of this package: it cannot be sent to a process")
        return activation, (self.name,)


@dataclass(frozen=True)
class Elementwise(Activation):
    """An activation that works on each neuron alone: aⱼ = f(zⱼ), and backward error ⊙ f′(z).

    The kinks, where they are not given, are those in the bounds of the derivative. `from_output` is f′ as a formula of
    a = f(z), where textbooks write one.
    """

    name: str
    value: Function = field(repr=False)
    derivative: Function = field(repr=False)
    kinks: tuple[float, ...] = field(default=(), repr=False)
    title: str = field(default="", compare=False, repr=False)
    definition: str = field(default="", compare=False, repr=False)
    parameter: str = field(default="", compare=False, repr=False)
    saturates: bool = field(default=False, compare=False, repr=False)
    from_output: Formula | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.kinks and self.derivative.bounds:
            object.__setattr__(self, "kinks", tuple(z for z, _, _ in self.derivative.bounds.kinks))
        object.__setattr__(self, "title", self.title or self.name.partition("(")[0])

    def __call__(self, z: N, arithmetic: Arithmetic[N] = DEFAULT) -> N:
        return arithmetic.elementwise(self.value, [[z]])[0][0]

    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return arithmetic.elementwise(self.value, z)

    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return hadamard(error, arithmetic.elementwise(self.derivative, z))


@dataclass(frozen=True)
class Softmax(Activation):
    """aⱼ = e^zⱼ / Σₖ e^zₖ over each row, shifted by the largest z so that nothing overflows.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    >>> softmax.derivative([0.0, 0.0])
    [[0.25, -0.25], [-0.25, 0.25]]
    """

    name: str = "softmax"
    title = "Softmax"
    definition = "e^z / sum of e^z over the outputs of a sample"
    distribution = True

    def __call__(self, z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[N]:
        _, powers, total = exponentials(z, arithmetic)
        return [power / total for power in powers]

    value = __call__

    def derivative(self, z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[list[N]]:
        """The Jacobian ∂aᵢ/∂zⱼ = aᵢ ([i = j] − aⱼ)."""
        a = self(z, arithmetic)
        return [[ai * (1 - aj) if i == j else -(ai * aj) for j, aj in enumerate(a)] for i, ai in enumerate(a)]

    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return [self(row, arithmetic) for row in z]

    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """The Jacobian is symmetric, so ∂loss/∂zⱼ = aⱼ (errorⱼ − Σₖ errorₖ aₖ)."""
        means = [dot(row, other, arithmetic) for row, other in zip(error, a)]
        return [[aj * (ej - mean) for aj, ej in zip(row, errors)] for row, errors, mean in zip(a, error, means)]


def exponentials(z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> tuple[N, list[N], N]:
    """m = max z, the powers e^(zⱼ − m), and their sum: log Σ e^zⱼ is m + log of that sum.

    Any m is right; the largest keeps the powers from overflowing, and where two may be it, either does.

    >>> exponentials([1000.0, 1000.0])
    (1000.0, [1.0, 1.0], 2.0)
    """
    largest = z[0]
    for candidate in z:
        largest = candidate if arithmetic.order(largest, candidate) == -1 else largest
    powers = [arithmetic.exp(x - largest) for x in z]
    return largest, powers, total(powers, arithmetic)


def _row(name: str, chain: tuple[Formula, ...], *bounds: Bounds, **rest: Any) -> Elementwise:
    """Of f, f′, f″ and f‴, each of which is the slope of the one before; or of f, f′ and f″, where f is piecewise linear."""
    following: Function | None = None
    for k in (2, 1, 0):
        known = bounds[k]._replace(slope=chain[k + 1]) if len(chain) > 3 else bounds[k]
        function = Function(name + ("", "′", "″")[k], chain[k], known, following)
        derivative, following = following, function
    assert derivative is not None
    return Elementwise(name, function, derivative, **rest)


identity = _row(
    "identity",
    (lambda z, arithmetic: z, formulas.one, formulas.zero),
    *[Bounds()] * 3,
    title="Identity",
    definition="z",
)
_OF_SIGMOID_SLOPE = Bounds(
    peaks=(-1.3169578969248166, 1.3169578969248166),  # ± log(2 + √3)
    intermediate=formulas.reaching(1.0),
    formulas="a(1 − a); a − a²; e^−ǀzǀ/(1 + e^−ǀzǀ)²; σ(z)σ(−z)",
    stable="e^−ǀzǀ/(1 + e^−ǀzǀ)²; σ(z)σ(−z)",
)
sigmoid = _row(
    "sigmoid",
    (formulas.sigmoid, formulas.sigmoid_derivative, formulas.sigmoid_second, formulas.sigmoid_third),
    Bounds(
        peaks=(0.0,),
        intermediate=formulas.reaching(1.0),
        formulas="1/(1 + e⁻ᶻ); in two branches; ½ + ½ tanh(z/2)",
        stable="1/(1 + e⁻ᶻ); in two branches",
    ),
    _OF_SIGMOID_SLOPE,
    Bounds(peaks=(-2.2924316695611777, 0.0, 2.2924316695611777), intermediate=formulas.reaching(1.0)),  # ± 2 artanh √⅔
    title="Sigmoid",
    definition="1/(1 + e^-z)",
    saturates=True,
    from_output=lambda a, arithmetic: a * (1 - a),
)
tanh = _row(
    "tanh",
    (
        lambda z, arithmetic: arithmetic.tanh(z),
        formulas.tanh_derivative,
        formulas.tanh_second,
        lambda z, arithmetic: 16 * formulas.sigmoid_third(2 * z, arithmetic),
    ),
    Bounds(
        peaks=(0.0,),
        intermediate=formulas.reaching(1.0),
        formulas="library; (e²ᶻ − 1)/(e²ᶻ + 1); 2σ(2z) − 1",
        stable="library",
    ),
    Bounds(
        peaks=(-0.6584789484624084, 0.6584789484624084),  # ± artanh(1/√3)
        intermediate=formulas.reaching(2.0),
        formulas="1 − a²; (1 − a)(1 + a); 1/cosh² z; 4σ′(2z)",
        stable="1/cosh² z; 4σ′(2z)",
    ),
    Bounds(peaks=(-1.1462158347805889, 0.0, 1.1462158347805889), intermediate=formulas.reaching(2.0)),  # ± artanh √⅔
    title="Tanh",
    definition="tanh z",
    saturates=True,
    from_output=lambda a, arithmetic: 1 - a * a,
)
relu = _row(
    "relu",
    (
        lambda z, arithmetic: arithmetic.zero if arithmetic.less(z, 0) else z,  # NaN stays NaN
        lambda z, arithmetic: arithmetic.one if arithmetic.less(0, z) else arithmetic.zero,
        formulas.zero,
    ),
    Bounds(kinks=((0.0, 0.0, 0.0),)),
    Bounds(kinks=((0.0, 0.0, 1.0),)),
    Bounds(),
    title="ReLU",
    definition="max(0, z)",
)
softplus = _row(
    "softplus",
    (formulas.softplus, formulas.sigmoid, formulas.sigmoid_derivative, formulas.sigmoid_second),
    Bounds(
        intermediate=formulas.reaching_z,
        formulas="log(1 + eᶻ); log1p(eᶻ); max(z, 0) + log1p(e^−ǀzǀ)",
        stable="log1p(eᶻ); max(z, 0) + log1p(e^−ǀzǀ)",
    ),
    Bounds(peaks=(0.0,), intermediate=formulas.reaching(1.0), formulas="σ(z); 1 − e⁻ᵃ", stable="σ(z)"),
    _OF_SIGMOID_SLOPE,
    title="Softplus",
    definition="log(1 + e^z)",
)
silu = _row(
    "silu",
    (
        lambda z, arithmetic: z * formulas.sigmoid(z, arithmetic),
        formulas.silu_derivative,
        formulas.silu_second,
        formulas.silu_third,
    ),
    Bounds(
        peaks=(-2.3993572805205468, 2.3993572805205468),
        intermediate=formulas.reaching_z,
        formulas="zσ(z); z/(1 + e⁻ᶻ)",
        stable="zσ(z); z/(1 + e⁻ᶻ)",
    ),
    Bounds(
        peaks=(-3.4358409935135107, 0.0, 3.4358409935135107),
        signed=True,
        intermediate=formulas.reaching_z,
        formulas="σ(1 + z(1 − σ)); a + σ(1 − a); σ + zσ′",
    ),
    Bounds(
        peaks=(-4.429235100557228, -1.0319582417807491, 1.0319582417807491, 4.429235100557228),
        signed=True,
        intermediate=formulas.reaching_z,
    ),
    title="SiLU",
    definition="z/(1 + e^-z)",
)
gelu = _row(
    "gelu",
    (
        lambda z, arithmetic: z * arithmetic.normal_cdf(z),
        formulas.gelu_derivative,
        formulas.gelu_second,
        formulas.gelu_third,
    ),
    Bounds(
        peaks=(-1.4142135623730951, 1.4142135623730951),
        intermediate=formulas.reaching_z,
        formulas="zΦ(z) by erf or erfc; ½z(1 + erf(z/√2))",
    ),
    Bounds(peaks=(-2.0, 0.0, 2.0), signed=True, intermediate=formulas.reaching_z, formulas="Φ(z) + zφ(z)"),
    Bounds(
        peaks=(-2.5243377989621387, -0.7922869913932613, 0.7922869913932613, 2.5243377989621387),  # √½(7 ± √33)
        signed=True,
        intermediate=formulas.reaching_z,
    ),
    title="GELU",
    definition="z P(z), P the distribution function of the standard normal distribution",
)
softmax = Softmax()


def leaky_relu(slope: float = 0.01) -> Elementwise:
    """f(z) = z for z > 0, slope · z otherwise.

    >>> leaky_relu(0.5).name, leaky_relu(0.5)(-2.0)
    ('leaky_relu(0.5)', -1.0)
    """
    return _row(
        _named("leaky_relu", slope),
        (
            formulas.one_sided(slope, lambda z, arithmetic: z, lambda z, arithmetic: z),
            formulas.one_sided(slope, formulas.one, formulas.one),
            formulas.zero,
        ),
        Bounds(kinks=((0.0, 0.0, 0.0),)),
        Bounds(kinks=() if slope == 1 else ((0.0, slope, 1.0),)),
        Bounds(),
        title="LeakyReLU",
        definition="z for z > 0, else s z",
        parameter="s",
    )


def elu(alpha: float = 1.0) -> Elementwise:
    """f(z) = z for z > 0, alpha · (e^z − 1) otherwise; without a kink where alpha is 1.

    >>> elu(1.0)(-1e308), elu(1.0).kinks, elu(0.5).kinks
    (-1.0, (), (0.0,))
    """
    second = formulas.one_sided(alpha, formulas.zero, lambda z, arithmetic: arithmetic.exp(z))
    reaching = formulas.reaching(max(1.0, abs(alpha)))  # by α eᶻ − α, and a + α for the derivative
    jump = () if alpha == 1 else ((0.0, alpha, 1.0),)
    return _row(
        _named("elu", alpha),
        (
            formulas.one_sided(alpha, lambda z, arithmetic: z, lambda z, arithmetic: arithmetic.expm1(z)),
            formulas.one_sided(alpha, formulas.one, lambda z, arithmetic: arithmetic.exp(z)),
            second,
            second,
        ),
        Bounds(peaks=(0.0,), intermediate=reaching, formulas="α(eᶻ − 1); α expm1(z)", stable="α expm1(z)"),
        Bounds(peaks=(0.0,), kinks=jump, intermediate=reaching, formulas="αeᶻ; a + α", stable="αeᶻ"),
        Bounds(peaks=(0.0,), kinks=((0.0, alpha, 0.0),), intermediate=reaching),
        title="ELU",
        definition="z for z > 0, else a (e^z - 1)",
        parameter="a",
        from_output=lambda a, arithmetic: arithmetic.one if arithmetic.less(0, a) else a + arithmetic.number(alpha),
    )


def _named(name: str, parameter: float) -> str:
    if not isfinite(parameter):
        raise PurebpError(f"{name}({parameter}): the parameter must be a finite number")
    return f"{name}({float(parameter)!r})"


_PLAIN: dict[str, Activation] = {f.name: f for f in (identity, sigmoid, tanh, relu, softplus, silu, gelu, softmax)}
_FAMILIES: dict[str, Callable[..., Activation]] = {"leaky_relu": leaky_relu, "elu": elu}
ACTIVATIONS = (identity, sigmoid, tanh, relu, leaky_relu(), elu(), softplus, silu, gelu, softmax)


def activation(name: str | Activation) -> Activation:
    """The activation of that name, such as "tanh", "leaky_relu(0.01)" or "elu" with its default.

    >>> activation("elu(1.0)") == elu(1.0)
    True
    """
    if isinstance(name, Activation):
        return name
    return look_up("activation", name, _PLAIN, _FAMILIES)
