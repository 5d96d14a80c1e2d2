"""Which lines of somebody's Python make certain numbers: it runs once more, and is watched line by line.

>>> def backward(x, y, w):
...     output = [x * w[0], x * w[1]]
...     return [2 * (o - t) for o, t in zip(output, y)]
>>> (line,) = watched(lambda: backward(1 / 3, [1.0, 0.7], [0.5, 0.25]), [Quantity([[1 / 6 - 1, 1 / 12 - 0.7]])])
>>> line.number - backward.__code__.co_firstlineno
2
"""

from __future__ import annotations

import linecache
import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from time import process_time
from types import FrameType
from typing import Any

from purebp.number_systems.traced import is_library

Vector = Sequence[float]

MOST_SECONDS = 0.7  # of processor time are watched: what goes on longer is let go, and runs on as fast as ever
MOST_NUMBERS = 2_000  # in one container: larger ones are nothing that is looked for
SAME = 1e-9  # is the relative difference of two numbers that are the same up to rounding
FACTORS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # of single numbers


@dataclass(frozen=True)
class Line:
    """A line of a file, and the function that it is in."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What stands there, if it is a whole statement."""
        text = linecache.getline(self.file, self.number).partition("#")[0].strip()
        whole = all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
        return "".join(c if c.isprintable() else "?" for c in text) if whole else ""


@dataclass(frozen=True)
class Quantity:
    """Numbers that are looked for, in any of some forms; and those of which they are made, whose first line is not meant.

    They are met up to any factor, or, if `sized`, up to a sign and 2 or ½.
    """

    forms: Sequence[Vector]
    made_of: Sequence[Vector] = ()
    sized: bool = False


def watched(
    run: Callable[[], Any], quantities: Sequence[Quantity], given: Collection[tuple[float, ...]] = ()
) -> list[Line | None]:
    """The line that makes each quantity, as a whole or number by number; None if none of it is seen.

    run: what calls the code; it is called once, and may raise whatever it does. given: numbers that it has from outside,
    which it does not make, though what it makes may be a multiple of them.
    """
    forms = [(form, q.sized) for q in quantities for form in q.forms]
    watch, before = Watch([*forms, *((form, False) for q in quantities for form in q.made_of)], given), sys.gettrace()
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
    given: Collection[tuple[float, ...]] = ()
    whole: dict[int, dict[str, Line | None]] = field(default_factory=dict)  # by the variable
    parts: dict[tuple[int, int], Line | None] = field(default_factory=dict)  # the first, of each number of a form
    at: dict[FrameType, int] = field(default_factory=dict)  # the line that runs
    before: dict[str, list[Sequence[float]]] = field(default_factory=dict)  # what each variable held
    until: float = field(default_factory=lambda: process_time() + MOST_SECONDS)

    def called(self, frame: FrameType, event: str, given: Any) -> Callable[..., Any] | None:
        """What sys.settrace calls when a function begins."""
        if process_time() > self.until:
            sys.settrace(None)
            return None
        if is_library(frame.f_code.co_filename):
            return None
        self.at[frame] = frame.f_lineno
        return self.went_on

    def went_on(self, frame: FrameType, event: str, given: Any) -> Callable[..., Any] | None:
        """What it calls when a line is reached, after another one, or the function returns."""
        if process_time() > self.until:
            sys.settrace(None)
            return None
        if event in ("line", "return"):
            begun = self.at[frame] == frame.f_code.co_firstlineno and event == "line"
            line, caller = Line(frame.f_code.co_filename, self.at[frame], _function(frame)), self._caller(frame)
            values = [*frame.f_locals.items(), *([("", given)] if event == "return" else [])]
            for name, value in values:
                held = _attributes(value) if name == "self" else {"": value}
                for part, own in held.items():
                    # what a function begins with was made where it is called, if it is no attribute
                    self.look(f"{line.function} {name} {part}", own, (None if part else caller) if begun else line)
            self.at[frame] = frame.f_lineno
        return self.went_on

    def _caller(self, frame: FrameType) -> Line | None:
        above = frame.f_back
        if above is None or above not in self.at:
            return None
        return Line(above.f_code.co_filename, above.f_lineno, _function(above))

    def look(self, variable: str, value: Any, line: Line | None) -> None:
        """Whether a value is one of the forms, or a number of one; what has no line is made nowhere."""
        try:
            found = [numbers for numbers in vectors(value) if tuple(numbers) not in self.given]
        except Exception:  # of an object that is not what it looks like
            return
        if self.before.get(variable) == found:
            return
        self.before[variable] = found
        for numbers in found:
            for i, form, sized in self.by_length.get(len(numbers), ()):
                if _alike(numbers, form, sized):
                    self.whole.setdefault(i, {}).setdefault(variable, line)
            if len(numbers) == 1:
                x = numbers[0]
                near = bisect_left(self.singles, (x - abs(x) * SAME,))
                for y, i, k in islice(self.singles, near, None):
                    if not _same(y, x):
                        break
                    self.parts.setdefault((i, k), line)

    @cached_property
    def by_length(self) -> dict[int, list[tuple[int, Vector, bool]]]:
        """The forms of each length."""
        found: dict[int, list[tuple[int, Vector, bool]]] = {}
        for i, (form, sized) in enumerate(self.forms):
            found.setdefault(len(form), []).append((i, form, sized))
        return found

    @cached_property
    def singles(self) -> list[tuple[float, int, int]]:
        """The numbers of longer forms, as they may be met one by one, in their order."""
        several = ((i, form) for i, (form, _) in enumerate(self.forms) if len(form) > 1)
        return sorted(
            (c * x, i, k) for i, form in several for k, x in enumerate(form) if _is_telling(x) for c in FACTORS
        )

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
    return f"It is probably made in {' and '.join(parts)}{text and f': `{text}`'}."


def vectors(value: Any, depth: int = 4) -> Iterator[Sequence[float]]:
    """The numbers in a value, row after row, and in its parts.

    >>> list(vectors([[1, 2], [3, 4]]))
    [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0], [1.0], [2.0], [3.0, 4.0], [3.0], [4.0]]
    """
    if isinstance(value, (bool, str, bytes)) or not depth:
        return
    if hasattr(type(value), "tolist"):  # of NumPy, or like it; the class is asked, since objects may answer to anything
        if getattr(value, "size", 0) > MOST_NUMBERS:
            return
        value = value.tolist()
    if isinstance(value, (int, float)):
        yield [float(value)]
    elif isinstance(value, (list, tuple)):
        if len(value) > MOST_NUMBERS:
            return
        if flat := _flat(value):
            yield flat
        for part in value:
            yield from vectors(part, depth - 1)
    elif isinstance(value, dict):
        for part in list(value.values())[:MOST_NUMBERS]:
            yield from vectors(part, depth - 1)
    else:
        for part in _attributes(value).values():
            yield from vectors(part, depth - 1)


def _attributes(value: Any) -> dict[str, Any]:
    """What an object holds, none of its own code being run."""
    if isinstance(value, type) or callable(value):
        return {}
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(held) if isinstance(held, dict) else {}


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
