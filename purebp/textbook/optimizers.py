"""Optimizers as pure functions: (network, state, gradients) → a new network and a new state.

`state=None` begins; the state is then handed from step to step. All of them descend, that is,
subtract. With g the gradient, w a parameter and η the learning rate:

| step | rule | source |
| --- | --- | --- |
| `sgd_step` | w ← w − η g | Robbins and Monro 1951 |
| `momentum_step` | v ← μ v + g, w ← w − η v | Polyak 1964, with η outside of v as in PyTorch |
| `adam_step` | m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η m̂ / (√v̂ + ε) | Kingma and Ba 2015 |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from math import isfinite, sqrt
from typing import Any, overload

from purebp.textbook.arithmetic import DEFAULT, Arithmetic, N, PurebpError
from purebp.textbook.linalg import shape
from purebp.textbook.network import Gradients, Network


@dataclass(frozen=True, slots=True)
class State:
    """What an optimizer remembers, one number per parameter: steps taken, first and second moments."""

    step: int
    first: tuple[float, ...]
    second: tuple[float, ...] = ()


@overload
def sgd_step(
    network: Network | Network[N], gradients: Gradients[N], learning_rate: float, arithmetic: Arithmetic[N] = ...
) -> Network[N]: ...
@overload
def sgd_step(
    network: Mapping[Any, Any], gradients: Any, learning_rate: float, arithmetic: Arithmetic[Any] = ...
) -> dict[Any, Any]: ...
def sgd_step(network: Any, gradients: Any, learning_rate: float, arithmetic: Arithmetic[Any] = DEFAULT) -> Any:
    """w ← w − η g for every parameter; a new network, the old one untouched.

    The parameters of a graph are a dictionary, whose keys find their gradients (`purebp.graph.backward_graph`).

    >>> from purebp import Batch, Layer, backpropagation
    >>> network = Network([Layer([[2.0]], None, "identity")])
    >>> sgd_step(network, backpropagation(network, Batch([[1.0]], [[5.0]]), "sse"), 0.25).parameters()
    [3.5]
    """
    _check_rate(learning_rate)
    return descended(network, gradients, arithmetic.number(learning_rate), arithmetic)


@singledispatch
def descended(parameters: Any, gradients: Any, rate: Any, arithmetic: Arithmetic[Any]) -> Any:
    """`sgd_step` of one kind of parameters, with the rate lifted; other kinds register theirs."""
    given = type(parameters).__name__
    raise PurebpError(f"{given}: sgd_step takes a network, and once purebp.graph is imported the dictionary of a graph")


@descended.register(Network)
def _(parameters: Network, gradients: Gradients[Any], rate: Any, arithmetic: Arithmetic[Any]) -> Network[Any]:
    _check_shapes(parameters, gradients)
    lifted = arithmetic.lift([parameters.parameters()])[0]
    return parameters.with_parameters(w - rate * g for w, g in zip(lifted, gradients.parameters()))


def momentum_step(
    network: Network, state: State | None, gradients: Gradients, learning_rate: float, momentum: float = 0.9
) -> tuple[Network, State]:
    """v ← μ v + g, then w ← w − η v.

    >>> from purebp import Batch, Layer, backpropagation
    >>> network = Network([Layer([[2.0]], None, "identity")])
    >>> gradients = backpropagation(network, Batch([[1.0]], [[5.0]]), "sse")
    >>> network, state = momentum_step(network, None, gradients, 0.25)
    >>> momentum_step(network, state, gradients, 0.25, momentum=0.5)[0].parameters()
    [5.75]
    """
    _check(network, gradients, learning_rate)
    g = gradients.parameters()
    old = state or State(0, (0.0,) * len(g))
    _check_state(old.first, g)
    v = tuple(momentum * vi + gi for vi, gi in zip(old.first, g))
    return _descend(network, v, learning_rate), State(old.step + 1, v)


def adam_step(
    network: Network,
    state: State | None,
    gradients: Gradients,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Network, State]:
    """m and v are running means of g and g²; m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo their start at 0.

    >>> from purebp import Batch, Layer, backpropagation
    >>> network = Network([Layer([[2.0]], None, "identity")])
    >>> gradients = backpropagation(network, Batch([[1.0]], [[5.0]]), "sse")
    >>> round(adam_step(network, None, gradients, 0.25)[0].parameters()[0], 6)
    2.25
    """
    _check(network, gradients, learning_rate)
    g = gradients.parameters()
    old = state or State(0, (0.0,) * len(g), (0.0,) * len(g))
    _check_state(old.first, g)
    _check_state(old.second, g)
    step = old.step + 1
    m = tuple(beta1 * mi + (1 - beta1) * gi for mi, gi in zip(old.first, g))
    v = tuple(beta2 * vi + (1 - beta2) * gi * gi for vi, gi in zip(old.second, g))
    unbias1, unbias2 = 1 - beta1**step, 1 - beta2**step
    direction = [mi / unbias1 / (sqrt(vi / unbias2) + epsilon) for mi, vi in zip(m, v)]
    return _descend(network, direction, learning_rate), State(step, m, v)


def _descend(network: Network, direction: Iterable[float], learning_rate: float) -> Network:
    return network.with_parameters(w - learning_rate * d for w, d in zip(network.parameters(), direction))


def _check(network: Network, gradients: Gradients, learning_rate: float) -> None:
    _check_rate(learning_rate)
    _check_shapes(network, gradients)


def _check_rate(learning_rate: float) -> None:
    if not isinstance(learning_rate, (int, float)) or not isfinite(learning_rate):
        raise PurebpError(f"the learning rate is {learning_rate!r:.40}: a finite number is wanted")


def _check_shapes(network: Network[Any], gradients: Gradients[Any]) -> None:
    if shapes(network) != shapes(gradients):
        raise PurebpError(f"the network has {shapes(network)}, the gradients {shapes(gradients)}: they must agree")


def _check_state(moments: tuple[float, ...], g: list[float]) -> None:
    if len(moments) != len(g):
        raise PurebpError(f"the state has {len(moments)} numbers for {len(g)} parameters: it belongs to another step")


def shapes(layers: Network[Any] | Gradients[Any]) -> list[tuple[tuple[int, int], int]]:
    """Per layer the shape of the weights and the number of biases."""
    return [(shape(layer.weights), len(layer.biases or ())) for layer in layers.layers]
