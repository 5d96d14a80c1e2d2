"""The cases on which a backward function is asked, each traced once, and the budgets of right answers to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, inf, isfinite, log2
from random import Random
from typing import Any

from purebp.number_systems.ball import Ball, Rules
from purebp.number_systems.formats import Format, format_named, rounds_to
from purebp.number_systems.traced import CannotTrace
from purebp.oracle.answer import Claim, Key
from purebp.oracle.evidence import Budgets
from purebp.programs.budget import NOTHING, Bar, Changed, budgets
from purebp.programs.drawing import Spec, draw, letters
from purebp.programs.tracing import Forward, Part, Program, nested, trace

MOST_DRAWN = 8  # times, until no comparison is near
NEAR = 1e-9  # is a comparison that another rounding may decide otherwise, relative to what is compared
RUNGS = (  # name, the first free size and the others (which count on), scale, shift
    ("small", 2, 3, 1.0, 0.0),
    ("smallest", 1, 2, 1.0, 0.0),
    ("wider", 3, 4, 1.0, 0.0),
    ("far from 0", 3, 4, 1.0, 8.0),
    ("small numbers", 2, 5, 2.0**-6, 0.0),
    ("large numbers", 4, 3, 8.0, 0.0),
    ("wide", 5, 8, 1.0, 0.0),
)


@dataclass(frozen=True)
class ProgramCase:
    """Inputs and an upstream gradient, and the program that the forward function runs on them."""

    name: str
    inputs: Mapping[str, Any]
    program: Program
    upstream: Mapping[str, Any]  # by the parts that are returned; empty where that is one number
    seeds: Mapping[int, float] = field(repr=False)
    further: bool = False
    beyond: str = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many real numbers it is given, and how many it returns."""
        return sum(len(p.indices) for p in self.program.inputs.values()), len(self.seeds)

    @property
    def samples(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1


def cases(
    forward: Forward,
    specs: Mapping[str, Spec],
    format: Format,
    seed: int = 0,
    arrays: bool | None = None,
    at: Mapping[str, Any] | None = None,
) -> Iterator[ProgramCase]:
    """Of several sizes and scales; those that the forward function refuses are left out, unless it refuses the first."""
    random = Random(f"program {seed}")
    if at is not None:
        yield _case("as given", dict(at), forward, random, format, arrays)
        return
    refused: CannotTrace | None = None
    some = False
    for name, first, others, scale, shift in RUNGS:
        names = letters(specs)
        sizes = {letter: first if i == 0 else others + i - 1 for i, letter in enumerate(names)}
        if not names and name in ("smallest", "wider", "wide"):
            continue  # nothing would be another size
        for _ in range(MOST_DRAWN):
            given = _rounded(draw(specs, sizes, random, scale, shift), specs, format)
            try:
                case = _case(name, given, forward, random, format, arrays)
            except CannotTrace as error:
                refused = refused or error
                break
            if all(decision.margin > NEAR for decision in case.program.tape.decisions):
                some = True
                yield case
                break
    if not some:
        raise refused or CannotTrace(
            "on all numbers that were drawn a comparison is decided by rounding: give numbers of your own, at={...}"
        )


def _case(
    name: str, given: dict[str, Any], forward: Forward, random: Random, format: Format, arrays: bool | None
) -> ProgramCase:
    program = trace(forward, given, arrays)
    if not program.outputs:
        raise CannotTrace(
            f"{getattr(forward, '__name__', 'the forward function')} returns nothing that is made of its real inputs "
            f"({', '.join(program.inputs) or 'there are none'})"
        )
    if not all(isfinite(x) for x in program.tape.values):
        raise CannotTrace("the forward function overflows, or divides by 0, on numbers of middling size")
    if program.scalar:
        (part,) = program.outputs.values()
        return ProgramCase(name, given, program, {}, {part.indices[0]: 1.0})
    upstream, seeds = dict[str, Any](), dict[int, float]()
    for each, part in program.outputs.items():
        numbers = [
            rounds_to(random.choice((-1, 1)) * random.randint(2**18, 2**22) * 2.0**-21, format.of_numbers)
            for _ in part.indices
        ]
        upstream[each] = nested(numbers, part.shape)
        for index, x in zip(part.indices, numbers):
            seeds[index] = seeds.get(index, 0.0) + x
    return ProgramCase(name, given, program, upstream, seeds)


def _rounded(given: dict[str, Any], specs: Mapping[str, Spec], format: Format) -> dict[str, Any]:
    """Real numbers as the format holds them."""

    def rounded(value: Any) -> Any:
        return [rounded(x) for x in value] if isinstance(value, list) else rounds_to(value, format.of_numbers)

    return {name: rounded(value) if specs[name].real else value for name, value in given.items()}


# Budgets.


def key_of(name: str) -> Key:
    """Of the gradient by an input."""
    return f"∂/∂{name}", 0


def name_of_key(key: Key) -> str:
    """The input by which it is.

    >>> name_of_key(key_of("gamma"))
    'gamma'
    """
    return key[0].removeprefix("∂/∂")


def program_budgets(
    case: ProgramCase,
    format: Format | str | None,
    claim: Claim,
    expanded: bool = False,
    changed: Changed = NOTHING,
    seeds: Mapping[int, float] | None = None,
) -> Budgets:
    """Of the claimed gradients: each entry as a ball. changed: what a mistake makes of what flows back along some edges."""
    held = format_named(format) if format is not None else None
    unit, tiny = (held.storage, held.smallest_normal) if held else (0.0, 0.0)
    bars = budgets(case.program.tape, case.seeds if seeds is None else seeds, unit, expanded, changed, tiny)
    parts = case.program.inputs
    rules = Rules(held, 38)
    return {key: as_balls(parts[name_of_key(key)], bars, rules, unit) for key in claim}


def as_balls(part: Part, bars: Sequence[Bar | None], rules: Rules, unit: float) -> list[list[Ball]]:
    """The gradient by an input, row by row."""
    return as_rows([_ball(bars[index], rules, unit) for index in part.indices], part.shape)


def as_rows(flat: Sequence[Any], shape: Sequence[int]) -> list[list[Any]]:
    """Entries of a tensor as a matrix: its last axis is that of the columns.

    >>> as_rows([1, 2, 3, 4], (2, 1, 2))
    [[1, 2], [3, 4]]
    """
    width = shape[-1] if shape else 1
    return [list(flat[i : i + width]) for i in range(0, len(flat), max(width, 1))]


def _ball(bar: Bar | None, rules: Rules, unit: float) -> Ball:
    if bar is None:
        return Ball(0, 0, 0, rules)
    value = Fraction(bar.value) if bar.value.is_finite() else Fraction(0)
    radius = bar.radius + unit * abs(float(bar.value))  # of storing it
    if radius == inf or radius != radius or not bar.value.is_finite():
        return Ball(0, 0, None, rules)
    size = max(abs(float(value)), radius, 1e-300)
    exponent = ceil(log2(size)) - 120
    scale = Fraction(2) ** -exponent
    return Ball(round(value * scale), exponent, ceil(Fraction(radius) * scale) + 1, rules)
