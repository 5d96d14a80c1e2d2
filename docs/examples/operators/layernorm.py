"""Layer normalisation in NumPy, and two backward functions: in the second the variance is taken for a constant."""

import numpy as np


def layernorm(x, gamma, beta):
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta


def layernorm_backward(dout, x, gamma, beta):
    std = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    xhat = (x - x.mean(-1, keepdims=True)) / std
    d = dout * gamma
    dx = (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0), dout.sum(0)


def layernorm_backward_wrong(dout, x, gamma, beta):
    std = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    xhat = (x - x.mean(-1, keepdims=True)) / std
    d = dout * gamma
    dx = (d - d.mean(-1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0), dout.sum(0)


PUREBP = {
    "layernorm_backward": {"of": "layernorm", "inputs": "x: n 5, gamma: 5, beta: 5"},
    "layernorm_backward_wrong": {"of": "layernorm", "inputs": "x: n 5, gamma: 5, beta: 5"},
}
