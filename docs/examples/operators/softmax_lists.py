"""Softmax in plain Python: exp is that of purebp.programs, which takes floats as well."""

from purebp.programs import exp


def softmax(x):
    shares = [exp(v - max(x)) for v in x]
    return [s / sum(shares) for s in shares]


def softmax_backward(upstream, x):
    y = softmax(x)
    mean = sum(u * p for u, p in zip(upstream, y))
    return [p * (u - mean) for u, p in zip(upstream, y)]
