"""The two-layer network of the lessons, without biases: layer1 = σ(input · W1), output = σ(layer1 · W2).

It keeps the lessons' own signs: the error is y − ŷ, and what backprop returns is *added* to the weights.
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


def sigmoid_derivative(a):
    """a is the activation, σ(z)."""
    return a * (1 - a)


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
