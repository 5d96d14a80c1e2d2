"""Objects with a forward and a backward method, one sample after the other: sigmoid, then identity, half the squares."""

from math import exp


class Layer:
    def __init__(self, weights, biases, squash):
        self.weights, self.biases, self.squash = weights, biases, squash
        self.d_weights = [[0.0 for _ in row] for row in weights]
        self.d_biases = [0.0 for _ in biases]

    def forward(self, x):
        self.x = x
        sums = [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(self.weights, self.biases)]  # forward
        self.a = [1 / (1 + exp(-max(z, -700))) for z in sums] if self.squash else sums  # forward
        return self.a

    def backward(self, error):
        slopes = [a * (1 - a) if self.squash else 1.0 for a in self.a]  # deltas
        delta = [e * s for e, s in zip(error, slopes)]  # deltas
        for i, d in enumerate(delta):
            self.d_biases[i] += d  # biases
            for j, v in enumerate(self.x):
                self.d_weights[i][j] += d * v  # weights
        return [sum(d * row[j] for d, row in zip(delta, self.weights)) for j in range(len(self.x))]  # deltas


def gradients(weights, biases, inputs, targets):
    last = len(weights) - 1
    layers = [Layer(w, b, l < last) for l, (w, b) in enumerate(zip(weights, biases))]
    for x, y in zip(inputs, targets):
        for layer in layers:
            x = layer.forward(x)
        error = [o - t for o, t in zip(x, y)]  # deltas
        for layer in reversed(layers):
            error = layer.backward(error)
    return [layer.d_weights for layer in layers], [layer.d_biases for layer in layers]
