"""Backpropagation: the forward pass, and the recurrence that carries the gradient back.

Forward, for l = 1 … L with a⁰ the inputs (samples are rows):

    zˡ = aˡ⁻¹ Wˡᵀ + bˡ          aˡ = fˡ(zˡ)

Backward, for l = L … 1, each equation a function of its own:

    e = ∂loss/∂aᴸ                from the loss                  `output_error`
    δˡ = e ⊙ fˡ′(zˡ)             where e = ∂loss/∂aˡ            `deltas_of`, at the output `output_deltas`
    e = δˡ⁺¹ Wˡ⁺¹                for the layer below            `error_below`
    ∂loss/∂Wˡ = δˡᵀ aˡ⁻¹                                        `weight_gradients`
    ∂loss/∂bˡ = Σ over samples of δˡ                            `bias_gradients`

where ⊙ f′(z) stands for the product with the Jacobian of f; only softmax has more than a diagonal there.
(Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 323, 1986.)
Every product is `inner`, the dot products of rows with rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from purebp.textbook import losses
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import DEFAULT, Arithmetic, Matrix, N, PurebpError
from purebp.textbook.linalg import inner, shape, transpose
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Gradients, LayerGradients, Network, lifted
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


def forward(network: Network | Network[N], inputs: Matrix | Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> Trace[N]:
    """zˡ = aˡ⁻¹ Wˡᵀ + bˡ and aˡ = fˡ(zˡ) for every layer; inputs are samples × n_in.

    >>> network = Network.random([2, 1], "identity").with_parameters([2.0, 3.0, 0.5])
    >>> forward(network, [[1.0, 10.0]]).outputs
    ((32.5,),)
    """
    return _forward(lifted(network, arithmetic), inputs, arithmetic)


def _forward(network: Network[N], inputs: Matrix | Matrix[N], arithmetic: Arithmetic[N]) -> Trace[N]:
    below = frozen(arithmetic.lift(matrix("inputs", inputs)))
    n_in = len(network.layers[0].weights[0])
    if shape(below)[1] != n_in:
        raise PurebpError(f"inputs are {shape(below)}, the network takes samples × {n_in}")
    pre_activations, activations = [], []
    a = below
    for layer in network.layers:
        z = arithmetic.inner(a, layer.weights, layer.biases)
        a = frozen(layer.activation.apply(z, arithmetic))
        pre_activations.append(frozen(z))
        activations.append(a)
    return Trace(below, tuple(pre_activations), tuple(activations))


def output_error(
    loss: Loss, outputs: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT
) -> list[list[N]]:
    """e = ∂loss/∂ŷ, the error at the output; outputs ŷ, targets and error are samples × n_out.

    >>> output_error(losses.half_sse, [[32.5]], [[30.0]])
    [[2.5]]
    """
    return loss.slopes(outputs, targets, arithmetic)


def output_deltas(
    loss: Loss, f: Activation, z: Matrix[N], a: Matrix[N], targets: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT
) -> Matrix[N]:
    """δᴸ = ∂loss/∂ŷ ⊙ f′(z) with ŷ = a = f(z), or the closed form that loss and f have together, such as ŷ − y.

    All are samples × n_out. The closed form divides by nothing: it is there also where ŷ is exactly 0 or 1.

    >>> from purebp import binary_cross_entropy, sigmoid
    >>> output_deltas(binary_cross_entropy, sigmoid, [[1000.0]], [[1.0]], [[0.0]])
    [[1.0]]
    """
    closed = loss.closed_deltas(f, a, targets, arithmetic)
    return deltas_of(output_error(loss, a, targets, arithmetic), f, z, a, arithmetic) if closed is None else closed


def deltas_of(
    error: Matrix[N], f: Activation, z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT
) -> Matrix[N]:
    """δ = ∂loss/∂z = error ⊙ f′(z) from error = ∂loss/∂a with a = f(z); all are samples × n_out.

    >>> from purebp import sigmoid
    >>> deltas_of([[4.0]], sigmoid, [[0.0]], [[0.5]])
    [[1.0]]
    """
    return f.backward(error, z, a, arithmetic)


def error_below(deltas: Matrix[N], weights: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[list[N]]:
    """δ W = ∂loss/∂a of the layer below, samples × n_in, from δ, samples × n_out, and W, n_out × n_in.

    >>> error_below([[2.0]], [[3.0, 5.0]])
    [[6.0, 10.0]]
    """
    return inner(deltas, transpose(weights), arithmetic=arithmetic)


def weight_gradients(deltas: Matrix[N], below: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[list[N]]:
    """∂loss/∂W = δᵀ a, n_out × n_in, from δ, samples × n_out, and the activations a of the layer below, samples × n_in.

    >>> weight_gradients([[2.0], [1.0]], [[1.0, 10.0], [3.0, 0.0]])
    [[5.0, 20.0]]
    """
    return inner(transpose(deltas), transpose(below), arithmetic=arithmetic)


def bias_gradients(deltas: Matrix[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[N]:
    """∂loss/∂b = Σ over samples of δ, n_out numbers, from δ, samples × n_out.

    >>> bias_gradients([[2.0, 1.0], [1.0, 0.5]])
    [3.0, 1.5]
    """
    return arithmetic.inner([[arithmetic.one] * len(deltas)], transpose(deltas))[0]


def backpropagation(
    network: Network | Network[N],
    batch: Batch | Batch[N],
    loss: Loss | str = mse,
    arithmetic: Arithmetic[N] = DEFAULT,
) -> Gradients[N]:
    """The gradients of the loss of the network on the batch: subtract them to descend.

    >>> network = Network.random([2, 1], "identity").with_parameters([2.0, 3.0, 0.5])
    >>> gradients = backpropagation(network, Batch([[1.0, 10.0]], [[30.0]]), "sse")
    >>> gradients.layers[0].weights, gradients.layers[0].biases
    (((5.0, 50.0),), (5.0,))
    """
    loss, own, targets = losses.loss(loss), lifted(network, arithmetic), arithmetic.lift(batch.targets)
    trace = _forward(own, batch.inputs, arithmetic)
    found: list[LayerGradients[N]] = []
    for l in reversed(range(len(own.layers))):
        layer, z, a = own.layers[l], trace.pre_activations[l], trace.activations[l]
        if l == len(own.layers) - 1:
            deltas = output_deltas(loss, layer.activation, z, a, targets, arithmetic)
        else:
            error = error_below(deltas, own.layers[l + 1].weights, arithmetic)
            deltas = deltas_of(error, layer.activation, z, a, arithmetic)
        weights = weight_gradients(deltas, trace.activations[l - 1] if l else trace.inputs, arithmetic)
        biases = None if layer.biases is None else tuple(bias_gradients(deltas, arithmetic))
        found.append(LayerGradients(frozen(weights), biases, frozen(deltas)))
    return Gradients(tuple(reversed(found)))


def evaluate(
    network: Network | Network[N],
    batch: Batch | Batch[N],
    loss: Loss | str = mse,
    arithmetic: Arithmetic[N] = DEFAULT,
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
