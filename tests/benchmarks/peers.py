"""What backpropagation is timed against: its dot products alone, nested loops, NumPy."""

from __future__ import annotations

import math
import sys
from operator import mul
from typing import Any

from purebp.arithmetic import Matrix

Rows = list[list[float]]
Layers = list[tuple[Rows, list[float]]]  # weights and biases, or their gradients


def dot_products(pairs: list[tuple[Matrix, Matrix]]) -> None:
    """Of all rows of one with all rows of the other, by the fastest kernel of this interpreter."""
    for a, b in pairs:
        if sys.version_info >= (3, 12):
            [[math.sumprod(row, other) for other in b] for row in a]
        else:
            [[sum(map(mul, row, other), 0.0) for other in b] for row in a]


def nested_loops(layers: Layers, inputs: Rows, targets: Rows) -> Layers:
    """Gradients of the mean squared error of a sigmoid network as first written down: sample by sample, by indices."""
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


def in_numpy(np: Any, layers: Layers, inputs: Rows, targets: Rows) -> Layers:
    """The same in NumPy, lists in and lists out."""
    w, y, a = [np.array(weights) for weights, _ in layers], np.array(targets), [np.array(inputs)]
    for l, (_, biases) in enumerate(layers):
        a.append(1 / (1 + np.exp(-(a[l] @ w[l].T + np.array(biases)))))
    error, gradients = 2 * (a[-1] - y) / y.size, []
    for l in reversed(range(len(layers))):
        deltas = error * a[l + 1] * (1 - a[l + 1])
        gradients.append(((deltas.T @ a[l]).tolist(), deltas.sum(axis=0).tolist()))
        error = deltas @ w[l] if l > 0 else None
    return gradients[::-1]


def in_flint(flint: Any, layers: Layers, inputs: Rows, targets: Rows) -> list[tuple[Any, Any]]:
    """The same enclosed by python-flint's arb: lists in, lists of intervals out."""
    matrix = flint.arb_mat
    w, a = [matrix(weights) for weights, _ in layers], [matrix(inputs)]
    z = []
    for l, (_, biases) in enumerate(layers):
        z.append([[x + b for x, b in zip(row, biases)] for row in (a[l] * w[l].transpose()).tolist()])
        a.append(matrix([[1 / (1 + (-x).exp()) for x in row] for row in z[l]]))
    error = (a[-1] - matrix(targets)) * (flint.arb(2) / (len(targets) * len(targets[0])))
    gradients = []
    for l in reversed(range(len(layers))):
        rows = zip(error.tolist(), z[l])
        deltas = matrix([[e / ((1 + x.exp()) * (1 + (-x).exp())) for e, x in zip(*pair)] for pair in rows])
        ones = matrix([[1] * len(inputs)])
        gradients.append(((deltas.transpose() * a[l]).tolist(), (ones * deltas).tolist()[0]))
        if l > 0:
            error = deltas * w[l]
    return gradients[::-1]
