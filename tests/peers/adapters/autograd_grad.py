"""HIPS autograd: grad of a loss in autograd.numpy, for logistic regression on a hidden layer."""

import autograd.numpy as np
from autograd import grad

PUREBP = {"activations": ["tanh", "sigmoid"], "weights": "in_out", "arrays": "numpy"}


def loss(parameters, x, y):
    (w1, b1), (w2, b2) = parameters
    z = np.dot(np.tanh(np.dot(x, w1) + b1), w2) + b2
    return np.sum(np.logaddexp(0, z) - y * z)


def gradients(weights, biases, x, y):
    return zip(*grad(loss)(list(zip(weights, biases)), x, y))
