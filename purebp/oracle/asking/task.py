"""What is to be asked: a file or a program, what is declared of it; and what comes of it.

>>> Task("mine.py", "backprop", {"biases": False}).name, Task("", None, {}, program=("./mine", "-q")).name
('mine.py:backprop', './mine -q')
>>> Task("-", "backprop", {}).name
'stdin:backprop'
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from purebp.oracle.answer import Finding, Key
from purebp.oracle.asking.candidate import Candidate
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.subject import TIMEOUT


@dataclass(frozen=True, slots=True)
class Task:
    """What to check: a file, perhaps the function in it, or a program; and what was declared on the command line."""

    file: str
    function: str | None
    declared: dict[str, Any]
    explore: Any = None  # a search for further cases
    seed: int = 0
    timeout: float = 10.0  # seconds, for one call of the candidate
    alone: bool = True
    program: tuple[str, ...] = ()  # a command, in place of a file
    once: bool = False
    source: str = ""  # the text of the file
    hints: dict[str, str] = field(default_factory=dict)  # what is declared of code as it is
    of: tuple[str, str, str] | None = (
        None  # file, its text and name of the forward function that a backward function is of
    )
    inputs: str = ""  # of that

    @property
    def told(self) -> str:
        """The file in what is said of it: its path, or that it is standard input."""
        return "stdin" if self.file == "-" else self.file

    @property
    def shown(self) -> str:
        """The file in reports: its name, or where there are several the path."""
        return os.path.basename(self.told) if self.alone else self.told

    @property
    def name(self) -> str:
        """What it is called in reports."""
        if self.program:
            return shlex.join(self.program)
        return ":".join(filter(None, (self.shown, self.function)))

    @property
    def usual_timeout(self) -> float:
        """The seconds that need not be said."""
        return TIMEOUT if self.program else 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found, or how the candidate broke off, or the exit status and the sentence that say why there is neither.

    task: with the function that was found in the file.
    """

    task: Task
    report: Any = None
    broken: Finding | None = None
    status: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a candidate can be asked.

    name: of the function or method. sentence: what was found of it, if that has to be said. options: what is declared by
    it. candidate: what to call, for a declaration, and for cases of which the names are told. fresh: begins anew, so that
    nothing is kept of what was asked before by candidates that come next. steps: it changes weights, of what `owner` is.
    anew: the same as candidate, but that nothing is kept from call to call. origins: of a tensor, the variable or the
    attribute that it is.
    """

    name: str | None
    candidate: Callable[[Declared, Iterator[str]], Candidate]
    fresh: Callable[[], None]
    sentence: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    steps: bool = False
    owner: str = ""
    anew: Callable[[Declared, Iterator[str]], Candidate] | None = None
    origins: dict[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A candidate that can be asked in some ways, the likeliest first.

    problem: what is raised where there is none. namespace: in which classes of nodes are looked for, to be asked one by one
    where no way gives gradients. call: runs code of theirs, with a label that says what it is doing.
    """

    task: Task
    declared: dict[str, Any]
    ways: Iterable[Way]
    problem: Exception | None = None
    namespace: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[[str, Callable[[], Any]], Any] = lambda label, work: work()


Work = Callable[[Asked], Any]  # what is done with a candidate: it makes the report
