"""Reports: frozen data, and formats of it, each one object: a name, and a function that makes a text of reports.

Those built in are the modules `as_NAME.py` of this package, each with a function `render`; a module is loaded when its
format is asked for. A format from outside is passed as it is.

>>> sorted(report_formats())
['html', 'json', 'junit', 'text']
>>> render([], ReportFormat("count", lambda reports: f"{len(reports)} reports"))
'0 reports'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from os.path import dirname
from pkgutil import iter_modules
from typing import Any

from purebp.textbook.arithmetic import PurebpError

PREFIX = "as_"


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A way to show reports (of the class `Report`: its `str()` is one of these formats)."""

    name: str
    render: Callable[[Sequence[Any]], str]


def report_formats() -> tuple[str, ...]:
    """The names of the formats that are built in.

    >>> "junit" in report_formats()
    True
    """
    modules = (module.name for module in iter_modules([dirname(__file__)]))
    return tuple(name.removeprefix(PREFIX) for name in modules if name.startswith(PREFIX))


def render(reports: Sequence[Any], format: str | ReportFormat = "text") -> str:
    """The reports in that format, or in the one of that name.

    >>> render([], "text")
    'candidate  score  verdict\\n\\n0 of 0 candidates conform'
    """
    if isinstance(format, ReportFormat):
        return format.render(reports)
    if format not in report_formats():
        raise PurebpError(f"unknown report format {format!r}; known are {', '.join(report_formats())}")
    text: str = import_module(f"{__package__}.{PREFIX}{format}").render(reports)
    return text
