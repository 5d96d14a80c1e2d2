"""The same network, where one `=` should be `+=`: each sample overwrites the bias gradients of the one before."""

from math import tanh

PUREBP = {"activations": ["tanh", "identity"], "loss": "mse", "returns": "gradients"}


def layer(weights, biases, x):
    return [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(weights, biases)]


def gradients(weights, biases, inputs, targets):
    (w1, w2), (b1, b2) = weights, biases
    dw1, dw2 = [[0.0] * len(row) for row in w1], [[0.0] * len(row) for row in w2]
    db1, db2 = [0.0] * len(b1), [0.0] * len(b2)
    n = len(inputs) * len(b2)
    for x, y in zip(inputs, targets):
        hidden = [tanh(z) for z in layer(w1, b1, x)]
        output = layer(w2, b2, hidden)
        delta2 = [2 * (o - t) / n for o, t in zip(output, y)]
        delta1 = []
        for j, a in enumerate(hidden):
            error = sum(delta2[k] * w2[k][j] for k in range(len(delta2)))
            delta1.append(error * (1 - a**2))
        for k, d in enumerate(delta2):
            db2[k] = d
            for j, a in enumerate(hidden):
                dw2[k][j] += d * a
        for j, d in enumerate(delta1):
            db1[j] = d
            for i, v in enumerate(x):
                dw1[j][i] += d * v
    return [dw1, dw2], [db1, db2]
