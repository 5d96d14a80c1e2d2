"""Other forward passes than the right one, whose backward pass may be right for what it is given.

>>> from purebp import Batch, FLOAT, Layer
>>> from purebp.oracle.explaining.recipe import Recipe, planted, run
>>> network = Network([Layer([[2.0]], [1.0], "identity")])
>>> steep = planted(steeper(Fraction(1, 2), everywhere=False))
>>> run(steep, network, Batch([[1.0]], [[0.0]]), "half_sse", FLOAT).layers[0].deltas  # (2 · 1 + 1) / 2
((1.5,),)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import pi, sqrt
from typing import Any

from purebp.oracle.explaining.recipe import BIASES, DERIVATIVE, OPERANDS, STATE, Inapplicable, Mistake, Rows, entries
from purebp.textbook.activations import Activation, Softmax, activation, gelu, identity, relu, tanh
from purebp.textbook.arithmetic import Arithmetic
from purebp.textbook.backprop import Trace, forward, frozen
from purebp.textbook.linalg import shape, transpose
from purebp.textbook.network import Layer, Network

Layers = Sequence[Layer[Any]]
Forward = Callable[[Network[Any], Rows, Arithmetic[Any]], Trace[Any]]


def _layer_by_layer(change: Callable[[Layers, int], Layer[Any]]) -> Forward:
    """The forward pass of a network whose layers are others; the backward pass keeps its own."""

    def passed(network: Network[Any], inputs: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
        layers = [change(network.layers, l) for l in range(len(network.layers))]
        if layers == list(network.layers):
            raise Inapplicable("nothing changes")
        return forward(Network(layers), inputs, arithmetic)

    return passed


def _without_biases(layers: Layers, l: int) -> Layer[Any]:
    return replace(layers[l], biases=None)


def _less_biases(layers: Layers, l: int) -> Layer[Any]:
    biases = layers[l].biases
    return replace(layers[l], biases=biases and [-b for b in biases])


def _transposed(layers: Layers, l: int) -> Layer[Any]:
    w = layers[l].weights
    return replace(layers[l], weights=transpose(w)) if len(w) == len(w[0]) else layers[l]


def _weights_of(offset: int) -> Callable[[Layers, int], Layer[Any]]:
    """Each layer with the weights of a neighbour, where these have the same shape."""

    def other(layers: Layers, l: int) -> Layer[Any]:
        near = layers[l + offset].weights if 0 <= l + offset < len(layers) else ()
        return replace(layers[l], weights=near) if near and shape(near) == shape(layers[l].weights) else layers[l]

    return other


def _biases_of(offset: int) -> Callable[[Layers, int], Layer[Any]]:
    """Each layer with the biases of a neighbour, where these are as many."""

    def other(layers: Layers, l: int) -> Layer[Any]:
        near, own = layers[l + offset].biases if 0 <= l + offset < len(layers) else None, layers[l].biases
        return replace(layers[l], biases=near) if near and own and len(near) == len(own) else layers[l]

    return other


@dataclass(frozen=True)
class _Twice(Activation):
    """f(f(z))."""

    name: str
    f: Activation

    def apply(self, z: Rows, arithmetic: Arithmetic[Any]) -> list[list[Any]]:
        return self.f.apply(self.f.apply(z, arithmetic), arithmetic)

    def backward(self, error: Rows, z: Rows, a: Rows, arithmetic: Arithmetic[Any]) -> list[list[Any]]:
        inside = self.f.apply(z, arithmetic)
        return self.f.backward(self.f.backward(error, inside, a, arithmetic), z, inside, arithmetic)


def _twice(where: slice) -> Callable[[Network[Any]], Network[Any]]:
    """The network with f(f(z)) in the place of f(z) in some layers."""

    def model(network: Network[Any]) -> Network[Any]:
        chosen = [l for l in range(len(network.layers))[where] if network.layers[l].activation not in (identity, relu)]
        if not chosen:
            raise Inapplicable("nothing changes")
        return Network(
            replace(layer, activation=_Twice(f"{layer.activation.name} twice", layer.activation))
            if l in chosen
            else layer
            for l, layer in enumerate(network.layers)
        )

    return model


def _forward_twice(where: slice, slope_at_z: bool) -> Forward:
    """The same in the forward pass alone; f′ is taken at z, or at f(z), as those do who write it in terms of a."""

    def passed(network: Network[Any], inputs: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
        trace, z = forward(_twice(where)(network), inputs, arithmetic), []
        for l, (layer, own) in enumerate(zip(network.layers, trace.pre_activations)):
            at_z = slope_at_z or l not in range(len(network.layers))[where]
            z.append(own if at_z else frozen(layer.activation.apply(own, arithmetic)))
        return replace(trace, pre_activations=tuple(z))

    return passed


def _over_samples(network: Network[Any], inputs: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
    """Softmax taken over the samples, down the columns."""
    f = network.layers[-1].activation
    if not isinstance(f, Softmax):
        raise Inapplicable("there is no softmax")
    trace = forward(network, inputs, arithmetic)
    outputs = frozen(transpose(f.apply(transpose(trace.pre_activations[-1]), arithmetic)))
    return replace(trace, activations=(*trace.activations[:-1], outputs))


def _over_everything(network: Network[Any], inputs: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
    """Softmax divided by the sum over the whole batch."""
    f = network.layers[-1].activation
    if not isinstance(f, Softmax) or len(inputs) < 2:
        raise Inapplicable("there is no softmax, or one sample")
    trace = forward(network, inputs, arithmetic)
    z = trace.pre_activations[-1]
    (row,) = f.apply([[x for row in z for x in row]], arithmetic)
    width = len(z[0])
    outputs = tuple(tuple(row[i * width : (i + 1) * width]) for i in range(len(z)))
    return replace(trace, activations=(*trace.activations[:-1], outputs))


def _stale(which: int, inputs: bool) -> Callable[[Network[Any], Rows, Arithmetic[Any]], Trace[Any]]:
    """The outputs of every sample, with the hidden layers (and inputs) of one of them."""

    def kept(network: Network[Any], rows: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
        trace, n = forward(network, rows, arithmetic), len(rows)
        if n < 2 or (len(network.layers) < 2 and not inputs):
            raise Inapplicable("there is nothing to keep")

        def all_of_one(layers: Sequence[Rows]) -> tuple[Rows, ...]:
            return (*([layer[which]] * n for layer in layers[:-1]), layers[-1])

        return replace(
            trace,
            inputs=[trace.inputs[which]] * n if inputs else trace.inputs,
            pre_activations=all_of_one(trace.pre_activations),
            activations=all_of_one(trace.activations),
        )

    return kept


def _with_activation(name: str, where: slice) -> Callable[[Network[Any]], Network[Any]]:
    """The network with another activation in some of its layers."""

    def model(network: Network[Any]) -> Network[Any]:
        chosen = range(len(network.layers))[where]
        if all(network.layers[l].activation == activation(name) for l in chosen):
            raise Inapplicable("that is its activation")
        return Network(
            Layer(layer.weights, layer.biases, name if l in chosen else layer.activation)
            for l, layer in enumerate(network.layers)
        )

    return model


@dataclass(frozen=True)
class _ApproximateGelu(Activation):
    """z (1 + tanh u) / 2 with u = linear · z + cubic · z³ in the place of z Φ(z)."""

    name: str
    linear: float
    cubic: float

    def tangents(self, z: Rows, arithmetic: Arithmetic[Any]) -> Rows:
        linear, cubic = arithmetic.number(self.linear), arithmetic.number(self.cubic)
        return arithmetic.elementwise(tanh.value, entries(z, lambda x: linear * x + cubic * x * x * x))

    def apply(self, z: Rows, arithmetic: Arithmetic[Any]) -> list[list[Any]]:
        return [[x * (1 + t) / 2 for x, t in zip(*rows)] for rows in zip(z, self.tangents(z, arithmetic))]

    def backward(self, error: Rows, z: Rows, a: Rows, arithmetic: Arithmetic[Any]) -> list[list[Any]]:
        linear, cubic = arithmetic.number(self.linear), 3 * arithmetic.number(self.cubic)
        return [
            [e * ((1 + t) / 2 + x * (1 - t * t) * (linear + cubic * x * x) / 2) for e, x, t in zip(*rows)]
            for rows in zip(error, z, self.tangents(z, arithmetic))
        ]

    def model(self, network: Network[Any]) -> Network[Any]:
        """The network with this in the place of every gelu."""
        if all(layer.activation != gelu for layer in network.layers):
            raise Inapplicable("there is no gelu")
        return Network(
            Layer(layer.weights, layer.biases, self if layer.activation == gelu else layer.activation)
            for layer in network.layers
        )


def steeper(factor: Fraction, everywhere: bool) -> Mistake:
    """z times a factor before the activation, at the output or in every layer; a temperature divides z."""

    def passed(network: Network[Any], inputs: Rows, arithmetic: Arithmetic[Any]) -> Trace[Any]:
        number, last = arithmetic.ratio(factor.numerator, factor.denominator), len(network.layers) - 1

        def change(layers: Layers, l: int) -> Layer[Any]:
            if l < last and not everywhere:
                return layers[l]
            weights, biases = entries(layers[l].weights, lambda w: number * w), layers[l].biases
            return replace(layers[l], weights=weights, biases=biases and [number * b for b in biases])

        return _layer_by_layer(change)(network, inputs, arithmetic)

    times, divisor = f"{float(factor):.10g}", f"{float(1 / factor):.10g}"
    said = f"divided by {divisor}" if len(divisor) < len(times) else f"multiplied by {times}"
    where = "in every layer" if everywhere else "at the output"
    sentence = f"z is {said} before the activation {where}, in the forward pass: a = f(z)."
    return Mistake(f"z {said} {where}", OPERANDS, sentence, "forward", passed)


# fmt: off
def forwards() -> Iterator[Mistake]:
    """Every other forward pass that has a name."""
    yield Mistake("softmax over the wrong axis", DERIVATIVE, "Softmax is taken over the samples: it must sum to 1 over "
                  "the outputs of each sample.", "forward", _over_samples)
    yield Mistake("softmax over the whole batch", DERIVATIVE, "Softmax is divided by the sum over the whole batch: it "
                  "must sum to 1 over the outputs of each sample.", "forward", _over_everything)
    yield Mistake("biases left out of the forward pass", BIASES, "The forward pass leaves out the biases: z = W a + b.",
                  "forward", _layer_by_layer(_without_biases))

    yield Mistake("biases subtracted in the forward pass", BIASES, "The forward pass subtracts the biases: z = W a + b.",
                  "forward", _layer_by_layer(_less_biases))
    for which, word in ((-1, "last"), (0, "first")):
        yield Mistake(f"activations of the {word} sample for all", STATE, f"The backward pass of every sample uses the "
                      f"hidden activations of the {word} one: keep those of each sample, or go back right after each "
                      "forward pass.", "forward", _stale(which, inputs=False))
        yield Mistake(f"inputs and activations of the {word} sample for all", STATE, f"The backward pass of every sample "
                      f"uses inputs and hidden activations of the {word} one: keep those of each sample, or go back right "
                      "after each forward pass.", "forward", _stale(which, inputs=True))
    for name in ("identity", "sigmoid", "tanh", "relu"):
        yield Mistake(f"{name} at the output", OPERANDS, f"The output layer computes with {name}: declare it, or use the "
                      "activation that was declared.", "model", _with_activation(name, slice(-1, None)))
        yield Mistake(f"{name} in the hidden layers", OPERANDS, f"The hidden layers compute with {name}: declare it, or "
                      "use the activation that was declared.", "model", _with_activation(name, slice(None, -1)))
    yield Mistake("gelu by its approximation with tanh", OPERANDS, "The approximation of gelu with tanh is computed, "
                  "z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2: where z Φ(z) is meant, ask for it (approximate=False, or "
                  "\"none\").", "model",
                  _ApproximateGelu("gelu by tanh", sqrt(2 / pi), sqrt(2 / pi) * 0.044715).model)
    yield Mistake("gelu by its approximation with the sigmoid", OPERANDS, "The approximation of gelu with the "
                  "sigmoid is computed, z σ(1.702 z): where z Φ(z) is meant, ask for it.", "model",
                  _ApproximateGelu("gelu by the sigmoid", 0.851, 0.0).model)
    yield Mistake("W transposed in the forward pass", OPERANDS, "The forward pass takes W transposed (a square matrix "
                  "hides it): row j feeds neuron j.", "forward", _layer_by_layer(_transposed))
    for place, chosen in {"at the output": slice(-1, None), "in the hidden layers": slice(None, -1), "in every layer": slice(None)}.items():
        name, sentence = f"activation applied twice {place}", f"The activation is applied twice {place}, a = f(f(z))"
        yield Mistake(name, OPERANDS, f"{sentence}: apply it once, a = f(z).", "forward", _forward_twice(chosen, slope_at_z=False))
        yield Mistake(f"{name}, f′ at z", OPERANDS, f"{sentence}, and the backward pass knows of one: apply it once, a = f(z).",
                      "forward", _forward_twice(chosen, slope_at_z=True))
        yield Mistake(f"{name}, and differentiated so", OPERANDS, f"{sentence}, and differentiated as such: apply it once. (A "
                      "loss that takes logits applies it as well.)", "model", _twice(chosen))
    for near, offset in (("below", -1), ("above", 1)):
        yield Mistake(f"weights of the layer {near} in the forward pass", OPERANDS, f"The forward pass takes the weights of the "
                      f"layer {near} (equal widths hide it): each layer has its own W.", "forward",
                      _layer_by_layer(_weights_of(offset)))
        yield Mistake(f"biases of the layer {near} in the forward pass", BIASES, f"The forward pass takes the biases of the "
                      f"layer {near} (equal widths hide it): each layer has its own b.", "forward",
                      _layer_by_layer(_biases_of(offset)))
# fmt: on
