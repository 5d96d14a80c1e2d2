"""NumPy and PyTorch stay inside their error budgets: nobody who is right is accused.

NumPy runs the recurrence as one writes it down there; PyTorch differentiates its own functions by autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BFLOAT16, BINARY32, BINARY64, Format, rounds_to
from purebp.oracle.evidence import share
from studies.conforming import Exercise, named, resolution, wild_case

np: Any = import_module("numpy")  # not installed where mypy runs
torch: Any = import_module("torch")
F: Any = torch.nn.functional
Array = Any
NETWORKS = 1000


# NumPy: f(z), and f′ from z and a; e^z overflows to inf and 1/inf is 0, as IEEE 754 has it.


def logistic(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


VALUES: dict[str, Callable[[Array, Any], Array]] = {
    "identity": lambda z, p: z,
    "relu": lambda z, p: np.maximum(z, 0),
    "leaky_relu": lambda z, p: np.where(z > 0, z, p * z),
    "sigmoid": lambda z, p: logistic(z),
    "tanh": lambda z, p: np.tanh(z),
    "softplus": lambda z, p: np.logaddexp(0, z),
    "elu": lambda z, p: np.where(z > 0, z, p * np.expm1(z)),
    "silu": lambda z, p: z * logistic(z),
    "softmax": lambda z, p: softmax(z),
}
SLOPES: dict[str, Callable[[Array, Array, Any], Array]] = {
    "identity": lambda z, a, p: np.ones_like(z),
    "relu": lambda z, a, p: (z > 0).astype(z.dtype),
    "leaky_relu": lambda z, a, p: np.where(z > 0, z.dtype.type(1), p),
    "sigmoid": lambda z, a, p: a * (1 - a),
    "tanh": lambda z, a, p: 1 - a * a,
    "softplus": lambda z, a, p: logistic(z),
    "elu": lambda z, a, p: np.where(z > 0, z.dtype.type(1), a + p),
    "silu": lambda z, a, p: logistic(z) * (1 + z * (1 - logistic(z))),
}
ERRORS: dict[str, Callable[[Array, Array, Any], Array]] = {  # ∂/∂a of the sum of the summands
    "sse": lambda a, y, p: 2 * (a - y),
    "half_sse": lambda a, y, p: a - y,
    "mae": lambda a, y, p: np.sign(a - y),
    "huber": lambda a, y, p: np.clip(a - y, -p, p),
    "cross_entropy": lambda a, y, p: np.where(y == 0, 0, -y / a),
    "binary_cross_entropy": lambda a, y, p: np.where(y == 1, 0, (1 - y) / (1 - a)) - np.where(y == 0, 0, y / a),
}


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def through(f: str, p: Any, errors: Array, z: Array, a: Array) -> Array:
    if f == "softmax":
        return a * (errors - (errors * a).sum(axis=1, keepdims=True))
    return errors * SLOPES[f](z, a, p)


def in_numpy(case: Exercise, format: Format) -> list[float]:
    number = np.float64 if format is BINARY64 else np.float32
    network, batch, loss = case
    functions = [(f, number(p)) for f, p in (named(layer.activation.name) for layer in network.layers)]
    weights = [np.array(layer.weights, number) for layer in network.layers]
    a, z, y = [np.array(batch.inputs, number)], [], np.array(batch.targets, number)
    for layer, w, (f, p) in zip(network.layers, weights, functions):
        z.append(a[-1] @ w.T if layer.biases is None else a[-1] @ w.T + np.array(layer.biases, number))
        a.append(VALUES[f](z[-1], p))
    (base, parameter), (last, p) = named(loss.base), functions[-1]
    if (base, last) == ("cross_entropy", "softmax"):
        deltas = a[-1] * y.sum(axis=1, keepdims=True) - y
    elif (base, last) == ("binary_cross_entropy", "sigmoid"):
        deltas = a[-1] - y
    else:
        deltas = through(last, p, ERRORS[base](a[-1], y, number(parameter)), z[-1], a[-1])
    deltas, parts = deltas / number(loss.divisor(*y.shape)), []
    for l in reversed(range(len(weights))):
        parts.append([] if network.layers[l].biases is None else deltas.sum(axis=0).tolist())
        parts.append((deltas.T @ a[l]).ravel().tolist())
        if l:
            deltas = through(*functions[l - 1], deltas @ weights[l], z[l - 1], a[l])
    return [x for part in reversed(parts) for x in part]


# PyTorch.

FUNCTIONS: dict[str, Callable[[Array, float], Array]] = {
    "identity": lambda z, p: z,
    "relu": lambda z, p: F.relu(z),
    "leaky_relu": lambda z, p: F.leaky_relu(z, p),
    "sigmoid": lambda z, p: torch.sigmoid(z),
    "tanh": lambda z, p: torch.tanh(z),
    "softplus": lambda z, p: F.softplus(z, threshold=50),  # beyond the default, 20, it is z: 2e-9 off
    "elu": lambda z, p: F.elu(z, p),
    "silu": lambda z, p: F.silu(z),
    "gelu": lambda z, p: F.gelu(z),
    "softmax": lambda z, p: F.softmax(z, dim=1),
}
LOSSES: dict[str, Callable[[Array, Array, float], Array]] = {
    "sse": lambda a, y, p: F.mse_loss(a, y, reduction="sum"),
    "half_sse": lambda a, y, p: F.mse_loss(a, y, reduction="sum") / 2,
    "mae": lambda a, y, p: F.l1_loss(a, y, reduction="sum"),
    "huber": lambda a, y, p: F.huber_loss(a, y, reduction="sum", delta=p),
    "cross_entropy": lambda a, y, p: -logarithms(y, a),
    "binary_cross_entropy": lambda a, y, p: -logarithms(y, a) - logarithms(1 - y, 1 - a),
}
OF_LOGITS: dict[tuple[str, str], Callable[[Array, Array], Array]] = {
    ("cross_entropy", "softmax"): lambda z, y: F.cross_entropy(z, y, reduction="sum"),
    ("binary_cross_entropy", "sigmoid"): lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
}


def logarithms(y: Array, a: Array) -> Array:
    """Σ y log a over the y that are not 0: there, autograd would make 0 · ∞ of it."""
    return (y[y != 0] * a[y != 0].log()).sum()


def in_torch(case: Exercise, format: Format) -> list[float]:
    number = {"binary64": torch.float64, "binary32": torch.float32, "bfloat16": torch.bfloat16}[format.name]
    network, batch, loss = case
    base, parameter = named(loss.base)
    y, a = torch.tensor(batch.targets, dtype=number), torch.tensor(batch.inputs, dtype=number)
    parameters, z, last = [], a, ""
    for layer in network.layers:
        wb = [torch.tensor(p, dtype=number, requires_grad=True) for p in (layer.weights, layer.biases) if p is not None]
        parameters += wb
        z = F.linear(a, *wb)
        last, p = named(layer.activation.name)
        a = FUNCTIONS[last](z, p)
    of_logits = OF_LOGITS.get((base, last))
    total = of_logits(z, y) if of_logits else LOSSES[base](a, y, parameter)
    gradients = torch.autograd.grad(total / loss.divisor(*y.shape), parameters)
    return [x for gradient in gradients for x in gradient.flatten().tolist()]


def rounded(case: Exercise, format: Format) -> Exercise:
    network, batch, loss = case
    rows = [[[rounds_to(x, format) for x in row] for row in matrix] for matrix in (batch.inputs, batch.targets)]
    return Exercise(network.with_parameters(rounds_to(x, format) for x in network.parameters()), Batch(*rows), loss)


Peer = Callable[[Exercise, Format], list[float]]
PEERS: dict[Format, tuple[list[Peer], float]] = {  # and the share of entries that are decided, at least
    BINARY64: ([in_numpy, in_torch], 0.6),
    BINARY32: ([in_numpy, in_torch], 0.6),
    BFLOAT16: ([in_torch], 0.1),
}


@pytest.mark.parametrize("format", PEERS, ids=lambda format: format.name)
def test_peers_stay_inside_their_budgets(format: Format) -> None:
    """Decided is an entry whose radius is below half of it; one that is exactly 0 is not.

    At a kink, an end of the budget is a one-sided slope, and taken: the largest err/budget is told where no kink is.
    """
    peers, least = PEERS[format]
    entries, decided, largest = 0, 0, {peer.__name__: 0.0 for peer in peers}
    for seed in range(NETWORKS):
        case = rounded(wild_case(Random(seed), widest=6, deepest=4), format)
        names = [named(layer.activation.name)[0] for layer in case.network.layers]
        smooth = case.loss.base != "mae" and not any(layer.activation.kinks for layer in case.network.layers)
        budgets = backpropagation(*case, ball(format)).parameters()
        entries, decided = entries + len(budgets), decided + sum(resolution(budget) <= 0.5 for budget in budgets)
        for peer in peers:
            if peer is in_numpy and "gelu" in names:
                continue  # it has no erf
            with np.errstate(all="ignore"):
                found = peer(case, format)
            for k, (x, budget) in enumerate(zip(found, budgets, strict=True)):
                used = share(x, budget)
                assert used <= 1, f"{peer.__name__}, seed {seed}, entry {k}: {x} is outside {budget}"
                largest[peer.__name__] = max(largest[peer.__name__], used if smooth else 0.0)
    print(f"{format.name}: {entries} entries, {decided} decided; largest err/budget {largest}")
    assert decided > least * entries


def test_single_precision_is_outside_the_budgets_of_double_precision() -> None:
    """So the budgets tell precisions apart, wherever something is rounded at all."""
    outside = 0
    for seed in range(100):
        case = rounded(wild_case(Random(seed), widest=6, deepest=4), BINARY32)
        budgets = backpropagation(*case, ball(BINARY64)).parameters()
        outside += any(share(x, budget) > 1 for x, budget in zip(in_torch(case, BINARY32), budgets))
    assert outside > 60


@pytest.mark.parametrize(
    ("activation", "loss", "z", "function"),
    [  # the one is z itself beyond its threshold, 20; the other divides by max(a (1 − a), 1e-12): 2.8 where 30 is right
        ("softplus", "sse", 21.0, lambda z: F.softplus(z).square()),
        ("sigmoid", "binary_cross_entropy", 30.0, lambda z: F.binary_cross_entropy(z.sigmoid(), torch.zeros_like(z))),
    ],
    ids=["softplus", "binary_cross_entropy"],
)
def test_functions_of_pytorch_that_leave_what_is_asked_for_at_large_z_are_accused(
    activation: str, loss: str, z: float, function: Callable[[Array], Array]
) -> None:
    network, batch = Network([Layer([[1.0]], None, activation)]), Batch([[z]], [[0.0]])
    [budget] = backpropagation(network, batch, loss, ball(BINARY64)).parameters()
    weight = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    function(weight * z).backward()
    assert share(weight.grad.item(), budget) > 1e3 and resolution(budget) < 1e-12
