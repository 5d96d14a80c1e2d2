"""A program in any language, asked for gradients over a pipe (docs/wire-format.md).

A `Subject` starts the program, asks it, and starts it anew where it crashes, hangs or says what is no answer. For
`check` it is a candidate like any other: `subject.candidate(declared)` can be called.

>>> import sys
>>> from purebp import Network, Batch
>>> from purebp.oracle.asking.candidate import ask
>>> from purebp.oracle.asking.declared import Declared
>>> from purebp.oracle.cases import Case
>>> program = '''
... input(); print("hello 1 constant activations=identity", flush=True)
... words = input().split(); print(words[1], "gradients 0.5 0.25", flush=True)'''
>>> case = Case("a case", Network.random([1, 1], "identity"), Batch([[1.0]], [[0.0]]))
>>> declared = Declared(("identity",))
>>> with Subject([sys.executable, "-c", program]) as subject:
...     subject.hello.name, ask(subject.candidate(declared), case, declared).claim
('constant', {('weights', 0): [[0.5]], ('biases', 0): [[0.25]]})
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Self

from purebp.oracle.asking.candidate import NOT_ASKED, Candidate, NoAnswer
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.process import Process, exit_of
from purebp.oracle.asking.wire import HELLO, Hello, Request, as_candidate, asked, read_hello, read_json, read_words
from purebp.textbook.arithmetic import PurebpError

PATIENCE = 3  # time-outs in a row, then nothing more is asked
TIMEOUT = 5.0  # seconds, for an answer
START = 6  # times that, for the hello


class Subject:
    """A program that is asked; a context, which ends the program, with all that it started."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        once: bool = False,
        timeout: float = TIMEOUT,
        hear: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Start it and say hello; an error if it does not answer that.

        once: it is started anew for every case. timeout: seconds for an answer; for the hello, six times as long. hear:
        what it writes to its standard error goes there.
        """
        self.command, self.once, self.timeout, self.hear = list(command), once, timeout, hear
        self.start = START * timeout
        self.process: Process | None = None
        self.numbers, self.late = count(1), 0
        self.transcript = deque[str](maxlen=4)  # the last lines, > to it and < from it
        try:
            self.hello = self._greeted(ends=once)
        except NoAnswer as none:
            self.stop(patience=0.0)
            raise PurebpError(f"{shlex.join(self.command)}: {none}; the protocol is in docs/wire-format.md") from None
        except BaseException:  # interrupted: there is no context yet that would end the program
            self.stop(patience=0.0)
            raise
        if once:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.stop(1.0 if kind is None else 0.0)

    def stop(self, patience: float = 1.0) -> None:
        """End the process, which has so many seconds to do so itself; the next request starts a fresh one."""
        if self.process is not None:
            self.process.end(patience)
        self.process = None

    def close(self) -> str:
        """Close the input of its process; how that ends."""
        return self.process.close() if self.process is not None else exit_of(0)

    def renew(self) -> None:
        """The next request starts a fresh process, however often the last ones were late."""
        self.stop()
        self.late = 0

    def candidate(self, declared: Declared) -> Candidate:
        """The program as a function of (weights, biases, inputs, targets), asked for what is declared."""
        return lambda *arguments: self.ask(asked(arguments, declared))

    def ask(self, request: Request) -> Any:
        """What a candidate returns; `NoAnswer` if there is none."""
        if self.late >= PATIENCE:
            raise NoAnswer(NOT_ASKED, f"it is not asked any more, after {PATIENCE} time-outs in a row")
        try:
            answer = self._exchange(request, str(next(self.numbers)))
        except NoAnswer as none:
            self.late = self.late + 1 if none.kind == "timeout" else 0
            if none.kind in ("timeout", "crash", "malformed"):
                self.stop(patience=0.0)
            if none.kind == "crash" and exit_of(0) in str(none) and not self.once:
                raise NoAnswer("crash", f"{none} (if it answers once and ends, check it with --once)") from None
            raise
        finally:
            if self.once:
                self.stop()
        self.late = 0
        return as_candidate(answer, request.returns)

    def _exchange(self, request: Request, number: str) -> dict[str, Any]:
        line = (request.in_words if self.hello.words else request.in_json)(number, self.hello.bits)
        if self.once:
            process = self._started()
            process.write(HELLO, line, ends=True)
            process.line(self.start)
        else:
            if self.process is None:
                self._greeted()
            assert self.process is not None
            process = self.process
            process.write(line)
        answer = process.line(self.timeout)
        if self.hello.words:
            return read_words(answer, number, request, self.hello.bits)
        return read_json(answer, number, self.hello.bits)

    def _started(self) -> Process:
        self.process = Process(self.command, self.hear, self.transcript)
        return self.process

    def _greeted(self, ends: bool = False) -> Hello:
        process = self._started()
        process.write(HELLO, ends=ends)
        return read_hello(process.line(self.start))
