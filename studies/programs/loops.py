"""One loop inside the other, sample by sample: tanh, then sigmoid, and the mean of the squares."""

from math import exp, tanh


def gradients(weights, biases, inputs, targets):
    gw = [[[0.0] * len(row) for row in w] for w in weights]
    gb = [[0.0] * len(b) for b in biases]
    n = len(inputs) * len(targets[0])
    last = len(weights) - 1
    for s in range(len(inputs)):
        a = [inputs[s]]
        for l in range(len(weights)):
            out = []
            for i in range(len(weights[l])):
                z = biases[l][i]  # forward
                for j in range(len(a[l])):
                    z += weights[l][i][j] * a[l][j]  # forward
                out.append(tanh(z) if l < last else 1 / (1 + exp(-max(z, -700))))  # forward
            a.append(out)
        delta = []
        for i in range(len(targets[s])):
            o = a[-1][i]  # deltas
            delta.append(2 / n * (o - targets[s][i]) * o * (1 - o))  # deltas
        for l in range(last, -1, -1):
            for i in range(len(delta)):
                gb[l][i] += delta[i]  # biases
                for j in range(len(a[l])):
                    gw[l][i][j] += delta[i] * a[l][j]  # weights
            if l > 0:
                below = []
                for j in range(len(a[l])):
                    error = 0.0  # deltas
                    for i in range(len(delta)):
                        error += delta[i] * weights[l][i][j]  # deltas
                    below.append(error * (1 - a[l][j] * a[l][j]))  # deltas
                delta = below
    return gw, gb
