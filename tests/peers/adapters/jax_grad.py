"""JAX: jax.grad of a loss, compiled; rows of samples, weights as inputs × outputs."""

from functools import partial

import jax
import jax.numpy as jnp

PUREBP = {"activations": ["silu", "softmax"], "weights": "in_out", "arrays": "jax"}

jax.config.update("jax_enable_x64", True)


def cross_entropy(parameters, x, y):
    (w1, b1), (w2, b2) = parameters
    logits = jax.nn.silu(x @ w1 + b1) @ w2 + b2
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits), axis=1))


def squares(activation, parameters, x, y):
    (w1, b1), (w2, b2) = parameters
    return jnp.mean((activation(x @ w1 + b1) @ w2 + b2 - y) ** 2)


def gradients(weights, biases, x, y):
    return zip(*jax.jit(jax.grad(cross_entropy))(list(zip(weights, biases)), x, y))


def gradients_with_tanh(weights, biases, x, y):
    return zip(*jax.jit(jax.grad(partial(squares, jnp.tanh)))(list(zip(weights, biases)), x, y))


def gradients_with_gelu(weights, biases, x, y):
    return zip(*jax.grad(partial(squares, jax.nn.gelu))(list(zip(weights, biases)), x, y))
