"""tinygrad: backward of a Tensor, in double precision or, as is its default, in single precision."""

import os
from functools import partial

os.environ.setdefault("DEV", "PYTHON")  # its interpreter; to compile for the CPU it would want clang

from tinygrad import Tensor, dtypes

PUREBP = {"activations": ["sigmoid", "identity"]}


def gradients_by_default(weights, biases, inputs, targets, tensor=Tensor):
    w1, w2 = map(tensor, weights)
    b1, b2 = map(tensor, biases)
    x, y = tensor(inputs), tensor(targets)
    outputs = x.linear(w1.T, b1).sigmoid().linear(w2.T, b2)
    (outputs - y).square().mean().backward()
    return [w1.grad.tolist(), w2.grad.tolist()], [b1.grad.tolist(), b2.grad.tolist()]


def gradients(weights, biases, inputs, targets):
    return gradients_by_default(weights, biases, inputs, targets, partial(Tensor, dtype=dtypes.float64))
