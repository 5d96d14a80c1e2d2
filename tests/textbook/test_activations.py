"""Activations: right to the last digits, stable for every finite float, found by name."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from purebp import (
    FLOAT,
    Batch,
    Layer,
    Network,
    PurebpError,
    activation,
    backpropagation,
    elu,
    leaky_relu,
    numerical_gradients,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from purebp.textbook.activations import ACTIVATIONS as KNOWN
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import Bounds, Function
from tests.enclosures import BELL
from tests.strategies import ACTIVATIONS

ELEMENTWISE = [f for f in map(activation, ACTIVATIONS) if isinstance(f, Elementwise)]
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
LARGEST, TINY = math.nextafter(math.inf, 0.0), Decimal(math.nextafter(0.0, 1.0))
finite_floats = st.floats(allow_nan=False, allow_infinity=False)


def _sigmoid(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def _normal_pdf(z: Decimal) -> Decimal:
    return (-z * z / 2).exp() / (2 * PI).sqrt()


def _normal_cdf(z: Decimal) -> Decimal:
    """Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …) (Marsaglia, Journal of Statistical Software 11, 2004)."""
    term = total = z
    n = 1
    while abs(term) > Decimal("1e-350"):
        n += 2
        term *= z * z / n
        total += term
    return Decimal("0.5") + _normal_pdf(z) * total


def _one_sided(scale: str, value: Callable[[Decimal], Decimal]) -> Callable[[Decimal], Decimal]:
    return lambda z: z if z > 0 else Decimal(scale) * value(z)


# The textbook forms of value and derivative, which need no care where there are digits enough.
DEFINITIONS: dict[str, tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]]] = {
    "identity": (lambda z: z, lambda z: Decimal(1)),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "tanh": (lambda z: 2 * _sigmoid(2 * z) - 1, lambda z: 1 - (2 * _sigmoid(2 * z) - 1) ** 2),
    "relu": (_one_sided("0", lambda z: z), lambda z: Decimal(z > 0)),
    "leaky_relu(0.25)": (_one_sided("0.25", lambda z: z), lambda z: Decimal(1 if z > 0 else "0.25")),
    "softplus": (lambda z: (1 + z.exp()).ln(), _sigmoid),
    "elu(1.0)": (_one_sided("1", lambda z: z.exp() - 1), lambda z: Decimal(1) if z > 0 else z.exp()),
    "elu(0.5)": (_one_sided("0.5", lambda z: z.exp() - 1), lambda z: Decimal(1) if z > 0 else z.exp() / 2),
    "silu": (lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z)))),
    "gelu": (lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * _normal_pdf(z)),
}


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.name)
@given(unit=st.floats(-1, 1))
@example(unit=1e-300)
@example(unit=-1e-17)
def test_value_and_derivative_are_accurate_to_the_last_digits(f: Elementwise, unit: float) -> None:
    """Relatively, up to z² units in the last place for gelu, where e^(−z²/2) magnifies the rounding of z²."""
    z = unit * (12 if f.name == "gelu" else 700)
    value, derivative = DEFINITIONS[f.name]
    with localcontext(prec=350):
        tolerance = Decimal(math.ulp(1.0)) * (8 + int(z * z if f.name == "gelu" else 0))
        expected, slope = value(Decimal(z)), derivative(Decimal(z))
        assert abs(Decimal(f(z)) - expected) <= tolerance * abs(expected) + TINY
        changes_sign = f.name in ("silu", "gelu") and -2 < z < 0  # as those derivatives do at −1.28 and −0.75
        assert abs(Decimal(f.derivative(z)) - slope) <= tolerance * (1 if changes_sign else abs(slope)) + TINY


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.name)
@given(z=finite_floats)
@example(z=LARGEST)
@example(z=-LARGEST)
@example(z=-0.0)
def test_value_and_derivative_of_every_finite_float_are_finite(f: Elementwise, z: float) -> None:
    assert math.isfinite(f(z)) and math.isfinite(f.derivative(z))


@given(st.lists(finite_floats, min_size=1, max_size=5))
def test_softmax_is_a_distribution_for_all_finite_floats(z: list[float]) -> None:
    assert sum(softmax(z)) == pytest.approx(1) and all(0 <= a <= 1 for a in softmax(z))
    assert softmax(z)[z.index(max(z))] == max(softmax(z))


@given(st.lists(st.floats(-300, 300), min_size=1, max_size=5))
def test_softmax_has_the_jacobian_that_it_applies(z: list[float]) -> None:
    """backward is the error times `derivative`, whose rows sum to 0 as the outputs sum to 1."""
    jacobian, error = softmax.derivative(z), [float(k) for k in range(len(z))]
    assert [sum(row) for row in jacobian] == pytest.approx([0.0] * len(z), abs=1e-15)
    (found,) = softmax.backward([error], [z], [softmax(z)], FLOAT)
    assert found == pytest.approx([sum(e * slope for e, slope in zip(error, row)) for row in jacobian], abs=1e-14)


def test_saturation_is_exact() -> None:
    assert (sigmoid(-1000.0), sigmoid(1000.0), sigmoid.derivative(-1000.0)) == (0.0, 1.0, 0.0)
    assert (tanh(-1e308), softplus(-1e308), softplus(1e308), elu()(-1e308)) == (-1.0, 0.0, 1e308, -1.0)


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.name)
def test_the_derivative_jumps_at_the_kinks_and_nowhere_else(f: Elementwise) -> None:
    """From just below z to just above, in steps of 1/8."""
    jumps = [z for z in (k / 8 for k in range(-24, 25)) if abs(f.derivative(z - 1e-9) - f.derivative(z + 1e-9)) > 1e-6]
    assert tuple(jumps) == f.kinks


def test_at_a_kink_the_derivative_is_that_of_pytorch() -> None:
    assert [f.derivative(0.0) for f in (relu, leaky_relu(0.25), elu(0.5))] == [0.0, 0.25, 0.5]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_found_by_its_name(name: str) -> None:
    f = activation(name)
    assert f.name == name and activation(f) is f and activation(f" {name} ") == f
    assert pickle.loads(pickle.dumps(f)) == f


def test_an_activation_is_its_name_and_what_it_computes() -> None:
    """How it is called in a graph and in documents makes no other of it."""
    assert repr(sigmoid) == "Elementwise(name='sigmoid')" and repr(softmax) == "Softmax(name='softmax')"
    words: dict[str, Any] = {"title": "S", "definition": "s", "parameter": "s", "saturates": False, "from_output": None}
    assert replace(sigmoid, **words) == sigmoid != replace(sigmoid, value=tanh.value)
    assert hash(replace(sigmoid, **words)) == hash(sigmoid)


def test_a_parameter_left_out_is_the_default() -> None:
    assert (activation("leaky_relu"), activation("elu")) == (leaky_relu(0.01), elu(1.0))
    assert activation("leaky_relu(1e-2)") == leaky_relu(0.01) != leaky_relu(0.02)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "sigmiod",
            "unknown activation 'sigmiod'; known are identity, sigmoid, tanh, relu, softplus, silu, gelu, softmax, ",
        ),
        ("", "unknown activation ''"),
        ("tanh(2)", "unknown activation"),
        ("elu(one)", "'one' is not a number"),
        ("elu()", "'' is not a number"),
        ("leaky_relu(nan)", "must be a finite number"),
        ("leaky_relu(inf)", "must be a finite number"),
    ],
)
def test_another_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(PurebpError, match=re.escape(message)):
        activation(name)


@pytest.mark.parametrize("f", [f for f in ELEMENTWISE if f.from_output], ids=lambda f: f.name)
@given(z=st.floats(-20, 20))
def test_the_derivative_in_terms_of_a_is_the_derivative(f: Elementwise, z: float) -> None:
    assert f.from_output is not None
    assert f.from_output(f(z), FLOAT) == pytest.approx(f.derivative(z), rel=1e-9, abs=1e-15)


def test_what_textbooks_write_in_terms_of_a_is_there() -> None:
    assert {f.name.partition("(")[0] for f in ELEMENTWISE if f.from_output} == {"sigmoid", "tanh", "elu"}


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.name)
def test_what_saturates_has_limits_on_both_sides(f: Elementwise) -> None:
    flat = abs(f(1e6) - f(1e5)) < 1e-9 > abs(f(-1e6) - f(-1e5)) and f.derivative(50.0) < 1e-9 > f.derivative(-50.0)
    assert f.saturates == flat


def test_outputs_that_depend_on_each_other_saturate_not_alone() -> None:
    assert not softmax.saturates and softmax.kinks == () and softmax.parameter == ""


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_outputs_of_a_distribution_and_of_no_other_sum_to_one(name: str) -> None:
    f = activation(name)
    (row,) = f.apply([[0.25, -1.0, 3.0]], FLOAT)
    assert f.distribution == (sum(row) == pytest.approx(1))


def test_every_activation_has_a_title_a_definition_and_a_form() -> None:
    known = {f.form: (f.title, f.definition) for f in KNOWN}
    assert known["leaky_relu(s)"] == ("LeakyReLU", "z for z > 0, else s z")
    assert len(known) == len(KNOWN) and all(title and text and text.isascii() for title, text in known.values())
    assert {activation(name).form for name in ACTIVATIONS} == set(known)


def test_an_activation_of_ones_own_is_one_object() -> None:
    """Bounds are for balls alone: without them it trains."""
    bell = Elementwise(BELL.name, Function("f", BELL.value.formula), Function("f′", BELL.derivative.formula))
    assert (bell.title, bell.kinks, bell.saturates, bell.definition) == ("bell", (), False, "")
    for own in (BELL, bell):
        network = Network([Layer([[0.5, -1.0]], [0.25], own), Layer([[2.0]], None, "identity")])
        batch = Batch([[1.0, 0.5], [-0.5, 2.0]], [[1.0], [0.0]])
        differences = numerical_gradients(network, batch, method="complex").parameters()
        assert backpropagation(network, batch).parameters() == pytest.approx(differences, rel=1e-12)


def test_kinks_are_given_or_those_in_the_bounds() -> None:
    step = Function("step", lambda z, arithmetic: z, Bounds(kinks=((1.0, 0.0, 2.0),)))
    assert Elementwise("f", step, step).kinks == (1.0,) != Elementwise("f", step, step, (3.0,)).kinks == (3.0,)
    assert Elementwise("f", Function("f", step.formula), Function("f′", step.formula), (3.0,)).kinks == (3.0,)
