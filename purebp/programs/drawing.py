"""What a program is to be given: shapes, in which letters are free sizes, and kinds of numbers; drawn at random.

>>> from random import Random
>>> drawn = draw(specified({"x": ("n", 2), "label": integers(10, "n")}), {"n": 3}, Random(0))
>>> [len(row) for row in drawn["x"]], len(drawn["label"])
([2, 2, 2], 3)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any

from purebp.programs.tracing import nested
from purebp.textbook.arithmetic import PurebpError

Size = int | str


@dataclass(frozen=True)
class Spec:
    """One input: its kind and its shape, with what the kind needs."""

    kind: str  # "real", "integers", "one_hot", "mask", "positive", "between", "fixed"
    shape: tuple[Size, ...] = ()
    low: float = 0.0
    high: float = 0.0
    value: Any = None

    @property
    def real(self) -> bool:
        """Whether its gradient is wanted."""
        return self.kind in ("real", "positive", "between")


def integers(below: int, shape: Any = ()) -> Spec:
    """Whole numbers from 0 to below it, such as labels, or places in a table.

    >>> integers(10, ("n",)).high
    10
    """
    return Spec("integers", _shape(shape), 0, below)


def one_hot(shape: Any) -> Spec:
    """Rows of zeros with a single 1.

    >>> one_hot(("n", 3)).kind
    'one_hot'
    """
    return Spec("one_hot", _shape(shape))


def mask(shape: Any) -> Spec:
    """0 or 1, each of them as a float.

    >>> mask((2, 2)).shape
    (2, 2)
    """
    return Spec("mask", _shape(shape))


def positive(shape: Any = ()) -> Spec:
    """Real numbers above 0.

    >>> positive(3).shape
    (3,)
    """
    return Spec("positive", _shape(shape))


def between(low: float, high: float, shape: Any = ()) -> Spec:
    """Real numbers of an interval.

    >>> between(0, 1, 3).high
    1
    """
    if not low < high:
        raise PurebpError(f"between({low!r}, {high!r}): the first is to be below the second")
    return Spec("between", _shape(shape), low, high)


def fixed(value: Any) -> Spec:
    """What it is always given, and has no gradient.

    >>> fixed(1e-5).value
    1e-05
    """
    return Spec("fixed", value=value)


def _shape(given: Any) -> tuple[Size, ...]:
    sizes = tuple(given.split()) if isinstance(given, str) else given if isinstance(given, (tuple, list)) else (given,)
    found: list[Size] = []
    for size in sizes:
        number = int(size) if isinstance(size, str) and size.isdigit() else size
        named = isinstance(number, str) and number.isidentifier()
        if not named and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise PurebpError(f"{given!r} is no shape: whole numbers above 0, and names of free sizes, are wanted")
        found.append(number)
    return tuple(found)


def specified(inputs: Mapping[str, Any] | str) -> dict[str, Spec]:
    """Each input as a `Spec`: a shape stands for real numbers; as text, "x: n 5, gamma: 5, label: integers(10) n".

    >>> specified("x: n 5, label: integers(10) n")["label"]
    Spec(kind='integers', shape=('n',), low=0, high=10, value=None)
    """
    if isinstance(inputs, str):
        inputs = _read(inputs)
    if not isinstance(inputs, Mapping) or not inputs:
        raise PurebpError(f'{inputs!r:.60} are no inputs: a dictionary such as {{"x": ("n", 5)}} is wanted')
    return {name: spec if isinstance(spec, Spec) else Spec("real", _shape(spec)) for name, spec in inputs.items()}


KINDS = {
    "integers": integers,
    "one_hot": one_hot,
    "mask": mask,
    "positive": positive,
    "between": between,
    "fixed": fixed,
}


def _read(text: str) -> dict[str, Any]:
    found = dict[str, Any]()
    for part in re.split(r",(?![^()]*\))", text):
        name, colon, what = part.partition(":")
        call = re.fullmatch(r"\s*(\w*)(?:\(([^()]*)\))?\s*(.*?)\s*", what) if colon else None
        if not call or not name.strip().isidentifier():
            raise PurebpError(f"{part.strip()!r} is no input: write it as in 'x: n 5', or 'label: integers(10) n'")
        kind, given, shape = call.groups()
        if given is None or kind not in KINDS:
            found[name.strip()] = _shape(what)
            continue
        numbers: list[Any] = [float(x) if "." in x or "e" in x else int(x) for x in given.split(",") if x.strip()]
        if kind != "fixed":
            numbers.append(shape)
        make: Any = KINDS[kind]
        found[name.strip()] = make(*numbers)
    return found


def letters(specs: Mapping[str, Spec]) -> list[str]:
    """The free sizes, in their order.

    >>> letters(specified("x: n d, w: d d"))
    ['n', 'd']
    """
    return list(dict.fromkeys(size for spec in specs.values() for size in spec.shape if isinstance(size, str)))


def draw(
    specs: Mapping[str, Spec], sizes: Mapping[str, int], random: Random, scale: float = 1.0, shift: float = 0.0
) -> dict[str, Any]:
    """Numbers for every input, real ones with all digits, about as large as the scale, around the shift."""
    return {name: _drawn(spec, sizes, random, scale, shift) for name, spec in specs.items()}


def _drawn(spec: Spec, sizes: Mapping[str, int], random: Random, scale: float, shift: float) -> Any:
    if spec.kind == "fixed":
        return spec.value
    shape = tuple(sizes[size] if isinstance(size, str) else size for size in spec.shape)
    count = prod(shape)
    if spec.kind == "integers":
        return nested([random.randrange(int(spec.high)) for _ in range(count)], shape)
    if spec.kind == "mask":
        return nested([float(random.random() < 0.7) for _ in range(count)], shape)
    if spec.kind == "one_hot":
        width = shape[-1] if shape else 1
        hot = [random.randrange(width) for _ in range(count // width)]
        return nested([float(j == h) for h in hot for j in range(width)], shape)
    if spec.kind == "between":
        return nested([random.uniform(spec.low, spec.high) for _ in range(count)], shape)
    numbers = [scale * (random.random() * 1.4 + 0.1) for _ in range(count)]
    if spec.kind == "real":
        numbers = [x * random.choice((-1, 1)) + shift for x in numbers]
    return nested([float(x) for x in numbers], shape)
