"""Looking up an activation or a loss by its name, such as "tanh" or "huber(1.5)"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from purebp.textbook.arithmetic import PurebpError

T = TypeVar("T")


def superscript(number: int) -> str:
    """The number, raised.

    >>> "W" + superscript(12)
    'W¹²'
    """
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def printable(text: str, also: str = "") -> str:
    """The text with a question mark for what steers a terminal, or breaks a line.

    >>> printable("no\\nsoftmax"), printable("no\\nsoftmax", also="\\n")
    ('no?softmax', 'no\\nsoftmax')
    """
    return "".join(c if c.isprintable() or c in also else "?" for c in text)


def look_up(what: str, name: str, plain: Mapping[str, T], factories: Mapping[str, Callable[..., T]]) -> T:
    """The entry called "name" in plain, or what factories["name"] makes of the number in "name(number)".

    A factory without a number makes its default.

    >>> look_up("power", "power(3)", {"one": 1.0}, {"power": lambda exponent=2.0: 2.0**exponent})
    8.0
    """
    match = re.fullmatch(r"(\w+)(?:\(([^()]*)\))?", str(name).strip())
    head, parameter = (match[1], match[2]) if match else ("", None)
    if head in plain and parameter is None:
        return plain[head]
    if head in factories:
        if parameter is None:
            return factories[head]()
        try:
            number = float(parameter)
        except ValueError:
            raise PurebpError(f"{what} {name!r}: {parameter!r} is not a number; write {head}(0.5)") from None
        return factories[head](number)
    known = ", ".join([*plain, *(f"{factory}(number)" for factory in factories)])
    raise PurebpError(f"unknown {what} {name!r}; known are {known}")
