"""Backpropagation: the forward pass, and the recurrence that carries the gradient back.

Forward, for l = 1 … L with a⁰ the inputs (samples are rows):

    zˡ = aˡ⁻¹ Wˡᵀ + bˡ          aˡ = fˡ(zˡ)

Backward, for l = L … 1:

    δᴸ = ∂loss/∂aᴸ ⊙ fᴸ′(zᴸ)    δˡ = (δˡ⁺¹ Wˡ⁺¹) ⊙ fˡ′(zˡ)
    ∂loss/∂Wˡ = δˡᵀ aˡ⁻¹         ∂loss/∂bˡ = Σ over samples of δˡ

where ⊙ f′(z) stands for the product with the Jacobian of f; only softmax has more than a diagonal there.
(Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 323, 1986.)
Every product is `inner`, the dot products of rows with rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from purebp.textbook import losses
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, N, PurebpError
from purebp.textbook.linalg import shape, transpose
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Gradients, LayerGradients, Network
from purebp.textbook.validation import matrix


@dataclass(frozen=True, slots=True)
class Trace(Generic[N]):
    """A forward pass: the inputs, then z and a of every layer, each samples × n_out."""

    inputs: Matrix[N]
    pre_activations: tuple[Matrix[N], ...]
    activations: tuple[Matrix[N], ...]

    @property
    def outputs(self) -> Matrix[N]:
        """The activations of the last layer."""
        return self.activations[-1]


def forward(
    network: Network | Network[N],
    inputs: Matrix | Matrix[N],
    arithmetic: Arithmetic[N] = FLOAT,  # type: ignore[assignment]  # N = float
) -> Trace[N]:
    """zˡ = aˡ⁻¹ Wˡᵀ + bˡ and aˡ = fˡ(zˡ) for every layer; inputs are samples × n_in.

    >>> network = Network.random([2, 1], "identity").with_parameters([2.0, 3.0, 0.5])
    >>> forward(network, [[1.0, 10.0]]).outputs
    ((32.5,),)
    """
    below = frozen(arithmetic.lift(matrix("inputs", inputs)))
    n_in = len(network.layers[0].weights[0])
    if shape(below)[1] != n_in:
        raise PurebpError(f"inputs are {shape(below)}, the network takes samples × {n_in}")
    pre_activations, activations = [], []
    a = below
    for layer in network.layers:
        biases = None if layer.biases is None else arithmetic.lift([layer.biases])[0]
        z = arithmetic.inner(a, arithmetic.lift(layer.weights), biases)
        a = frozen(layer.activation.apply(z, arithmetic))
        pre_activations.append(frozen(z))
        activations.append(a)
    return Trace(below, tuple(pre_activations), tuple(activations))


def backpropagation(
    network: Network | Network[N],
    batch: Batch | Batch[N],
    loss: Loss | str = mse,
    arithmetic: Arithmetic[N] = FLOAT,  # type: ignore[assignment]  # N = float
) -> Gradients[N]:
    """The gradients of the loss of the network on the batch: subtract them to descend.

    >>> network = Network.random([2, 1], "identity").with_parameters([2.0, 3.0, 0.5])
    >>> gradients = backpropagation(network, Batch([[1.0, 10.0]], [[30.0]]), "sse")
    >>> gradients.layers[0].weights, gradients.layers[0].biases
    (((5.0, 50.0),), (5.0,))
    """
    trace = forward(network, batch.inputs, arithmetic)
    targets = arithmetic.lift(batch.targets)
    ones = [[arithmetic.ratio(1, 1)] * len(targets)]
    layers: list[LayerGradients[N]] = []
    for l in reversed(range(len(network.layers))):
        layer, z, a = network.layers[l], trace.pre_activations[l], trace.activations[l]
        if l == len(network.layers) - 1:
            deltas = losses.loss(loss).deltas(layer.activation, z, a, targets, arithmetic)
        else:
            above = arithmetic.lift(network.layers[l + 1].weights)
            error = arithmetic.inner(deltas, transpose(above), None)
            deltas = layer.activation.backward(error, z, a, arithmetic)
        below = trace.activations[l - 1] if l else trace.inputs
        columns = transpose(deltas)
        weights = arithmetic.inner(columns, transpose(below), None)
        biases = None if layer.biases is None else tuple(arithmetic.inner(ones, columns, None)[0])
        layers.append(LayerGradients(frozen(weights), biases, frozen(deltas)))
    return Gradients(tuple(reversed(layers)))


def evaluate(
    network: Network | Network[N],
    batch: Batch | Batch[N],
    loss: Loss | str = mse,
    arithmetic: Arithmetic[N] = FLOAT,  # type: ignore[assignment]  # N = float
) -> N:
    """The loss of the network on the batch: the number whose gradients `backpropagation` returns.

    >>> from purebp import Layer
    >>> evaluate(Network([Layer([[2.0]], None, "identity")]), Batch([[1.0]], [[5.0]]), "sse")
    9.0
    """
    trace = forward(network, batch.inputs, arithmetic)
    z, a = trace.pre_activations[-1], trace.activations[-1]
    return losses.loss(loss).at(network.layers[-1].activation, z, a, arithmetic.lift(batch.targets), arithmetic)


def frozen(rows: Matrix[N]) -> tuple[tuple[N, ...], ...]:
    """The matrix as a tuple of tuples."""
    return tuple(map(tuple, rows))
