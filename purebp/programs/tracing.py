"""A forward function, run on traced numbers: over lists, or over NumPy's object arrays, as it is.

>>> def norm(x):
...     return sum(v * v for v in x) ** 0.5
>>> program = trace(norm, {"x": [3.0, 4.0]})
>>> program.scalar, [program.tape.values[i] for i in program.outputs[""].indices]
(True, [5.0])
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from math import prod
from numbers import Integral, Real
from types import ModuleType
from typing import Any

from purebp.number_systems.traced import CannotTrace, Tape, Traced, is_library
from purebp.textbook.arithmetic import PurebpError

Shape = tuple[int, ...]
Forward = Callable[..., Any]
Edge = tuple[int, int]  # a step, and which of its operands: 0 or 1
Place = tuple[str, int] | str  # a line of a file, or the name of an input
Group = tuple[Place, Place | None]  # edges from a line; to another one, or to an input, or anywhere
MADE_OF_FLOATS = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")


@dataclass(frozen=True)
class Part:
    """A tensor of a program: its shape, and where its entries stand on the tape, row after row."""

    shape: Shape
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A tape, with the inputs that are real numbers, and what is returned, by name ("" for one alone)."""

    tape: Tape
    inputs: Mapping[str, Part]
    outputs: Mapping[str, Part]
    arrays: bool  # it was given arrays of NumPy

    @property
    def scalar(self) -> bool:
        """Whether it returns one number."""
        return [part.shape for part in self.outputs.values()] == [()]

    @cached_property
    def edges(self) -> dict[Group, list[Edge]]:
        """Those that lead from each line, and from each line to each other one and to each input."""
        tape, of_input = self.tape, dict[int, str]()
        for name, part in self.inputs.items():
            of_input.update(dict.fromkeys(part.indices, name))
        main = tape.main
        apart = main is not None and len({step.outer for step in tape.steps if step.outer}) > 1

        def place(index: int) -> Place:
            """A line of the main function; where it is all on one, the line itself."""
            step = tape.steps[index]
            if apart and main:
                return of_input.get(index, (main.co_filename, step.outer))
            return of_input.get(index, (step.code.co_filename if step.code else "", step.line))

        found: dict[Group, list[Edge]] = {}
        for i, step in enumerate(tape.steps):
            for side, operand in enumerate((step.left, step.right)):
                if operand < 0 or tape.steps[operand].kind == "constant":
                    continue
                here, there = place(i), place(operand)
                if here != there:
                    found.setdefault((here, None), []).append((i, side))
                found.setdefault((here, there), []).append((i, side))
        return found

    def steps_of(self, line: Place) -> set[int]:
        """The operations of a line."""
        return {i for (here, _), edges in self.edges.items() if here == line for i, _ in edges}

    def made_at(self, place: Place) -> list[int]:
        """The numbers of an input, or those that a line makes and others use or are returned, in their order."""
        if isinstance(place, str):
            return list(self.inputs[place].indices)
        own = self.steps_of(place)
        used = {i for part in self.outputs.values() for i in part.indices}
        used |= {i for j, step in enumerate(self.tape.steps) if j not in own for i in (step.left, step.right)}
        return sorted(own & used)

    def operand(self, edge: Edge) -> int:
        """The number to which an edge leads."""
        step = self.tape.steps[edge[0]]
        return step.right if edge[1] else step.left


def trace(forward: Forward, inputs: Mapping[str, Any], arrays: bool | None = None) -> Program:
    """The program that a forward function runs on these inputs.

    inputs: numbers, nested lists or arrays by the names of its parameters; those of whole numbers (int, or a dtype of
    integers or booleans) stay as they are. arrays: they are given as NumPy's; None gives lists, and arrays where it
    imports NumPy or where lists are refused. `CannotTrace` if it leaves what can be traced.
    """
    if arrays is None:
        first = imports_numpy(forward)
        try:
            return trace(forward, inputs, first)
        except CannotTrace as error:
            try:
                return trace(forward, inputs, not first)
            except (CannotTrace, ImportError):  # there may be no NumPy
                raise error from None
    main = getattr(getattr(forward, "__wrapped__", forward), "__code__", None)
    tape, given, parts = Tape(main=main), dict[str, Any](), dict[str, Part]()
    for name, value in inputs.items():
        flat, shape = entries(value)
        if not is_real(flat):
            given[name] = _handed(flat, shape, arrays, whole=True)
            continue
        numbers = [tape.input(float(x)) for x in flat]
        parts[name] = Part(shape, tuple(x.index for x in numbers))
        given[name] = _handed(numbers, shape, arrays)
    with _arrays_of_objects() if arrays else nullcontext():
        try:
            returned = forward(**given)
        except CannotTrace as error:
            raise CannotTrace(f"{_where(error, forward)}: {error}") from None
        except Exception as error:
            raise CannotTrace(
                f"{_where(error, forward)}: {type(error).__name__}: {str(error)[:300]} (it was given "
                f"{'arrays of objects' if arrays else 'lists'}, to trace it: + − * / **, exp, log, sqrt, tanh, max, where, "
                "@, einsum, sum, mean, indexing and loops are traced; np.linalg, FFT and float(x) are not)"
            ) from None
    return Program(tape, parts, dict(_returned(returned, tape)), arrays)


def imports_numpy(function: Forward) -> bool:
    """Whether NumPy is at hand in the module of a function."""
    space = getattr(getattr(function, "__wrapped__", function), "__globals__", {})
    return any(isinstance(each, ModuleType) and each.__name__ == "numpy" for each in space.values())


def entries(value: Any) -> tuple[list[Any], Shape]:
    """The numbers of a nested list or an array, row after row, and its shape.

    >>> entries([[1.0, 2.0], [3.0, 4.0]])
    ([1.0, 2.0, 3.0, 4.0], (2, 2))
    """
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        shape, value = tuple(int(n) for n in value.shape), value.tolist()
        return (_spread(value, len(shape)) if shape else [value]), shape
    if not isinstance(value, (list, tuple)):
        if not isinstance(value, (Real, Traced)):
            raise PurebpError(f"{value!r:.60} is no number, and no list or array of numbers")
        return [value], ()
    shape = ()
    row: Any = value
    while isinstance(row, (list, tuple)):
        shape = (*shape, len(row))
        row = row[0] if row else 0.0
    flat = _spread(value, len(shape))
    if len(flat) != prod(shape):
        raise PurebpError(f"{value!r:.60} is no tensor: its rows are of different lengths")
    return flat, shape


def _spread(value: Any, depth: int) -> list[Any]:
    if not depth:
        return [value]
    if not isinstance(value, (list, tuple)):
        raise PurebpError("a list is no tensor: its rows are of different depths")
    return [x for row in value for x in _spread(row, depth - 1)]


def is_real(flat: Sequence[Any]) -> bool:
    """Whether they are no whole numbers given as such."""
    return not flat or not all(isinstance(x, (Integral, bool)) for x in flat)


def nested(flat: Sequence[Any], shape: Shape) -> Any:
    """Entries as nested lists of a shape.

    >>> nested([1.0, 2.0, 3.0, 4.0], (2, 2))
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return list(flat)
    size = prod(shape[1:])
    return [nested(flat[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def _handed(flat: Sequence[Any], shape: Shape, arrays: bool, whole: bool = False) -> Any:
    """As the function is given it."""
    if not arrays or not shape:
        return nested(flat, shape)
    numpy = import_module("numpy")

    if whole:
        return numpy.array(flat).reshape(shape)
    array = numpy.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape)


def _returned(value: Any, tape: Tape) -> Iterator[tuple[str, Part]]:
    """What is returned, by name; of several without names by their numbers."""
    if isinstance(value, Mapping):
        parts = {str(name): part for name, part in value.items()}
    elif isinstance(value, tuple):
        parts = {str(i): part for i, part in enumerate(value)}
    else:
        parts = {"": value}
    for name, part in parts.items():
        try:
            flat, shape = entries(part)
        except PurebpError:
            continue  # a cache, or what else is handed to the backward function
        if not any(isinstance(x, Traced) for x in flat):
            continue
        numbers = [x if isinstance(x, Traced) else tape.constant(float(x)) for x in flat]
        yield name, Part(shape, tuple(x.index for x in numbers))


def _where(error: BaseException, forward: Forward) -> str:
    """The line of the forward function, or of what it calls, in which it happened."""
    name = getattr(forward, "__name__", "the forward function")
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_library(frame.filename)]
    return f"{name}, line {own[-1].lineno}, {own[-1].line}" if own and own[-1].line else name


@contextmanager
def _arrays_of_objects() -> Iterator[None]:
    """Arrays that NumPy makes of floats can take traced numbers meanwhile."""
    numpy = import_module("numpy")

    before = {name: getattr(numpy, name) for name in MADE_OF_FLOATS}

    def of_objects(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*given: Any, **named: Any) -> Any:
            array = make(*given, **named)
            return array.astype(object) if array.dtype.kind == "f" else array

        return made

    for name, make in before.items():
        setattr(numpy, name, of_objects(make))
    try:
        yield
    finally:
        for name, make in before.items():
            setattr(numpy, name, make)
