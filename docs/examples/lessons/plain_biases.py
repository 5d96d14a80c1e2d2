"""A network of any number of layers with biases, only with lists. Trained in mini-batches."""

from math import exp
from random import gauss, sample


def sigmoid(z):
    return 1 / (1 + exp(-z))


def slope(a):
    """Derivative of the sigmoid where its value is a."""
    return a * (1 - a)


class Network:
    def __init__(self, sizes, learning_rate=0.5):
        self.learning_rate = learning_rate
        self.weights = []
        self.biases = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:]):
            # one row for each neuron
            self.weights.append([[gauss(0, 1) for _ in range(n_in)] for _ in range(n_out)])
            self.biases.append([gauss(0, 1) for _ in range(n_out)])

    def feedforward(self, x):
        self.activations = [x]
        for weights, biases in zip(self.weights, self.biases):
            layer = []
            for row, bias in zip(weights, biases):
                z = bias
                for w, a in zip(row, self.activations[-1]):
                    z += w * a
                layer.append(sigmoid(z))
            self.activations.append(layer)
        return self.activations[-1]

    def backpropagation(self, xs, ys):
        """Derivatives of 1/2 (output - y)^2, added up over the samples."""
        d_weights = [[[0.0 for w in row] for row in weights] for weights in self.weights]
        d_biases = [[0.0 for b in biases] for biases in self.biases]
        for x, y in zip(xs, ys):
            output = self.feedforward(x)
            deltas = [(o - t) * slope(o) for o, t in zip(output, y)]
            for l in range(len(self.weights) - 1, -1, -1):
                for j, delta in enumerate(deltas):
                    d_biases[l][j] += delta
                    for i, a in enumerate(self.activations[l]):
                        d_weights[l][j][i] += delta * a
                deltas_below = []
                for i, a in enumerate(self.activations[l]):
                    error = 0.0
                    for j, delta in enumerate(deltas):
                        error += delta * self.weights[l][j][i]
                    deltas_below.append(error * slope(a))
                deltas = deltas_below
        return d_weights, d_biases

    def train(self, xs, ys):
        d_weights, d_biases = self.backpropagation(xs, ys)
        for l in range(len(self.weights)):
            for j in range(len(self.weights[l])):
                self.biases[l][j] -= self.learning_rate * d_biases[l][j]
                for i in range(len(self.weights[l][j])):
                    self.weights[l][j][i] -= self.learning_rate * d_weights[l][j][i]


if __name__ == "__main__":
    XOR = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    net = Network([2, 3, 1])
    for _ in range(10000):
        batch = sample(XOR, 2)
        net.train([x for x, y in batch], [y for x, y in batch])
    for x, y in XOR:
        print(x, y, net.feedforward(x))
