"""Backpropagation of a sigmoid network under the mean squared error, as others do it.

Each takes layers, inputs and targets as lists, and returns a function that computes the gradients once: what can be
prepared once, arrays made of lists or a function compiled, is not timed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

Rows = list[list[float]]
Layers = list[tuple[Rows, list[float]]]  # weights and biases, or their gradients
Problem = tuple[Layers, Rows, Rows]  # layers, inputs, targets
Work = Callable[[], Layers]


def nested_loops(layers: Layers, inputs: Rows, targets: Rows) -> Work:
    """As first written down: sample by sample, by indices."""

    def work() -> Layers:
        gradients = [([[0.0] * len(row) for row in weights], [0.0] * len(biases)) for weights, biases in layers]
        for s in range(len(inputs)):
            a = [inputs[s]]
            for l, (weights, biases) in enumerate(layers):
                outputs = []
                for j in range(len(weights)):
                    z = biases[j]
                    for k in range(len(a[l])):
                        z += weights[j][k] * a[l][k]
                    outputs.append(1 / (1 + math.exp(-z)))
                a.append(outputs)
            error = [2 * (a[-1][j] - targets[s][j]) / (len(inputs) * len(targets[s])) for j in range(len(targets[s]))]
            for l in reversed(range(len(layers))):
                deltas = [error[j] * a[l + 1][j] * (1 - a[l + 1][j]) for j in range(len(error))]
                error = [0.0] * len(a[l])
                for j in range(len(deltas)):
                    gradients[l][1][j] += deltas[j]
                    for k in range(len(a[l])):
                        gradients[l][0][j][k] += deltas[j] * a[l][k]
                        if l > 0:
                            error[k] += deltas[j] * layers[l][0][j][k]
        return gradients

    return work


def in_micrograd(layers: Layers, inputs: Rows, targets: Rows) -> Work:
    """Value by value, recorded and played back; the sigmoid, which it lacks, is added as it adds its own functions."""
    value = import_module("micrograd.engine").Value
    w, b = (
        [[[value(x) for x in row] for row in weights] for weights, _ in layers],
        [list(map(value, c)) for _, c in layers],
    )
    sys.setrecursionlimit(10_000)  # its topological order is found by recursion

    def sigmoid(z: Any) -> Any:
        out = value(1 / (1 + math.exp(-z.data)), (z,), "sigmoid")

        def backward() -> None:
            z.grad += out.data * (1 - out.data) * out.grad

        out._backward = backward
        return out

    def work() -> Layers:
        for weights, biases in zip(w, b):
            for row in (*weights, biases):
                for parameter in row:
                    parameter.grad = 0
        total = value(0.0)
        for x, y in zip(inputs, targets):
            a: list[Any] = list(x)
            for weights, biases in zip(w, b):
                a = [sigmoid(sum((v * u for v, u in zip(row, a)), c)) for row, c in zip(weights, biases)]
            total = sum(((p - t) ** 2 for p, t in zip(a, y)), total)
        (total * (1 / (len(targets) * len(targets[0])))).backward()
        return [([[x.grad for x in row] for row in weights], [x.grad for x in c]) for weights, c in zip(w, b)]

    return work


def in_numpy(layers: Layers, inputs: Rows, targets: Rows) -> Callable[[], list[tuple[Any, Any]]]:
    """By hand, on arrays."""
    np = import_module("numpy")
    w, b = [np.array(weights) for weights, _ in layers], [np.array(biases) for _, biases in layers]
    x, y = np.array(inputs), np.array(targets)
    return lambda: numpy_gradients(np, w, b, x, y)


def numpy_gradients(np: Any, w: list[Any], b: list[Any], x: Any, y: Any) -> list[tuple[Any, Any]]:
    a = numpy_activations(np, w, b, x)
    error, gradients = 2 * (a[-1] - y) / y.size, []
    for l in reversed(range(len(w))):
        deltas = error * a[l + 1] * (1 - a[l + 1])
        gradients.append((deltas.T @ a[l], deltas.sum(axis=0)))
        error = deltas @ w[l] if l > 0 else None
    return gradients[::-1]


def numpy_activations(np: Any, w: list[Any], b: list[Any], x: Any) -> list[Any]:
    a = [x]
    for weights, biases in zip(w, b):
        a.append(1 / (1 + np.exp(-(a[-1] @ weights.T + biases))))
    return a


def numpy_functions(layers: Any, inputs: Any, targets: Any, dtype: str = "float64") -> tuple[Any, Any, Any]:
    """The loss and its gradient by hand, as functions of one vector of all parameters, and that vector."""
    np = import_module("numpy")
    x, y = np.array(inputs, dtype), np.array(targets, dtype)
    parameters = np.array([v for weights, biases in layers for row in (*weights, biases) for v in row], dtype)

    def tensors(vector: Any) -> tuple[list[Any], list[Any]]:
        w, b, start = [], [], 0
        for weights, _ in layers:
            middle, end = start + len(weights) * len(weights[0]), start + (len(weights[0]) + 1) * len(weights)
            w.append(vector[start:middle].reshape(len(weights), -1))
            b.append(vector[middle:end])
            start = end
        return w, b

    def loss(vector: Any) -> Any:
        return ((numpy_activations(np, *tensors(vector), x)[-1] - y) ** 2).mean()

    def gradient(vector: Any) -> Any:
        return np.concatenate([part.ravel() for pair in numpy_gradients(np, *tensors(vector), x, y) for part in pair])

    return loss, gradient, parameters


def in_numpy_from_lists(layers: Layers, inputs: Rows, targets: Rows) -> Work:
    """The same, lists in and lists out."""
    return lambda: [(w.tolist(), b.tolist()) for w, b in in_numpy(layers, inputs, targets)()]


def in_torch(layers: Layers, inputs: Rows, targets: Rows) -> Callable[[], list[tuple[Any, Any]]]:
    """By autograd, on tensors."""
    torch = import_module("torch")
    torch.set_num_threads(1)  # as many as purebp uses; on a busy machine, more are slower
    parameters = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for layer in layers for p in layer]
    x, y = torch.tensor(inputs, dtype=torch.float64), torch.tensor(targets, dtype=torch.float64)

    def work() -> list[tuple[Any, Any]]:
        a = x
        for weights, biases in zip(parameters[::2], parameters[1::2]):
            a = torch.sigmoid(torch.nn.functional.linear(a, weights, biases))
        found = torch.autograd.grad(torch.nn.functional.mse_loss(a, y), parameters)
        return list(zip(found[::2], found[1::2]))

    return work


def in_jax(layers: Layers, inputs: Rows, targets: Rows) -> Callable[[], list[tuple[Any, Any]]]:
    """By `grad`, compiled, on arrays."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    parameters = [(jnp.array(w), jnp.array(b)) for w, b in layers]

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        a = x
        for w, b in parameters:
            a = jax.nn.sigmoid(a @ w.T + b)
        return jnp.mean((a - y) ** 2)

    gradient, x, y = jax.jit(jax.grad(loss)), jnp.array(inputs), jnp.array(targets)
    return lambda: jax.block_until_ready(gradient(parameters, x, y))


def in_flint(layers: Layers, inputs: Rows, targets: Rows) -> Callable[[], list[tuple[Any, Any]]]:
    """Enclosed by python-flint's arb at 200 bits: lists in, lists of intervals out."""
    flint = import_module("flint")

    def work() -> list[tuple[Any, Any]]:
        flint.ctx.prec = 200
        w, a = [flint.arb_mat(weights) for weights, _ in layers], [flint.arb_mat(inputs)]
        z = []
        for l, (_, biases) in enumerate(layers):
            z.append([[x + b for x, b in zip(row, biases)] for row in (a[l] * w[l].transpose()).tolist()])
            a.append(flint.arb_mat([[1 / (1 + (-x).exp()) for x in row] for row in z[l]]))
        error = (a[-1] - flint.arb_mat(targets)) * (flint.arb(2) / (len(targets) * len(targets[0])))
        gradients = []
        for l in reversed(range(len(layers))):
            rows = zip(error.tolist(), z[l])
            deltas = flint.arb_mat([[e / ((1 + x.exp()) * (1 + (-x).exp())) for e, x in zip(*pair)] for pair in rows])
            ones = flint.arb_mat([[1] * len(inputs)])
            gradients.append(((deltas.transpose() * a[l]).tolist(), (ones * deltas).tolist()[0]))
            if l > 0:
                error = deltas * w[l]
        return gradients[::-1]

    return work
