"""Training on standardised columns, and folding that away: the same function of the raw columns, as a plain network.

>>> from purebp.textbook.network import Layer
>>> scaling = standardisation([[10.0], [30.0]])
>>> scaling, scaling.apply([[10.0], [30.0]])
(Scaling(shift=(20.0,), scale=(10.0,)), [[-1.0], [1.0]])
>>> fold(Network([Layer([[5.0]], [1.0], "tanh")]), scaling).parameters()
[0.5, -9.0]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp, fsum, ldexp, sqrt

from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.linalg import dot
from purebp.textbook.network import Layer, Network


@dataclass(frozen=True, slots=True)
class Scaling:
    """x ↦ (x − shift) / scale, column by column."""

    shift: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, rows: Matrix) -> list[list[float]]:
        """Every row shifted and scaled.

        >>> Scaling((1.0,), (2.0,)).apply([[5.0]])
        [[2.0]]
        """
        return [[(x - m) / s for x, m, s in zip(row, self.shift, self.scale, strict=True)] for row in rows]

    def inverse(self) -> Scaling:
        """The scaling that undoes this one: x ↦ s x + m, which is (x − (−m/s)) / (1/s).

        >>> Scaling((1.0,), (2.0,)).inverse().apply([[2.0]])
        [[5.0]]
        """
        return Scaling(tuple(-m / s for m, s in zip(self.shift, self.scale)), tuple(1 / s for s in self.scale))


def standardisation(rows: Matrix) -> Scaling:
    """The scaling that gives every column mean 0 and standard deviation 1; a constant column is only shifted.

    >>> standardisation([[1.0, 7.0], [3.0, 7.0]])
    Scaling(shift=(2.0, 7.0), scale=(1.0, 1.0))
    """
    moments = [_moments(column) for column in zip(*rows)]
    return Scaling(tuple(m for m, _ in moments), tuple(s for _, s in moments))


def fold(network: Network, inputs: Scaling, outputs: Scaling | None = None) -> Network:
    """The network that takes raw inputs, and gives raw outputs, from one that was trained on scaled ones.

    W (x − μ)/σ + b = (W/σ) x + (b − W μ/σ) in the first layer; with `outputs`, σ ŷ + μ in the last, which has to be
    an identity layer for that. A layer without biases gets them.

    >>> inputs, outputs = Scaling((2.0,), (4.0,)), Scaling((10.0,), (8.0,))
    >>> fold(Network([Layer([[1.0]], [0.0], "identity")]), inputs, outputs).parameters()
    [2.0, 6.0]
    """
    first, *rest = network.layers
    weights = [[w / s for w, s in zip(row, inputs.scale, strict=True)] for row in first.weights]
    biases = [b - dot(row, inputs.shift) for b, row in zip(_biases(first), weights)]
    layers = [Layer(weights, biases, first.activation), *rest]
    if outputs is not None:
        last = layers.pop()
        if last.activation.name != "identity":
            raise PurebpError(f"the last activation is {last.activation.name}: scaled outputs fold into identity only")
        scaled = [[s * w for w in row] for row, s in zip(last.weights, outputs.scale, strict=True)]
        shifted = [s * b + m for b, s, m in zip(_biases(last), outputs.scale, outputs.shift)]
        layers.append(Layer(scaled, shifted, last.activation))
    return Network(layers)


def unfold(network: Network, inputs: Scaling, outputs: Scaling | None = None) -> Network:
    """The network that takes scaled inputs, and gives scaled outputs, from one for raw ones: `fold` undone.

    >>> scaling = Scaling((2.0,), (4.0,))
    >>> unfold(fold(Network([Layer([[1.0]], [0.5], "tanh")]), scaling), scaling).parameters()
    [1.0, 0.5]
    """
    return fold(network, inputs.inverse(), None if outputs is None else outputs.inverse())


def _biases(layer: Layer) -> Sequence[float]:
    return [0.0] * len(layer.weights) if layer.biases is None else layer.biases


def _moments(column: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation, in units of a power of two near the largest entry so that no square overflows."""
    if min(column) == max(column):
        return column[0], 1.0
    unit = ldexp(0.5, frexp(max(map(abs, column)))[1])
    mean = fsum(x / unit for x in column) / len(column)
    deviation = unit * sqrt(fsum((x / unit - mean) ** 2 for x in column) / len(column))
    return unit * mean, deviation if deviation >= sys.float_info.min else 1.0  # 1 / deviation must be finite too
