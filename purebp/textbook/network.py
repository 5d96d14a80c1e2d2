"""Networks, batches and gradients as frozen data, validated once, where they are made.

>>> network = Network([Layer([[0.5, -0.5], [1.0, 0.25]], [0.0, 0.1], "tanh"), Layer([[1.0, 2.0]], None, "identity")])
>>> network.sizes, network.parameters()
((2, 2, 1), [0.5, -0.5, 1.0, 0.25, 0.0, 0.1, 1.0, 2.0])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import sqrt
from numbers import Integral
from random import Random
from typing import Generic, TypeVar

from purebp.textbook import activations
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import Arithmetic, Matrix, N, Number, PurebpError, Vector
from purebp.textbook.linalg import shape
from purebp.textbook.validation import matrix

M = TypeVar("M", bound=Number)
SCHEMES: dict[str, Callable[[Random, int, int], float]] = {
    "xavier": lambda random, n_in, n_out: random.uniform(-1, 1) * sqrt(6 / (n_in + n_out)),
    "he": lambda random, n_in, n_out: random.gauss(0, sqrt(2 / n_in)),
    "uniform": lambda random, n_in, n_out: random.uniform(-1, 1) / sqrt(n_in),
}


@dataclass(frozen=True, slots=True, init=False)
class Layer(Generic[N]):
    """a = f(W x + b): weights n_out × n_in (row j feeds neuron j), biases n_out or None, and the activation f."""

    weights: Matrix[N]
    biases: Vector[N] | None
    activation: Activation

    def __init__(self, weights: Matrix[N], biases: Vector[N] | None, activation: Activation | str) -> None:
        object.__setattr__(self, "weights", matrix("weights", weights))
        object.__setattr__(self, "biases", None if biases is None else matrix("biases", [biases])[0])
        object.__setattr__(self, "activation", activations.activation(activation))
        if self.biases is not None and len(self.biases) != len(self.weights):
            raise PurebpError(f"weights are {shape(self.weights)}, biases ({len(self.biases)},): one bias per row")


@dataclass(frozen=True, slots=True, init=False)
class Network(Generic[N]):
    """Layers in the order in which the inputs pass through them; consecutive widths agree."""

    layers: tuple[Layer[N], ...]

    def __init__(self, layers: Iterable[Layer[N]]) -> None:
        object.__setattr__(self, "layers", tuple(layers) if isinstance(layers, Iterable) else (layers,))
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            raise PurebpError("a network needs at least one layer, and nothing but layers: Network([Layer(...), ...])")
        for l, (below, above) in enumerate(pairwise(self.layers)):
            if len(below.weights) != len(above.weights[0]):
                shapes = f"weights {shape(below.weights)} in layer {l}, {shape(above.weights)} in layer {l + 1}"
                raise PurebpError(f"{shapes}: the rows of one must be as many as the columns of the next")

    @classmethod
    def random(
        cls,
        sizes: Sequence[int],
        activation: Activation | str | Sequence[Activation | str] = "sigmoid",
        seed: int = 0,
        *,
        scheme: str = "xavier",
        biases: bool | Sequence[bool] = True,
    ) -> Network:
        """A network of the given widths, inputs first; activation and biases for all layers or one for each.

        Weights are uniform in ±√(6/(n_in + n_out)) for "xavier" (Glorot and Bengio 2010), normal with
        variance 2/n_in for "he" (He et al. 2015), uniform in ±1/√n_in for "uniform". Biases begin at 0.

        >>> Network.random([2, 3, 1], "tanh", seed=1).sizes
        (2, 3, 1)
        """
        sizes, depth = list(sizes), len(sizes) - 1
        if depth < 1 or not all(isinstance(size, Integral) and size > 0 for size in sizes):
            raise PurebpError(f"sizes {sizes!r}: at least two widths are wanted, each a whole number above 0")
        if scheme not in SCHEMES:
            raise PurebpError(f"unknown scheme {scheme!r}; known are {', '.join(SCHEMES)}")
        names = [activation] * depth if isinstance(activation, (str, Activation)) else list(activation)
        with_biases = [biases] * depth if isinstance(biases, bool) else list(biases)
        if len(names) != depth or len(with_biases) != depth:
            given = f"{len(names)} activations, {len(with_biases)} biases"
            raise PurebpError(f"sizes {sizes!r} make {depth} layers, but there are {given}: give one for each")
        random, weight = Random(seed), SCHEMES[scheme]
        return Network(
            Layer(
                [[weight(random, n_in, n_out) for _ in range(n_in)] for _ in range(n_out)],
                [0.0] * n_out if has_biases else None,
                f,
            )
            for (n_in, n_out), f, has_biases in zip(pairwise(sizes), names, with_biases)
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """The widths, inputs first."""
        return (len(self.layers[0].weights[0]), *(len(layer.weights) for layer in self.layers))

    def parameters(self) -> list[N]:
        """All weights and biases: layer by layer, weights row by row, then biases."""
        return _flat(self.layers)

    def with_parameters(self, values: Iterable[M]) -> Network[M]:
        """The same network with other parameters, in the order of `parameters()`."""
        given = list(values)
        if len(given) != len(self.parameters()):
            raise PurebpError(f"{len(given)} parameters for a network of {len(self.parameters())}: give one for each")
        rest = iter(given)
        return Network(
            Layer(
                [tuple(islice(rest, len(row))) for row in layer.weights],
                None if layer.biases is None else tuple(islice(rest, len(layer.biases))),
                layer.activation,
            )
            for layer in self.layers
        )


def lifted(network: Network | Network[N], arithmetic: Arithmetic[N]) -> Network[N]:
    """The network with its parameters as numbers of the arithmetic.

    >>> from purebp.number_systems.rational import FRACTION
    >>> lifted(Network([Layer([[0.5]], None, "relu")]), FRACTION).parameters()
    [Fraction(1, 2)]
    """
    layers = []
    for layer in network.layers:
        own: Layer[N] = object.__new__(Layer)  # what was validated as it came in stays as the arithmetic made it
        object.__setattr__(own, "weights", arithmetic.lift(layer.weights))
        object.__setattr__(own, "biases", None if layer.biases is None else arithmetic.lift([layer.biases])[0])
        object.__setattr__(own, "activation", layer.activation)
        layers.append(own)
    return Network(layers)


@dataclass(frozen=True, slots=True, init=False)
class Batch(Generic[N]):
    """inputs, samples × n_in, and targets, samples × n_out: row i of one belongs to row i of the other."""

    inputs: Matrix[N]
    targets: Matrix[N]

    def __init__(self, inputs: Matrix[N], targets: Matrix[N]) -> None:
        object.__setattr__(self, "inputs", matrix("inputs", inputs))
        object.__setattr__(self, "targets", matrix("targets", targets))
        if len(self.inputs) != len(self.targets):
            shapes = f"inputs are {shape(self.inputs)}, targets {shape(self.targets)}"
            raise PurebpError(f"{shapes}: both need one row per sample")


@dataclass(frozen=True, slots=True)
class LayerGradients(Generic[N]):
    """∂loss/∂W, ∂loss/∂b (None without biases) and the deltas δ = ∂loss/∂z of one layer."""

    weights: Matrix[N]
    biases: Vector[N] | None
    deltas: Matrix[N]


@dataclass(frozen=True, slots=True)
class Gradients(Generic[N]):
    """The gradients of a loss, layer by layer, in the shapes of the network."""

    layers: tuple[LayerGradients[N], ...]

    def parameters(self) -> list[N]:
        """All entries, in the order of `Network.parameters()`."""
        return _flat(self.layers)


def _flat(layers: Iterable[Layer[N] | LayerGradients[N]]) -> list[N]:
    return [x for layer in layers for row in (*layer.weights, layer.biases or ()) for x in row]
