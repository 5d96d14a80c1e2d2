"""Tensors inside of what a candidate keeps or returns: lists, arrays, dictionaries and objects, searched for numbers.

>>> class Neuron:
...     def __init__(self, n):
...         self.weights, self.bias = [0.5] * n, 1.0
>>> found = leaves({"rate": 0.1, "layers": [[Neuron(2), Neuron(2), Neuron(2)]]})
>>> [(leaf.name, leaf.shape) for leaf in found]
[('rate', ()), ('layers[0][*].weights', (3, 2)), ('layers[0][*].bias', (3,))]
>>> found[1].write([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
>>> found[1].read()
[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from purebp.oracle.asking.candidate import plain

MOST = 5_000  # things that are looked at
DEEPEST = 8
Step = tuple[str, Any]  # "." and an attribute, or "[" and an index or a key


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor: where it is, in one part, or with a part for each row."""

    root: Any
    paths: tuple[tuple[Step, ...], ...]
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """As one would write it: "layers[0].weights"; a star stands for the row."""
        steps = list(self.paths[0])
        if len(self.paths) > 1:
            steps[_row_step(self.paths[0])] = ("[", "*")
        said = "".join(f".{key}" if how == "." else f"[{key if key == '*' else repr(key)}]" for how, key in steps)
        return said.removeprefix(".") if steps[0][0] == "." else str(steps[0][1]) + said[said.index("]") + 1 :]

    @property
    def said(self) -> tuple[str, ...]:
        """The names on the way, the last one first."""
        return tuple(str(key) for _, key in reversed(self.paths[0]) if isinstance(key, str))

    @property
    def rows(self) -> list[Leaf]:
        """The rows of a matrix, each as a vector of its own."""
        paths = self.paths if len(self.paths) > 1 else [(*self.paths[0], ("[", i)) for i in range(self.shape[0])]
        return [Leaf(self.root, (path,), self.shape[1:]) for path in paths]

    def read(self) -> Any:
        """Its numbers, as lists."""
        parts = [plain(_followed(self.root, path)) for path in self.paths]
        return parts[0] if len(self.paths) == 1 else parts

    def write(self, values: Any) -> None:
        """Other numbers of the same shape, in place where that can be."""
        for path, value in zip(self.paths, [values] if len(self.paths) == 1 else values):
            old = _followed(self.root, path)
            _overwrite(old, value)
            if plain(old) != value:  # it cannot be changed, or holds integers
                _put(_followed(self.root, path[:-1]), path[-1], _like(old, value))


def _overwrite(old: Any, value: Any) -> None:
    if isinstance(old, list):
        if old and isinstance(old[0], (list, tuple)) or hasattr(old[0] if old else None, "tolist"):
            for row, new in zip(old, value):
                _overwrite(row, new)
        else:
            old[:] = value
    elif hasattr(old, "tolist") and getattr(old, "shape", None):
        old[...] = value


def _like(old: Any, value: Any) -> Any:
    """The numbers in what holds floats."""
    if hasattr(old, "astype") and getattr(old, "shape", None):
        new = old.astype(float)
        new[...] = value
        return new
    return value


def _followed(root: Any, path: Sequence[Step]) -> Any:
    for step in path:
        root = getattr(root, step[1]) if step[0] == "." else root[step[1]]
    return root


def _put(holder: Any, step: Step, value: Any) -> None:
    if step[0] == ".":
        setattr(holder, step[1], value)
    else:
        holder[step[1]] = value


def _row_step(path: Sequence[Step]) -> int:
    """The last index that is followed by something: that of a neuron in its layer."""
    return max((i for i, (how, key) in enumerate(path[:-1]) if how == "[" and isinstance(key, int)), default=-1)


def leaves(root: Any) -> list[Leaf]:
    """All tensors in it, in the order in which they are met; vectors and numbers of several neurons are put together."""
    grouped: dict[Any, list[tuple[tuple[Step, ...], tuple[int, ...]]]] = {}
    for path, shape in _met(root):
        row = _row_step(path)
        alone = row < 0 or len(shape) > 1
        key = path if alone else (path[:row], path[row + 1 :], shape)
        grouped.setdefault(key, []).append((path, shape))
    found = []
    for members in grouped.values():
        paths, (first, *_) = tuple(path for path, _ in members), [shape for _, shape in members]
        found.append(Leaf(root, paths, first if len(members) == 1 else (len(members), *first)))
    return found


def _met(root: Any) -> Iterator[tuple[tuple[Step, ...], tuple[int, ...]]]:
    """Paths to numbers, vectors and matrices, with their shapes."""
    seen, looked = set[int](), 0
    stack: list[tuple[tuple[Step, ...], Any]] = [((), root)]
    while stack and looked < MOST:
        path, x = stack.pop()
        looked += 1
        shape = shape_of(x)
        if shape is not None:
            if path:
                yield path, shape
            continue
        if len(path) >= DEEPEST or id(x) in seen:
            continue
        seen.add(id(x))
        stack += [((*path, step), item) for step, item in reversed(list(_items(x)))]


def shape_of(x: Any) -> tuple[int, ...] | None:
    """The shape, if it is a number, an array, or a list or rows of numbers; a matrix of one number has two dimensions."""
    if isinstance(x, bool) or x is None:
        return None
    if isinstance(x, Real):
        return ()
    if hasattr(x, "tolist") and hasattr(x, "shape"):
        shape = tuple(x.shape)
        return shape if len(shape) <= 2 and 0 not in shape and getattr(x.dtype, "kind", "f") in "fiu" else None
    if isinstance(x, (list, tuple)) and x:
        if all(isinstance(item, Real) and not isinstance(item, bool) for item in x):
            return (len(x),)
        if all(isinstance(item, (list, tuple)) for item in x):
            inner = {shape_of(item) for item in x}
            only = inner.pop()
            return (len(x), *only) if not inner and only is not None and len(only) == 1 else None
    return None


def _items(x: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(x, Mapping):
        yield from ((("[", key), item) for key, item in x.items() if isinstance(key, (str, int)))
    elif isinstance(x, (list, tuple)):
        yield from ((("[", i), item) for i, item in enumerate(x))
    elif hasattr(x, "__dict__") and not isinstance(x, type) and not callable(x):
        yield from (((".", name), item) for name, item in vars(x).items())
    elif hasattr(type(x), "__slots__") and not callable(x):
        slots = type(x).__slots__
        names = (slots,) if isinstance(slots, str) else tuple(slots)
        yield from (((".", name), getattr(x, name)) for name in names if hasattr(x, name))
