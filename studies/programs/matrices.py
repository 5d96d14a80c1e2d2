"""Matrices and functions of them, all samples at once: relu, then softmax, and cross-entropy."""

from math import exp


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def transposed(a):
    return [list(column) for column in zip(*a)]


def softmax(row):
    shares = [exp(x - max(row)) for x in row]  # forward
    return [x / sum(shares) for x in shares]  # forward


def gradients(weights, biases, inputs, targets):
    steps, a = [], inputs
    for l, (w, b) in enumerate(zip(weights, biases)):
        z = [[x + c for x, c in zip(row, b)] for row in product(a, transposed(w))]  # forward
        steps.append((a, z))
        a = (
            [[max(x, 0.0) for x in row] for row in z] if l < len(weights) - 1 else [softmax(row) for row in z]
        )  # forward
    n = len(inputs)
    delta = [[(o - t) / n for o, t in zip(*rows)] for rows in zip(a, targets)]  # deltas
    gw, gb = [], []
    for l in range(len(weights) - 1, -1, -1):
        below, z = steps[l]
        gw.insert(0, product(transposed(delta), below))  # weights
        gb.insert(0, [sum(column) for column in zip(*delta)])  # biases
        if l:
            error = product(delta, weights[l])  # deltas
            slopes = [[1.0 if x > 0 else 0.0 for x in row] for row in steps[l - 1][1]]  # deltas
            delta = [[e * s for e, s in zip(*rows)] for rows in zip(error, slopes)]  # deltas
    return gw, gb
