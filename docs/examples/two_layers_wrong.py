"""The same network with the commonest slip: the derivative squashes its argument once more.

Both layers call it with an activation, for which a (1 − a) would do.
"""

from math import exp

PUREBP = {
    "activations": ["sigmoid", "sigmoid"],
    "biases": False,
    "weights": "in_out",
    "loss": "sse",
    "returns": "descent",
}


def dot(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def transposed(a):
    return [list(column) for column in zip(*a)]


def sigmoid(z):
    return 1 / (1 + exp(-z))


def sigmoid_derivative(x):
    """x is the pre-activation z."""
    return sigmoid(x) * (1 - sigmoid(x))


class NeuralNetwork:
    def __init__(self, weights1, weights2):
        self.weights1, self.weights2 = weights1, weights2

    def feedforward(self, x):
        self.input = x
        self.layer1 = [[sigmoid(z) for z in row] for row in dot(x, self.weights1)]
        self.output = [[sigmoid(z) for z in row] for row in dot(self.layer1, self.weights2)]

    def backprop(self, y):
        delta2 = [[2 * (t - o) * sigmoid_derivative(o) for t, o in zip(*rows)] for rows in zip(y, self.output)]
        error1 = dot(delta2, transposed(self.weights2))
        delta1 = [[e * sigmoid_derivative(a) for e, a in zip(*rows)] for rows in zip(error1, self.layer1)]
        return dot(transposed(self.input), delta1), dot(transposed(self.layer1), delta2)


def gradients(weights, biases, inputs, targets):
    network = NeuralNetwork(*weights)
    network.feedforward(inputs)
    d_weights1, d_weights2 = network.backprop(targets)
    return [d_weights1, d_weights2], None
