"""NumPy as the lessons have it: two layers of sigmoid without biases, and an update that is added to the weights."""

import numpy as np

PUREBP = {"activations": ["sigmoid", "sigmoid"], "biases": False, "weights": "in_out", "arrays": "numpy"}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(a):
    return a * (1 - a)


def backprop(weights, biases, x, y):
    weights1, weights2 = weights
    layer1 = sigmoid(np.dot(x, weights1))
    output = sigmoid(np.dot(layer1, weights2))
    output_delta = 2 * (y - output) * sigmoid_derivative(output)
    layer1_delta = np.dot(output_delta, weights2.T) * sigmoid_derivative(layer1)
    return [np.dot(x.T, layer1_delta), np.dot(layer1.T, output_delta)], None
