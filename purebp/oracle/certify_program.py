"""Certified gradients of a program: of every input the double nearest to each exact number, and an interval that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.traced import Tape, traced
from purebp.oracle.certify import Certified, certify
from purebp.programs.sweeps import gradients, values
from purebp.programs.tracing import Part, Program, entries, nested, trace
from purebp.textbook.arithmetic import PurebpError


def certified_backward(
    forward: Callable[..., Any], inputs: Mapping[str, Any], upstream: Any = None, *, digits: int = 38
) -> dict[str, Any]:
    """The gradients of what a function returns, by its real inputs, each entry `Certified`, in their shapes.

    inputs: numbers, nested lists or arrays, by the names of its parameters. upstream: what is multiplied by what it
    returns, of the same shape, and added up; it may be left out where that is one number. Where a comparison decides,
    the side that these inputs are on is taken. The tape is run over balls, the digits doubled until each entry is
    correctly rounded. `CannotTrace` where the function leaves what can be traced.

    >>> entry = certified_backward(lambda x: x * x, {"x": 0.1})["x"]
    >>> entry.value, entry.rounded
    (0.2, True)
    """
    program = trace(forward, inputs)
    seeds = upstream_of(program, upstream)
    wanted = [index for part in program.inputs.values() for index in part.indices]

    def balls(digits: int) -> list[Ball]:
        arithmetic = ball(None, digits)
        upstream = {index: arithmetic.number(x) for index, x in seeds.items()}
        bars = gradients(program.tape, values(program.tape, arithmetic), upstream, arithmetic)
        return [arithmetic.zero if bars[index] is None else bars[index] for index in wanted]

    return dict(_in_their_shapes(program.inputs, certify(balls, digits)))


def certified_product(
    forward: Callable[..., Any], inputs: Mapping[str, Any], vectors: Mapping[str, Any], *, digits: int = 38
) -> dict[str, Any]:
    """Certified Hessian times a vector, of a function that returns one number: the gradient of the gradient along it.

    vectors: of each real input one of its shape; of those that are left out, 0.

    >>> (entry,) = certified_product(lambda x: x * x * x, {"x": 2.0}, {"x": 1.0}).values()
    >>> entry.value, entry.rounded
    (12.0, True)
    """
    program = trace(forward, inputs)
    if not program.scalar:
        raise PurebpError("the function returns more than one number: a Hessian is that of one number")
    again = Tape()  # the sweep backwards, traced in its turn
    numbers = traced(again)
    (cost,) = upstream_of(program, None)
    first = gradients(program.tape, _again(program, again), {cost: again.constant(1.0)}, numbers)
    along: Any = again.constant(0.0)
    for name, vector in vectors.items():
        if name not in program.inputs:
            raise PurebpError(f"there is no real input {name!r}: {', '.join(program.inputs)}")
        for index, v in zip(program.inputs[name].indices, _like(name, vector, program.inputs[name])):
            along = along if first[index] is None else along + first[index] * v
    wanted = [index for part in program.inputs.values() for index in part.indices]
    places = dict(zip(wanted, (i for i, step in enumerate(again.steps) if step.kind == "input")))

    def balls(digits: int) -> list[Ball]:
        arithmetic = ball(None, digits)
        bars = gradients(again, values(again, arithmetic), {along.index: arithmetic.one}, arithmetic)
        found = (bars[places[index]] for index in wanted)
        return [arithmetic.zero if bar is None else bar for bar in found]

    return dict(_in_their_shapes(program.inputs, certify(balls, digits)))


def _again(program: Program, tape: Tape) -> list[Any]:
    """The values of a program on another tape, its inputs first."""
    steps = zip(program.tape.steps, program.tape.values)
    inputs = [tape.input(value) if step.kind == "input" else None for step, value in steps]
    return values(program.tape, traced(tape), inputs)


def upstream_of(program: Program, given: Any) -> dict[int, float]:
    """What comes back to each number that is returned, by its place on the tape."""
    if given is None:
        if not program.scalar:
            raise PurebpError(
                "the function returns more than one number: give upstream, in the shape of what it returns"
            )
        given = 1.0
    parts = program.outputs
    several = given if isinstance(given, Mapping) else {next(iter(parts), ""): given} if len(parts) == 1 else None
    if several is None and isinstance(given, (tuple, list)) and len(given) == len(parts):
        several = dict(zip(parts, given))
    if several is None or several.keys() - parts.keys():
        raise PurebpError(f"upstream is to have the parts that are returned: {', '.join(parts) or 'nothing is'}")
    found = dict[int, float]()
    for name, value in several.items():
        for index, x in zip(parts[name].indices, _like(name or "upstream", value, parts[name])):
            found[index] = found.get(index, 0.0) + x
    return found


def _like(name: str, value: Any, part: Part) -> list[float]:
    flat, shape = entries(value)
    if shape != part.shape:
        raise PurebpError(f"{name} has the shape {shape}, {part.shape} is wanted")
    return [float(x) for x in flat]


def _in_their_shapes(parts: Mapping[str, Part], numbers: Sequence[Certified]) -> Iterator[tuple[str, Any]]:
    rest = iter(numbers)
    for name, part in parts.items():
        yield name, nested([next(rest) for _ in part.indices], part.shape)
