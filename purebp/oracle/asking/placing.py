"""Which tensors of what a candidate keeps or returns are the weights and biases of which layer.

>>> from purebp.oracle.asking.leaves import leaves
>>> class Net:
...     def __init__(self):
...         self.rate, self.w1, self.w2, self.b2 = 0.5, [[0.0] * 3] * 2, [[0.0]] * 3, [0.0]
>>> (place, *_) = places(leaves(Net()), None)
>>> place.sizes, place.turned, [leaf and leaf.name for leaf in place.weights + place.biases]
((2, 3, 1), True, ['w1', 'w2', None, 'b2'])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import prod
from typing import Any

from purebp.oracle.asking.leaves import Leaf
from purebp.oracle.asking.roles import by_number, kind_of
from purebp.oracle.asking.wire import numbers
from purebp.textbook.linalg import transpose

INSIDE = ("", "last", "first")  # where in the rows of a matrix the biases are, if they are
MOST_LAYERS = 4  # whose order is tried out


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parameters of a network are.

    turned: matrices are inputs × outputs. inside: the biases are the "last" column of the weights, or the "first" (or
    row, where they are turned).
    """

    weights: tuple[Leaf, ...]
    biases: tuple[Leaf | None, ...]
    sizes: tuple[int, ...]
    turned: bool = False
    inside: str = ""

    @property
    def biased(self) -> bool:
        return bool(self.inside) or any(self.biases)

    def write(self, weights: Sequence[Any], biases: Sequence[Any]) -> None:
        """Other parameters, matrices outputs × inputs."""
        for l, leaf in enumerate(self.weights):
            rows, more = weights[l], biases[l] if biases else None
            if self.inside:
                rows = [
                    [*row, b] if self.inside == "last" else [b, *row] for row, b in zip(rows, more or [0.0] * len(rows))
                ]
            leaf.write(_in_shape(transpose(rows) if self.turned else rows, leaf.shape))
            bias = self.biases[l]
            if bias is not None:
                bias.write(_in_shape([more or [0.0] * len(rows)], bias.shape))

    def read(self) -> tuple[list[Any], list[Any]]:
        """The parameters, matrices outputs × inputs."""
        found = [leaf.read() for leaf in self.weights], [leaf and leaf.read() for leaf in self.biases]
        return self.told(*found)

    def told(self, weights: Sequence[Any], biases: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Tensors in the shapes of those here, as weights and biases."""
        turned = [self._rows(l, w) for l, w in enumerate(weights)]
        if not self.inside:
            return turned, [None if b is None else list(numbers(b)) for b in biases]
        at = -1 if self.inside == "last" else 0
        kept = [[[*row[:-1]] if at else [*row[1:]] for row in rows] for rows in turned]
        return kept, [[row[at] for row in rows] for rows in turned]

    def _rows(self, l: int, given: Any) -> Any:
        """A matrix outputs × inputs: what is the other way round than the weights is left so."""
        n_in, n_out = self.sizes[l] + bool(self.inside), self.sizes[l + 1]
        flat = list(numbers(given))
        if not isinstance(given, list) or not isinstance(given[0], list):  # a vector, of one neuron or from one
            if len(flat) != n_in * n_out:
                return given
            given = _in_shape([flat], (n_in, n_out) if self.turned else (n_out, n_in))
        return transpose(given) if self.turned else given

    @property
    def sentence(self) -> str:
        """Which attributes they are, and how they stand there."""
        told = ", ".join(leaf.name for leaf in self.weights)
        rows = "inputs × outputs" if self.turned else "outputs × inputs"
        inside = {"": "", "last": ", the biases in the last", "first": ", the biases in the first"}[self.inside]
        inside += (" row" if self.turned else " column") * bool(inside)
        offsets = ", ".join(leaf.name for leaf in self.biases if leaf)
        return f"weights {told} ({rows}{inside})" + (f", biases {offsets}" if offsets else "")


def _in_shape(rows: Any, shape: tuple[int, ...]) -> Any:
    """The numbers of rows in another shape with as many."""
    flat = list(numbers(list(rows)))
    if not shape:
        return flat[0]
    return flat if len(shape) == 1 else [flat[k : k + shape[1]] for k in range(0, len(flat), shape[1])]


def places(found: Sequence[Leaf], sizes: Sequence[int] | None) -> Iterator[Place]:
    """All that fit: with the sizes, or where they are not known with any that follow from each other."""
    named = [leaf for leaf in found if _kind(leaf) == "weights"]
    matrices = named or [leaf for leaf in found if len(leaf.shape) == 2 and not _kind(leaf)]
    offsets = [leaf for leaf in found if _kind(leaf) == "biases"]
    for order in _orders(matrices, None if sizes is None else len(sizes) - 1):
        for inside in INSIDE:
            if inside and offsets:
                continue
            for turned in (True, False):
                widths = _widths(order, turned, inside, sizes)
                if widths is not None:
                    yield Place(tuple(order), _biases(offsets, widths), widths, turned, inside)


def _kind(leaf: Leaf) -> str:
    """By the first of its names that says something."""
    kinds = [kind_of(name) for name in leaf.said]
    if {"gradients", "kept"} & set(kinds):
        return "other"
    return next((kind for kind in kinds if kind), "")


def _orders(matrices: Sequence[Leaf], layers: int | None) -> Iterator[list[Leaf]]:
    if not matrices or layers not in (None, len(matrices)):
        return
    if (numbered := by_number(matrices, _last)) is not None:
        yield numbered
        return
    listed = len({leaf.said for leaf in matrices}) == 1  # of one list, which has an order
    yield from [list(matrices)] if listed or len(matrices) > MOST_LAYERS else map(list, permutations(matrices))


def _widths(order: Sequence[Leaf], turned: bool, inside: str, sizes: Sequence[int] | None) -> tuple[int, ...] | None:
    """The widths of the network that has these matrices, if they fit one behind the other."""
    widths: list[int] = []
    for l, leaf in enumerate(order):
        pair = leaf.shape
        if len(pair) == 1:  # of one neuron, or from one
            pair = (pair[0], 1) if turned else (1, pair[0])
        if len(pair) != 2:
            return None
        n_in, n_out = pair if turned else pair[::-1]
        n_in -= bool(inside)
        if (
            n_in < 1
            or (widths and widths[-1] != n_in)
            or (sizes is not None and (n_in, n_out) != tuple(sizes[l : l + 2]))
        ):
            return None
        widths += [n_out] if widths else [n_in, n_out]
    return tuple(widths)


def _biases(offsets: Sequence[Leaf], widths: Sequence[int]) -> tuple[Leaf | None, ...]:
    """For each layer its biases, by their number and order."""
    left, chosen = list(_apart(offsets, len(widths) - 1)), list[Leaf | None]()
    for n in widths[1:]:
        fits = [leaf for leaf in left if prod(leaf.shape) == n]
        aligned = left[:1] if len(left) == len(widths) - 1 - len(chosen) and left[:1] == fits[:1] else fits[:1]
        chosen.append(aligned[0] if aligned else None)
        left = [leaf for leaf in left if leaf not in aligned]
    if len(offsets) < len(chosen) and None in chosen:  # of the last layers, rather than of the first that fit
        left, again = list(offsets), list[Leaf | None]()
        for n in reversed(widths[1:]):
            fits = [leaf for leaf in reversed(left) if prod(leaf.shape) == n][:1]
            again.insert(0, fits[0] if fits else None)
            left = [leaf for leaf in left if leaf not in fits]
        return tuple(again)
    return tuple(chosen)


def _apart(offsets: Sequence[Leaf], layers: int) -> Sequence[Leaf]:
    """The vectors of all layers, which look like one matrix where they are equally long."""
    if len(offsets) == 1 < layers and len(offsets[0].shape) == 2 and offsets[0].shape[0] == layers:
        return offsets[0].rows
    return offsets


Pattern = tuple[str, int]  # "named" or letters that stand for a layer's or a block's tensors; and how many come before
PATTERNS = ("W*B*", "(WB)*", "B*W*", "(BW)*", "W*")


def patterns(found: Sequence[Leaf], place: Place) -> Iterator[Pattern]:
    """How what is returned may be read, so that every tensor has as many numbers as what it is the gradient of."""
    for how in ("named", *PATTERNS):
        for before in range(3) if how != "named" else (0,):
            if picked(found, place, (how, before)) is not None:
                yield how, before
    if picked(found, place, ("named", 0), sizes=False) is not None:
        yield "named", 0


def picked(
    found: Sequence[Leaf], place: Place, pattern: Pattern, sizes: bool = True
) -> tuple[list[Leaf], list[Leaf | None]] | None:
    """Which tensors are the gradients of weights and biases, read so; None if they are not there, or have other sizes."""
    how, before = pattern
    layers = len(place.weights)
    biased = any(place.biases)
    of_biases: Sequence[Leaf | None]
    if how == "named":
        weights, offsets = (
            by_number(of, _last) or of
            for of in ([leaf for leaf in found if _subject(leaf) == kind] for kind in ("weights", "biases"))
        )
        offsets = list(_apart(offsets, layers))
        if len(weights) != layers or len(offsets) not in (0, sum(map(bool, place.biases))):
            return None
        rest = iter(offsets)
        of_biases = [next(rest, None) if leaf else None for leaf in place.biases]
    else:
        if ("B" in how) != biased:
            return None
        here = list(found[before : before + layers * (1 + biased)])
        if biased and how in ("W*B*", "B*W*") and len(here) == layers + 1:
            here = [*here[:-1], *_apart(here[-1:], layers)] if how == "W*B*" else [*_apart(here[:1], layers), *here[1:]]
        if len(here) != layers * (1 + biased):
            return None
        if how in ("(WB)*", "(BW)*"):
            weights, of_biases = here[how.index("W") - 1 :: 2], here[how.index("B") - 1 :: 2]
        elif how == "B*W*":
            weights, of_biases = here[layers:], here[:layers]
        else:
            weights, of_biases = here[:layers], here[layers:] or [None] * layers
    for turn in (1, -1):  # the last layer may come first
        if all(prod(a.shape) == prod(b.shape) for a, b in zip(weights[::turn], place.weights)) and all(
            b is None or a is None or prod(a.shape) == prod(b.shape) for a, b in zip(of_biases[::turn], place.biases)
        ):
            return list(weights[::turn]), list(of_biases[::turn])
    if sizes:
        return None
    return list(weights), list(of_biases)


def _subject(leaf: Leaf) -> str:
    """Of what it is the gradient, by its names: "weights" for dW1, nabla_w[0] or grads['W1']."""
    for name in leaf.said:
        bare = name[1:].lstrip("_") if name[:1] == "d" and kind_of(name) == "gradients" else name
        words = [word for word in bare.replace("_", " ").split() if kind_of(word) in ("weights", "biases")]
        kind = kind_of(words[0]) if words else kind_of(bare)
        if kind in ("weights", "biases"):
            return kind
    return ""


def _last(leaf: Leaf) -> str:
    """The last of its names."""
    return next(iter(leaf.said), "")
