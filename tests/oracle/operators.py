"""Operators in NumPy as people write them: a forward function, right backward functions, and wrong ones with the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Function = Callable[..., Any]


def layernorm(x: Array, gamma: Array, beta: Array) -> Array:
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta


def _normalised(x: Array, axis: int = -1) -> tuple[Array, Array]:
    std = np.sqrt(x.var(axis, keepdims=True) + 1e-5)
    return (x - x.mean(axis, keepdims=True)) / std, std


def layernorm_fused(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    xhat, std = _normalised(x)
    d, n = dout * gamma, x.shape[-1]
    dx = (n * d - d.sum(-1, keepdims=True) - xhat * (d * xhat).sum(-1, keepdims=True)) / (n * std)
    return dx, (dout * xhat).sum(0), dout.sum(0)


def layernorm_stepwise(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    n, mu = x.shape[-1], x.mean(-1, keepdims=True)
    centred = x - mu
    inverse = 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
    d = dout * gamma
    dvar = (d * centred).sum(-1, keepdims=True) * -0.5 * inverse**3
    dmu = -(d * inverse).sum(-1, keepdims=True) + dvar * -2 * centred.mean(-1, keepdims=True)
    return {
        "x": d * inverse + dvar * 2 * centred / n + dmu / n,
        "dgamma": (dout * centred * inverse).sum(0),
        "grad_beta": dout.sum(0),
    }


def layernorm_moments(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    """E[x²] − E[x]²: the right formula in an arrangement that cancels."""
    n, mu = x.shape[-1], x.mean(-1, keepdims=True)
    std = np.sqrt((x * x).mean(-1, keepdims=True) - mu * mu + 1e-5)
    xhat, d = (x - mu) / std, dout * gamma
    dx = (n * d - d.sum(-1, keepdims=True) - xhat * (d * xhat).sum(-1, keepdims=True)) / (n * std)
    return dx, (dout * xhat).sum(0), dout.sum(0)


def layernorm_without_variance(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    xhat, std = _normalised(x)
    d = dout * gamma
    return (d - d.mean(-1, keepdims=True)) / std, (dout * xhat).sum(0), dout.sum(0)


def layernorm_without_mean(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    xhat, std = _normalised(x)
    d = dout * gamma
    return (d - xhat * (d * xhat).mean(-1, keepdims=True)) / std, (dout * xhat).sum(0), dout.sum(0)


def layernorm_without_gamma(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    dx, dgamma, dbeta = layernorm_fused(dout, x, np.ones_like(gamma), beta)
    return dx, dgamma, dbeta


def layernorm_averaged(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    dx, dgamma, dbeta = layernorm_fused(dout, x, gamma, beta)
    return dx, dgamma / len(x), dbeta


def layernorm_of_x(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    dx, _, dbeta = layernorm_fused(dout, x, gamma, beta)
    return dx, (dout * x).sum(0), dbeta


def layernorm_unsummed(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    dx, _, dbeta = layernorm_fused(dout, x, gamma, beta)
    return dx, dout * _normalised(x)[0], dbeta


def layernorm_uphill(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    return tuple(-g for g in layernorm_fused(dout, x, gamma, beta))


def layernorm_in_place(dout: Array, x: Array, gamma: Array, beta: Array) -> Any:
    found = layernorm_fused(dout, x, gamma, beta)
    dout *= 0
    return found


def batchnorm(x: Array, gamma: Array, beta: Array) -> Any:
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta, (xhat, var, gamma)


def batchnorm_from_cache(dout: Array, cache: Any) -> Any:
    xhat, var, gamma = cache
    n, d = len(xhat), dout * gamma
    return (n * d - d.sum(0) - xhat * (d * xhat).sum(0)) / n / np.sqrt(var + 1e-5), (dout * xhat).sum(0), dout.sum(0)


def batchnorm_detached(dout: Array, cache: Any) -> Any:
    xhat, var, gamma = cache
    d = dout * gamma
    return (d - d.mean(0)) / np.sqrt(var + 1e-5), (dout * xhat).sum(0), dout.sum(0)


def cross_entropy(logits: Array, labels: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(labels)), labels].mean()


def cross_entropy_backward(logits: Array, labels: Array) -> Array:
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


def cross_entropy_summed(logits: Array, labels: Array) -> Array:
    return cross_entropy_backward(logits, labels) * len(labels)


def convolution(x: Array, w: Array, b: Array) -> Array:
    n, _, height, width = x.shape
    filters, _, kh, kw = w.shape
    out = np.zeros((n, filters, height - kh + 1, width - kw + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, i : i + kh, j : j + kw], w) + b
    return out


def convolution_scattered(dout: Array, x: Array, w: Array, b: Array) -> Any:
    dx, dw, (kh, kw) = np.zeros_like(x), np.zeros_like(w), w.shape[2:]
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dx[:, :, i : i + kh, j : j + kw] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
            dw += np.einsum("nf,nchw->fchw", dout[:, :, i, j], x[:, :, i : i + kh, j : j + kw])
    return dx, dw, dout.sum((0, 2, 3))


def convolution_without_bias(dout: Array, x: Array, w: Array, b: Array) -> Any:
    dx, dw, db = convolution_scattered(dout, x, w, b)
    return dx, dw, db * 0


def attention(q: Array, k: Array, v: Array) -> Array:
    scores = q @ k.T
    scaled = scores / np.sqrt(q.shape[-1])
    e = np.exp(scaled - scaled.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p @ v


def _probabilities(q: Array, k: Array) -> Array:
    s = q @ k.T / np.sqrt(q.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_rows(do: Array, q: Array, k: Array, v: Array) -> Any:
    p, c = _probabilities(q, k), 1 / np.sqrt(q.shape[-1])
    dp = do @ v.T
    ds = p * (dp - (p * dp).sum(-1, keepdims=True)) * c
    return ds @ k, ds.T @ q, p.T @ do


def attention_flash(do: Array, q: Array, k: Array, v: Array) -> Any:
    """As fused kernels do: Σ P dP as dO · O."""
    p, c = _probabilities(q, k), 1 / np.sqrt(q.shape[-1])
    delta = (do * (p @ v)).sum(-1, keepdims=True)
    ds = p * (do @ v.T - delta)
    return c * (ds @ k), (c * ds).T @ q, p.T @ do


def attention_unscaled(do: Array, q: Array, k: Array, v: Array) -> Any:
    dq, dk, dv = attention_flash(do, q, k, v)
    return dq * np.sqrt(q.shape[-1]), dk * np.sqrt(q.shape[-1]), dv


def attention_diagonal(do: Array, q: Array, k: Array, v: Array) -> Any:
    p, c = _probabilities(q, k), 1 / np.sqrt(q.shape[-1])
    ds = p * (do @ v.T) * c
    return ds @ k, ds.T @ q, p.T @ do


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def lstm(x: Array, h: Array, c: Array, wx: Array, wh: Array, b: Array) -> Any:
    size = h.shape[1]
    a = x @ wx + h @ wh + b
    i = sigmoid(a[:, :size])
    f = sigmoid(a[:, size : 2 * size])
    o = sigmoid(a[:, 2 * size : 3 * size])
    g = np.tanh(a[:, 3 * size :])
    new_c = f * c + i * g
    new_h = o * np.tanh(new_c)
    return new_h, new_c


def _lstm(slip: str) -> Function:
    def backward(up: Any, x: Array, h: Array, c: Array, wx: Array, wh: Array, b: Array) -> Any:
        (dh, dc), size = up, h.shape[1]
        a = x @ wx + h @ wh + b
        i, f, o = (sigmoid(a[:, k * size : (k + 1) * size]) for k in range(3))
        g = np.tanh(a[:, 3 * size :])
        t = np.tanh(f * c + i * g)
        dc = dc + (0 if slip == "cell" else dh * o * (1 - t * t))
        slope = {"at z": 1 - a[:, 3 * size :] ** 2, "squashed": 1 - np.tanh(g) ** 2}.get(slip, 1 - g * g)
        gate = o if slip == "gate" else o * (1 - o)
        da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * gate, dc * i * slope], 1)
        return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(0)

    return backward


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def relu_backward(dout: Array, x: Array) -> Array:
    return dout * (x > 0)


def relu_without_upstream(dout: Array, x: Array) -> Array:
    return 1.0 * (x > 0)


def pooled(x: Array) -> Array:
    n, channels, height, width = x.shape
    return x.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def pooled_backward(dout: Array, x: Array) -> Array:
    n, channels, height, width = x.shape
    blocks = x.reshape(n, channels, height // 2, 2, width // 2, 2)
    chosen = blocks == blocks.max(axis=(3, 5), keepdims=True)
    return (chosen * dout[:, :, :, None, :, None]).reshape(x.shape)


NORM = "x: n 5, gamma: 5, beta: 5"
HEADS = "q: n d, k: m d, v: m e"
CELL = "x: n 3, h: n 2, c: n 2, wx: 3 8, wh: 2 8, b: 8"
COLUMNS = "x: n 3, gamma: 3, beta: 3"
IMAGES = "x: n 2 5 4, w: 3 2 3 2, b: 3"
CLASSES = "logits: n 4, labels: integers(4) n"

RIGHT: list[tuple[Function, Function, str]] = [
    (layernorm, layernorm_fused, NORM),
    (layernorm, layernorm_stepwise, NORM),
    (batchnorm, batchnorm_from_cache, COLUMNS),
    (cross_entropy, cross_entropy_backward, CLASSES),
    (convolution, convolution_scattered, IMAGES),
    (attention, attention_rows, HEADS),
    (attention, attention_flash, HEADS),
    (lstm, _lstm(""), CELL),
    (relu, relu_backward, "x: n 3"),
    (pooled, pooled_backward, "x: n 2 4 4"),
]
WRONG: dict[str, tuple[Function, Function, str, str]] = {  # with what the explanation says, "" where there is none yet
    "variance": (layernorm, layernorm_without_variance, NORM, "Nothing comes back through line {var = ((x}"),
    "mean": (layernorm, layernorm_without_mean, NORM, "Nothing comes back through line {mu = x.mean(-1}"),
    "gamma": (layernorm, layernorm_without_gamma, NORM, "What line {return gamma * xhat + beta} gives back to line"),
    "operand": (
        layernorm,
        layernorm_of_x,
        NORM,
        "gives back to the gradient by gamma is computed with x for the other factor",
    ),
    "averaged": (layernorm, layernorm_averaged, NORM, "to the gradient by gamma is 1 / the size of axis 0 of x times"),
    "uphill": (layernorm, layernorm_uphill, NORM, "Every gradient has the wrong sign."),
    "detached": (batchnorm, batchnorm_detached, COLUMNS, "Nothing comes back through line {var = x.var(axis=0)}"),
    "summed": (cross_entropy, cross_entropy_summed, CLASSES, "Every gradient is the size of axis 0 of logits times"),
    "bias": (convolution, convolution_without_bias, IMAGES, "gives back to the gradient by b is missing."),
    "scale": (
        attention,
        attention_unscaled,
        HEADS,
        "What line {scores = q @ k.T} gives back is √the size of axis 1 of q",
    ),
    "diagonal": (attention, attention_diagonal, HEADS, ""),
    "cell": (
        lstm,
        _lstm("cell"),
        CELL,
        "What line {new_h = o * np.tanh} gives back to line {new_c = f * c} is missing.",
    ),
    "at z": (lstm, _lstm("at z"), CELL, "What line {g = np.tanh} gives back is computed with 1 − x² for 1 − y²."),
    "squashed": (lstm, _lstm("squashed"), CELL, "What line {g = np.tanh} gives back is computed with 1 − tanh(y)²"),
    "gate": (
        lstm,
        _lstm("gate"),
        CELL,
        "What line {o = sigmoid} gives back to line {a = x @ wx} is computed with y for its slope",
    ),
    "upstream": (relu, relu_without_upstream, "x: n 3", "The upstream gradient is left out"),
}
