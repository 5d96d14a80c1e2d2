"""A script: it trains a tanh layer and a linear neuron when it is loaded, so that there is nothing to call."""

from math import tanh
from random import gauss

inputs, targets = [[0.0, 0.5], [1.0, -0.5], [-0.5, 1.0]], [[0.5], [1.0], [-1.0]]
w1 = [[gauss(0, 1), gauss(0, 1)], [gauss(0, 1), gauss(0, 1)], [gauss(0, 1), gauss(0, 1)]]
w2 = [[gauss(0, 1), gauss(0, 1), gauss(0, 1)]]
for epoch in range(200):
    hidden = [[tanh(sum(w * v for w, v in zip(row, x))) for row in w1] for x in inputs]
    outputs = [[sum(w * v for w, v in zip(row, h)) for row in w2] for h in hidden]
    errors = [[a - t for a, t in zip(o, y)] for o, y in zip(outputs, targets)]
    deltas = [
        [sum(e * row[i] for e, row in zip(error, w2)) * (1 - a * a) for i, a in enumerate(h)]
        for error, h in zip(errors, hidden)
    ]
    w2 = [
        [w - 0.1 * sum(e[j] * h[i] for e, h in zip(errors, hidden)) for i, w in enumerate(row)]
        for j, row in enumerate(w2)
    ]
    w1 = [
        [w - 0.1 * sum(d[j] * x[i] for d, x in zip(deltas, inputs)) for i, w in enumerate(row)]
        for j, row in enumerate(w1)
    ]
    print(epoch, sum(e * e for error in errors for e in error))
