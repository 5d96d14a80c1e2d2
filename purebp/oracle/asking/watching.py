"""Which lines of somebody's Python make certain numbers: it runs once more, and is watched line by line.

>>> def backward(x, y, w):
...     output = [x * w[0], x * w[1]]
...     return [2 * (o - t) for o, t in zip(output, y)]
>>> (line,) = watched(lambda: backward(1 / 3, [1.0, 0.7], [0.5, 0.25]), [Quantity([[1 / 6, 1 / 12]])])
>>> line.number - backward.__code__.co_firstlineno
1
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import purebp

Vector = Sequence[float]

MOST_STEPS = 300_000  # that are watched: what goes on longer is let go
SAME = 1e-9  # is the relative difference of two numbers that are the same up to rounding
FACTORS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # of single numbers
OTHERS = tuple(  # whose files are nobody's own code
    os.path.realpath(path) + os.sep
    for path in (os.path.dirname(purebp.__file__), *(sysconfig.get_path(of) for of in ("stdlib", "purelib", "platlib")))
)


@dataclass(frozen=True)
class Line:
    """A line of a file, and the function that it is in."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What stands there."""
        return linecache.getline(self.file, self.number).strip()


@dataclass(frozen=True)
class Quantity:
    """Numbers that are looked for, in any of some forms; and those of which they are made, whose first line is not meant.

    They are met up to any factor, or, if `sized`, up to a sign and 2 or ½.
    """

    forms: Sequence[Vector]
    made_of: Sequence[Vector] = ()
    sized: bool = False


def watched(run: Callable[[], Any], quantities: Sequence[Quantity]) -> list[Line | None]:
    """The line that makes each quantity, as a whole or number by number; None if none of it is seen.

    run: what calls the code; it is called once, and may raise whatever it does.
    """
    forms = [(form, q.sized) for q in quantities for form in q.forms]
    watch, before = Watch([*forms, *((form, False) for q in quantities for form in q.made_of)]), sys.gettrace()
    sys.settrace(watch.called)
    try:
        run()
    finally:
        sys.settrace(before)
    found: list[Line | None] = []
    for q in quantities:
        before_it = {lines[0] for form in q.made_of if (lines := watch.lines(form))}
        met = [line for form in q.forms for line in watch.lines(form)]
        found.append(next((line for line in met if line not in before_it), next(iter(met), None)))
    return found


@dataclass
class Watch:
    """What has been seen so far: of each form the lines after which a variable, or a part of it, is like that."""

    forms: Sequence[tuple[Vector, bool]]
    whole: dict[int, dict[str, Line | None]] = field(default_factory=dict)  # by the variable
    parts: dict[tuple[int, int], Line | None] = field(default_factory=dict)  # the first, of each number of a form
    at: dict[FrameType, int] = field(default_factory=dict)  # the line that runs
    steps: int = 0

    def called(self, frame: FrameType, event: str, given: Any) -> Callable[..., Any] | None:
        """What sys.settrace calls when a function begins."""
        if _somebody_elses(frame.f_code.co_filename) or self.steps > MOST_STEPS:
            return None
        self.at[frame] = frame.f_lineno
        return self.went_on

    def went_on(self, frame: FrameType, event: str, given: Any) -> Callable[..., Any] | None:
        """What it calls when a line is reached, after another one, or the function returns."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            return None
        if event in ("line", "return"):
            begun = self.at[frame] == frame.f_code.co_firstlineno and event == "line"
            line = None if begun else Line(frame.f_code.co_filename, self.at[frame], _function(frame))
            for name, value in [*frame.f_locals.items(), *([("", given)] if event == "return" else [])]:
                kept = vars(value).items() if name == "self" and hasattr(value, "__dict__") else [("", value)]
                for part, own in kept:
                    self.look(f"{frame.f_code.co_qualname} {name} {part}", own, line)
            self.at[frame] = frame.f_lineno
        return self.went_on

    def look(self, variable: str, value: Any, line: Line | None) -> None:
        """Whether a value is one of the forms, or a number of one; no line makes what a function begins with."""
        for numbers in vectors(value):
            for i, (form, sized) in enumerate(self.forms):
                if len(numbers) == 1 < len(form):
                    for k, x in enumerate(form):
                        if _is_telling(x) and any(_same(numbers[0], c * x) for c in FACTORS):
                            self.parts.setdefault((i, k), line)
                elif len(numbers) == len(form) and _alike(numbers, form, sized):
                    self.whole.setdefault(i, {}).setdefault(variable, line)

    def lines(self, form: Vector) -> list[Line]:
        """Those that make it as a whole, in their order; or where each number has a line of its own, the first of these."""
        i = next(i for i, (other, _) in enumerate(self.forms) if other is form)
        whole = [line for line in dict.fromkeys(self.whole.get(i, {}).values()) if line]
        parts = [self.parts.get((i, k)) for k, x in enumerate(form) if _is_telling(x)]
        apart = [line for line in dict.fromkeys(parts) if line] if all(parts) else []
        return apart[:1] if len(apart) == len(parts) or not whole else whole


def told(lines: Sequence[Line]) -> str:
    """Where to look, in a sentence.

    >>> told([Line("mine.py", 12, "Net.backward"), Line("mine.py", 14, "Net.backward")])
    'It is probably made in lines 12 and 14 of Net.backward.'
    """
    functions = list(dict.fromkeys(line.function for line in lines))
    parts = []
    for function in functions:
        numbers = sorted({line.number for line in lines if line.function == function})
        named = (
            f"line {numbers[0]}"
            if len(numbers) == 1
            else f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
        )
        parts.append(named + ("" if function.startswith("<") else f" of {function}"))
    text = lines[0].text if len(lines) == 1 else ""
    return f"It is probably made in {' and '.join(parts)}{text and ': ' + text}."


def vectors(value: Any, depth: int = 4) -> Iterator[Sequence[float]]:
    """The numbers in a value, row after row, and in its parts.

    >>> list(vectors([[1, 2], [3, 4]]))
    [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0], [1.0], [2.0], [3.0, 4.0], [3.0], [4.0]]
    """
    if isinstance(value, (bool, str, bytes)) or not depth:
        return
    if isinstance(value, (int, float)):
        yield [float(value)]
        return
    if hasattr(value, "tolist"):  # of NumPy, or like it
        try:
            value = value.tolist()
        except Exception:  # its own affair
            return
    if isinstance(value, (int, float)):
        yield [float(value)]
    elif isinstance(value, (list, tuple)):
        flat = _flat(value)
        if flat:
            yield flat
        for part in value:
            yield from vectors(part, depth - 1)
    elif isinstance(value, dict):
        for part in list(value.values()):
            yield from vectors(part, depth - 1)
    elif not isinstance(value, type) and not callable(value) and hasattr(value, "__dict__"):
        for part in list(vars(value).values()):
            yield from vectors(part, depth - 1)


def _flat(rows: Sequence[Any]) -> list[float]:
    """All numbers in nested lists; [] where there is something else."""
    found: list[float] = []
    for part in rows:
        if isinstance(part, (list, tuple)):
            inner = _flat(part)
            if not inner:
                return []
            found += inner
        elif isinstance(part, (int, float)) or getattr(part, "shape", None) == ():
            found.append(float(part))
        else:
            return []
    return found


def _function(frame: FrameType) -> str:
    """Its name; of a comprehension that of the function around it."""
    return re.sub(r"(\.(<locals>\.)?<\w+>)+$", "", frame.f_code.co_qualname)


def _somebody_elses(file: str) -> bool:
    return file.startswith("<") or os.path.realpath(file).startswith(OTHERS)


def _same(x: float, y: float) -> bool:
    return abs(x - y) <= SAME * abs(y)


def _is_telling(x: float) -> bool:
    """Whether a number is met by chance seldom: no 0, and none of few digits."""
    return float(f"{x:.6g}") != x


def _alike(numbers: Vector, form: Vector, sized: bool) -> bool:
    """Whether one is a multiple of the other; of a single number, or if `sized`, by one of a few factors."""
    k = max(range(len(form)), key=lambda k: abs(form[k]))
    if not form[k] or not numbers[k]:
        return False
    if (sized or len(form) == 1) and not any(_same(numbers[k], c * form[k]) for c in FACTORS):
        return False
    if len(form) == 1:
        return _is_telling(form[0])
    c = numbers[k] / form[k]
    return all(abs(x - c * y) <= SAME * abs(numbers[k]) for x, y in zip(numbers, form))
