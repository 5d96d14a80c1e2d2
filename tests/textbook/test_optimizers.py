"""Optimizers against straightforward loops in which every parameter is a variable of its own."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from math import inf, nan, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Gradients, Layer, Network, PurebpError, adam_step, backpropagation, momentum_step, sgd_step
from purebp.textbook.network import LayerGradients
from purebp.textbook.optimizers import State
from tests.strategies import Exercise, cases

OTHER = backpropagation(Network.random([2, 3, 1]), Batch([[1.0, 2.0]], [[1.0]]))
Step = Callable[[Network, State | None, Gradients], tuple[Network, State | None]]


def pair(x: float, y: float) -> Network:
    """A network of two parameters."""
    return Network([Layer([[x]], [y], "identity")])


def gradient(x: float, y: float) -> Gradients:
    return Gradients((LayerGradients(((x,),), (y,), ((0.0,),)),))


def by_hand(rule: Callable[[float, list[float]], float], start: float, gradients: list[float]) -> list[float]:
    """The parameter after every step, where the rule knows all gradients up to now."""
    path = [start]
    for t in range(1, len(gradients) + 1):
        path.append(rule(path[-1], gradients[:t]))
    return path[1:]


def momentum(w: float, g: list[float]) -> float:
    """v = gₜ + μ gₜ₋₁ + μ² gₜ₋₂ + …"""
    return w - 0.1 * sum(0.9**age * x for age, x in enumerate(reversed(g)))


def adam(w: float, g: list[float]) -> float:
    """The means written out: weights β^age, divided by their sum (1 − βᵗ) / (1 − β)."""
    first, second = (
        sum(beta**age * x**power for age, x in enumerate(reversed(g))) * (1 - beta) / (1 - beta ** len(g))
        for beta, power in ((0.8, 1), (0.95, 2))
    )
    return w - 0.1 * first / (sqrt(second) + 1e-3)


RULES: list[tuple[Step, Callable[[float, list[float]], float]]] = [
    (lambda network, state, g: (sgd_step(network, g, 0.1), None), lambda w, g: w - 0.1 * g[-1]),
    (lambda network, state, g: momentum_step(network, state, g, 0.1), momentum),
    (lambda network, state, g: adam_step(network, state, g, 0.1, 0.8, 0.95, 1e-3), adam),
]
small = st.floats(-2, 2).filter(lambda x: abs(x) > 1e-6 or x == 0)


@pytest.mark.parametrize(("step", "rule"), RULES, ids=["sgd", "momentum", "adam"])
@given(gradients=st.lists(st.tuples(small, small), min_size=1, max_size=6))
def test_every_parameter_takes_the_path_of_its_rule(
    step: Step, rule: Callable[[float, list[float]], float], gradients: list[tuple[float, float]]
) -> None:
    expected = list(zip(*(by_hand(rule, start, list(g)) for start, g in zip((1.0, -0.5), zip(*gradients)))))
    network, state = pair(1.0, -0.5), None
    for g, weights in zip(gradients, expected):
        network, state = step(network, state, gradient(*g))
        assert network.parameters() == pytest.approx(weights, rel=1e-12, abs=1e-12)


def test_numbers_worked_out_by_hand() -> None:
    """With g = 2 and then −1: v = 2, then 0.8; Adam's first step is the rate but for ε."""
    network, state = momentum_step(pair(1.0, 0.0), None, gradient(2.0, 0.0), 0.5)
    assert (network.parameters(), state) == ([0.0, 0.0], State(1, (2.0, 0.0)))
    network, state = momentum_step(network, state, gradient(-1.0, 0.0), 0.5)
    assert network.parameters() == pytest.approx([-0.4, 0.0]) and state.step == 2
    network, state = adam_step(pair(1.0, 0.0), None, gradient(2.0, 0.0), 0.5)
    assert network.parameters() == pytest.approx([0.5, 0.0]) and state.second == pytest.approx((0.004, 0.0))


def test_the_defaults_are_those_of_the_papers() -> None:
    """Kingma and Ba 2015, algorithm 1; for momentum, the usual 0.9."""
    defaults = {
        name: p.default for name, p in signature(adam_step).parameters.items() if p.default is not Parameter.empty
    }
    assert defaults == {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert signature(momentum_step).parameters["momentum"].default == 0.9


@given(cases())
def test_a_step_leaves_its_arguments_as_they_were(case: Exercise) -> None:
    gradients = backpropagation(*case)
    _, state = adam_step(case.network, None, gradients)
    before = repr((case.network, gradients, state))
    updated = sgd_step(case.network, gradients, 0.1)
    momentum_step(case.network, None, gradients, 0.1)
    adam_step(case.network, state, gradients)
    assert repr((case.network, gradients, state)) == before
    assert [f.activation for f in updated.layers] == [f.activation for f in case.network.layers]


@given(cases())
def test_momentum_0_is_plain_descent(case: Exercise) -> None:
    gradients = backpropagation(*case)
    assert momentum_step(case.network, None, gradients, 0.1, momentum=0.0)[0] == sgd_step(case.network, gradients, 0.1)


@pytest.mark.parametrize("rate", [nan, inf, -inf])
def test_a_learning_rate_that_is_no_finite_number_is_refused(rate: float) -> None:
    start, g = pair(1.0, 1.0), gradient(1.0, 1.0)
    for step in (
        lambda: sgd_step(start, g, rate),
        lambda: momentum_step(start, None, g, rate),
        lambda: adam_step(start, None, g, rate),
    ):
        with pytest.raises(PurebpError, match=f"the learning rate is {rate}"):
            step()


def test_gradients_of_another_network_are_refused_with_both_shapes() -> None:
    shapes = r"network has \[\(\(1, 1\), 1\)\], the gradients \[\(\(3, 2\), 3\), \(\(1, 3\), 1\)\]"
    with pytest.raises(PurebpError, match=shapes):
        sgd_step(pair(1.0, 1.0), OTHER, 0.1)


@pytest.mark.parametrize("step", [momentum_step, adam_step])
def test_a_state_of_another_network_is_refused_with_both_sizes(step: Callable[..., tuple[Network, State]]) -> None:
    state = step(Network.random([2, 3, 1]), None, OTHER, 0.1)[1]
    with pytest.raises(PurebpError, match="13.* 2|2.* 13"):
        step(pair(1.0, 1.0), state, gradient(1.0, 1.0), 0.1)


def test_a_state_of_another_optimizer_is_refused() -> None:
    state = momentum_step(pair(1.0, 1.0), None, gradient(1.0, 1.0), 0.1)[1]
    with pytest.raises(PurebpError, match="state"):
        adam_step(pair(1.0, 1.0), state, gradient(1.0, 1.0), 0.1)


def test_what_has_no_parameters_is_refused() -> None:
    network: Any = [1.0]
    with pytest.raises(PurebpError, match="list: sgd_step takes a network"):
        sgd_step(network, OTHER, 0.1)
