"""tinygrad: backward of a Tensor, in double precision or, as is its default, in single precision."""

import os

os.environ.setdefault("DEV", "PYTHON")  # its interpreter; to compile for the CPU it would want clang

from tinygrad import Tensor, dtypes

PUREBP = {"activations": ["sigmoid", "identity"]}


def gradients(weights, biases, inputs, targets, dtype=dtypes.float64):
    w1, w2 = (Tensor(w, dtype=dtype) for w in weights)
    b1, b2 = (Tensor(b, dtype=dtype) for b in biases)
    x, y = Tensor(inputs, dtype=dtype), Tensor(targets, dtype=dtype)
    outputs = x.linear(w1.T, b1).sigmoid().linear(w2.T, b2)
    (outputs - y).square().mean().backward()
    return [w1.grad.tolist(), w2.grad.tolist()], [b1.grad.tolist(), b2.grad.tolist()]


def gradients_by_default(weights, biases, inputs, targets):
    return gradients(weights, biases, inputs, targets, dtypes.float32)
