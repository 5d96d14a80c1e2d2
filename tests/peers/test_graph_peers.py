"""PyTorch's autograd on graphs: shortcuts, shared weights and expressions lie in their budgets, and nothing is accused."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from purebp.graph import (
    MSE,
    Add,
    Concatenate,
    Constant,
    Input,
    Linear,
    Multiply,
    Node,
    Parameter,
    ReLU,
    SoftmaxCrossEntropy,
    Sum,
    Tanh,
    topological_order,
)
from purebp.oracle import check
from tests.oracle.samples import residual

torch: Any = import_module("torch")  # not installed where mypy runs
F: Any = torch.nn.functional
Tensors = dict[str, Any]


def torch_residual(t: Tensors) -> Any:
    h = torch.tanh(F.linear(t["x"], t["A"], t["a"]))
    for k in (1, 2, 3):
        h = h + torch.tanh(F.linear(h, t[f"W{k}"], t[f"b{k}"]))
    return ((F.linear(h, t["V"]) - t["y"]) ** 2).sum() / 2


def recurrent() -> Node:
    """The same weights in each of six steps."""
    h: Node = Input("x", (None, 4))
    W, b = Parameter("W", (4, 4)), Parameter("b", (4,))
    for _ in range(6):
        h = Tanh(Linear(h, W, b))
    return MSE(Input("y", (None, 4)), h)


def torch_recurrent(t: Tensors) -> Any:
    h = t["x"]
    for _ in range(6):
        h = torch.tanh(F.linear(h, t["W"], t["b"]))
    return F.mse_loss(h, t["y"])


def two_inputs() -> Node:
    """Two inputs side by side, and as many heads on one trunk."""
    both = Concatenate(Input("u", (None, 2)), Input("v", (None, 3)))
    trunk = ReLU(Linear(both, Parameter("A", (6, 5)), Parameter("a", (6,))))
    one = SoftmaxCrossEntropy(Input("y", (None, 3)), Linear(trunk, Parameter("B", (3, 6))))
    other = MSE(Input("t", (None, 1)), Linear(trunk, Parameter("C", (1, 6))))
    return Add(one, Multiply(other, Constant(0.5)))


def torch_two_inputs(t: Tensors) -> Any:
    trunk = torch.relu(F.linear(torch.cat([t["u"], t["v"]], dim=1), t["A"], t["a"]))
    one = F.cross_entropy(F.linear(trunk, t["B"]), t["y"])
    return one + 0.5 * F.mse_loss(F.linear(trunk, t["C"]), t["t"])


def expression() -> Node:
    p, q = Parameter("p", (5,)), Parameter("q", (5,))
    return Sum((p * q + p) / (q * q + 1.0) - p / (1.0 + p * p))


def torch_expression(t: Tensors) -> Any:
    p, q = t["p"], t["q"]
    return ((p * q + p) / (q * q + 1.0) - p * (1.0 + p * p) ** -1).sum()


@pytest.mark.parametrize("format", ["binary64", "binary32"])
@pytest.mark.parametrize(
    ("graph", "forward"),
    [
        (residual(width=16, blocks=3), torch_residual),
        (recurrent(), torch_recurrent),
        (two_inputs(), torch_two_inputs),
        (expression(), torch_expression),
    ],
    ids=["residual", "recurrent", "two inputs and two heads", "expression"],
)
def test_autograd_is_correct(graph: Node, forward: Callable[[Tensors], Any], format: str) -> None:
    trained = [node.name for node in topological_order(graph) if node.trained]
    dtype = torch.float64 if format == "binary64" else torch.float32

    def autograd(feed: dict[str, Any]) -> dict[str, Any]:
        tensors = {
            name: torch.tensor(value, dtype=dtype, requires_grad=name in trained) for name, value in feed.items()
        }
        loss = forward(tensors)
        loss.backward()
        return {name: tensors[name].grad for name in trained} | {"loss": loss.item()}

    report = check(autograd, graph=graph, format=format)
    assert report.verdict == "correct", str(report)
    print(f"{format}: largest error {max(tensor.share for tensor in report.tensors):.1g} of its budget")
