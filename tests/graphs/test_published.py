"""Graphs of other people, with the numbers that they published."""

from __future__ import annotations

import pytest

from purebp import PurebpError
from purebp.graph import (
    MSE,
    Constant,
    Exp,
    Input,
    Linear,
    Parameter,
    ReLU,
    Sigmoid,
    Sum,
    Tanh,
    Transpose,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import entries


def test_the_readme_of_micrograd() -> None:
    """github.com/karpathy/micrograd, README, "Example usage"."""
    a, b = Input("a"), Input("b")
    c = a + b
    d = a * b + b * b * b
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + ReLU(b + a))
    d = d + (3 * d + ReLU(b - a))
    e = c - d
    f = e * e
    g = f / 2.0
    g = g + 10.0 / f
    gradients = backward_graph(g, {a: -4.0, b: 2.0})
    assert gradients.values[g] == pytest.approx(24.70408163265306, rel=1e-15)
    assert gradients[a] == pytest.approx(138.83381924198252, rel=1e-15)
    assert gradients[b] == pytest.approx(645.5772594752186, rel=1e-15)


def test_the_neuron_of_the_lecture_on_micrograd() -> None:
    """Karpathy, "The spelled-out intro to neural networks and backpropagation", 2022: tanh, then tanh by exp."""
    x1, x2, w1, w2, b = (Input(name) for name in ("x1", "x2", "w1", "w2", "b"))
    n = x1 * w1 + x2 * w2 + b
    e = Exp(2 * n)
    feed = {x1: 2.0, x2: 0.0, w1: -3.0, w2: 1.0, b: 6.8813735870195432}
    for output in (Tanh(n), (e - 1) / (e + 1)):
        gradients = backward_graph(output, feed)
        found = [gradients.values[output], *(gradients[node] for node in (x1, w1, x2, w2))]
        assert found == pytest.approx([0.7071067811865476, -1.5, 1.0, 0.5, 0.0], abs=1e-15)


def test_the_examples_of_miniflow() -> None:
    """Udacity, Deep Learning Foundation, "MiniFlow": Linear, Sigmoid, MSE, gradients; what is W there is Wᵀ here."""
    x, W, b, y = Input("x"), Parameter("W"), Parameter("b"), Input("y")
    z = Linear(x, W, b)
    feed = {x: [[-1.0, -2.0], [-1.0, -2.0]], W: [[2.0, 2.0], [-3.0, -3.0]], b: [-3.0, -5.0]}
    assert forward_graph(z, feed)[z] == [[-9.0, 4.0], [-9.0, 4.0]]
    assert forward_graph(Sigmoid(z, name="a"), feed)["a"][0] == pytest.approx([1.23394576e-04, 9.82013790e-01])
    a = Input("a")
    cost = MSE(y, a)
    assert forward_graph(cost, {y: [1, 2, 3], a: [4.5, 5, 10]})[cost] == pytest.approx(23.4166666667)
    cost = MSE(y, Sigmoid(z))
    gradients = backward_graph(cost, {x: feed[x], W: [[2, 3]], b: [-3], y: [1, 2]})
    expected = [[-3.34017280e-05, -5.01025919e-05], [-6.68040138e-05, -1.00206021e-04]]
    assert entries(gradients[x]) == pytest.approx(entries(expected))
    assert gradients[y] == pytest.approx([0.9999833, 1.9999833])
    assert gradients[W][0] == pytest.approx([5.01028709e-05, 1.00205742e-04])
    assert gradients[b] == pytest.approx([-5.01028709e-05])


def test_the_circuits_of_cs231n() -> None:
    """Stanford CS231n, "Backpropagation, Intuitions": f = (x + y) z, and a neuron of two inputs."""
    x, y, z = Input("x"), Input("y"), Input("z")
    f = (x + y) * z
    gradients = backward_graph(f, {x: -2, y: 5, z: -4})
    assert [gradients.values[f], gradients[x], gradients[y], gradients[z]] == [-12.0, -4.0, -4.0, 3.0]
    w, v = Input("w"), Constant([-1.0, -2.0, 1.0])
    gradients = backward_graph(1 / (1 + Exp(-Sum(w * v))), {w: [2.0, -3.0, -3.0]})
    assert [round(g, 2) for g in gradients[w]] == [-0.2, -0.39, 0.2]
    assert [round(g, 2) for g in gradients[v]] == [0.39, -0.59, -0.59]


def test_weights_of_miniflow_are_transposed() -> None:
    x, W, b = Input("x"), Parameter("W"), Parameter("b")
    feed = {x: [[-1.0, -2.0], [-1.0, -2.0]], W: [[2.0, -3.0], [2.0, -3.0]], b: [-3.0, -5.0]}
    for z in (Linear(x, Transpose(W), b), x @ W + [[-3.0, -5.0]] * 2):
        assert forward_graph(z, feed)[z] == [[-9.0, 4.0], [-9.0, 4.0]]
    with pytest.raises(PurebpError, match="n_in × n_out, Transpose them"):
        forward_graph(Linear(x, W, b), feed | {W: [[2.0], [3.0]], b: [-3.0]})
    with pytest.raises(PurebpError, match="Biases are added to every row by Linear"):
        forward_graph(x @ W + b, feed)
