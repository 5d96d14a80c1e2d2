"""Candidates in files: a right one, and how it is spoilt."""

from __future__ import annotations

RIGHT = """\
from math import exp

def backpropagation(weights, biases, inputs, targets):
    gw = [[[0.0] * len(row) for row in w] for w in weights]
    gb = [[0.0] * len(b) for b in biases]
    for x, y in zip(inputs, targets):
        a = [x]
        for w, b in zip(weights, biases):
            a.append([1 / (1 + exp(-sum(u * v for u, v in zip(row, a[-1])) - c)) for row, c in zip(w, b)])
        errors = [2 * (p - t) / (len(y) * len(inputs)) for p, t in zip(a[-1], y)]
        for l in reversed(range(len(weights))):
            deltas = [e * p * (1 - p) for e, p in zip(errors, a[l + 1])]
            for j, d in enumerate(deltas):
                gb[l][j] += d
                for i, v in enumerate(a[l]):
                    gw[l][j][i] += d * v
            errors = [sum(d * row[i] for d, row in zip(deltas, weights[l])) for i in range(len(a[l]))]
    return gw, gb
"""
HEAD = "def backpropagation(weights, biases, inputs, targets):\n"
LAST = "    return gw, gb\n"


def at_once(line: str) -> str:
    """The right one, which begins with that line."""
    return RIGHT.replace(HEAD, f"{HEAD}    {line}\n")


def at_last(line: str) -> str:
    """The right one, which ends with that line."""
    return RIGHT.replace(LAST, f"    {line}\n{LAST}")


NUMPY = """\
import numpy as np
def backward(weights, biases, X, Y):
    (W1, W2), (b1, b2) = weights, [b.reshape(-1, 1) for b in biases]
    a1 = np.tanh(W1 @ X + b1)
    d2 = (W2 @ a1 + b2 - Y) / X.shape[1]
    d1 = W2.T @ d2 * (1 - a1 ** 2)
    return [d1 @ X.T, d2 @ a1.T], [d1.sum(1, keepdims=True), d2.sum(1, keepdims=True)]
"""
CLASSES = """\
import numpy as np
def backward(weights, biases, X, Y):
    (W1, W2), (b1, b2) = weights, biases
    z1 = X @ W1 + b1
    a1 = np.maximum(z1, 0)
    e = np.exp(a1 @ W2 + b2)
    d2 = e / e.sum(axis=1, keepdims=True) - Y
    d1 = d2 @ W2.T * (z1 > 0)
    return [X.T @ d1, a1.T @ d2], [d1.sum(0), d2.sum(0)]
"""
ONE_LAYER = """\
def gradients(weights, biases, inputs, targets):
    W, = weights
    errors = [[sum(w * v for w, v in zip(row, x)) - t for row, t in zip(W, y)] for x, y in zip(inputs, targets)]
    return [[[2 * sum(e[j] * x[i] for e, x in zip(errors, inputs)) for i in range(len(W[0]))] for j in range(len(W))]]
"""
VECTOR = (
    RIGHT.replace("for x, y in zip(inputs, targets):", "if True:")
    .replace("inputs, targets", "x, y")
    .replace("len(inputs)", "1")
    .replace("def backpropagation", "def my_own")
)
HALF = RIGHT.replace("2 * (p - t) / (len(y) * len(inputs))", "p - t")
WRONG = RIGHT.replace("gb[l][j] += d", "gb[l][j] = d")
FLOAT32 = RIGHT.replace(
    LAST,
    """\
    r = lambda x: struct.unpack("f", struct.pack("f", x))[0]
    return [[list(map(r, row)) for row in g] for g in gw], [list(map(r, g)) for g in gb]
""",
).replace("from math", "import struct\nfrom math")
MSE = ["--activations", "sigmoid", "--loss", "mse", "--returns", "gradients", "--sizes", "2,2"]
