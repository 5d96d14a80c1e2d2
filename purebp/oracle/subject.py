"""A program in any language, asked for gradients over a pipe (docs/wire-format.md).

A `Subject` starts the program, asks it, and starts it anew where it crashes, hangs or says what is no answer. For
`check` it is a candidate like any other: `subject.candidate(declared)` can be called.

>>> import sys
>>> from purebp import Network, Batch
>>> from purebp.oracle.candidate import Declared, ask
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

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from math import inf
from queue import Empty, Full, Queue
from subprocess import PIPE, Popen, TimeoutExpired
from threading import Event, Thread
from time import monotonic
from typing import Any, Self

from purebp.activations import activation
from purebp.arithmetic import PurebpError
from purebp.oracle.candidate import Candidate, Declared, NoAnswer
from purebp.oracle.cases import default_loss
from purebp.oracle.wire import HELLO, Hello, Request, as_candidate, asked, read_hello, read_json, read_words

LONGEST = 1 << 24  # bytes of a line
PATIENCE = 3  # time-outs in a row, then nothing more is asked
TIMEOUT = 5.0  # seconds, for an answer
START = 6  # times that, for the hello
NOT_ASKED = "not asked"


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
            self.stop()
            raise PurebpError(f"{self.command[0]!r} says no hello: {none}") from None
        if once:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process; the next request starts a fresh one."""
        if self.process is not None:
            self.process.end()
        self.process = None

    def close(self) -> str:
        """Close the input of its process; how that ends."""
        return self.process.close() if self.process is not None else exit_of(0)

    def renew(self) -> None:
        """The next request starts a fresh process, however often the last ones were late."""
        self.stop()
        self.late = 0

    def candidate(self, declared: Declared, any_depth: bool = False) -> Candidate:
        """The program as a function of (weights, biases, inputs, targets), asked for what is declared.

        any_depth: the one activation declared is that of every layer.
        """

        def called(*arguments: Any) -> Any:
            names = declared.activations * (len(arguments[0]) if any_depth else 1)
            loss = default_loss([activation(name) for name in names], declared.loss).name
            return self.ask(asked(arguments, names, loss, declared))

        return called

    def ask(self, request: Request) -> Any:
        """What a candidate returns; `NoAnswer` if there is none."""
        if self.late >= PATIENCE:
            raise NoAnswer(NOT_ASKED, f"it is not asked any more, after {PATIENCE} time-outs in a row")
        try:
            answer = self._exchange(request, str(next(self.numbers)))
        except NoAnswer as none:
            self.late = self.late + 1 if none.kind == "timeout" else 0
            if none.kind in ("timeout", "crash", "malformed"):
                self.stop()
            raise
        finally:
            if self.once:
                self.stop()
        self.late = 0
        return as_candidate(answer, "learning_rate" in request.given)

    def _exchange(self, request: Request, number: str) -> dict[str, Any]:
        line = (request.in_words if self.hello.words else request.in_json)(number, self.hello.bits)
        if self.once:
            process = self._started()
            process.write(HELLO, line, ends=True)
            process.line(self.start)
        else:
            if self.process is None:
                self._greeted()
            process = self.process or self._started()
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


class Process:
    """A started program, whose lines are read with a time limit."""

    def __init__(self, command: Sequence[str], hear: Callable[[str], None], transcript: deque[str]) -> None:
        try:
            self.popen = Popen(
                command, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=os.name == "posix"
            )
        except (OSError, ValueError) as error:
            raise NoAnswer("crash", f"it cannot be started: {getattr(error, 'strerror', None) or error}") from None
        self.lines: Queue[str | NoAnswer | None] = Queue(maxsize=4)  # None: no more will come
        self.said = ""  # the end of its standard error
        self.hear, self.transcript, self.ended = hear, transcript, Event()
        self.threads = [Thread(target=work, daemon=True) for work in (self._read, self._listen)]
        for thread in self.threads:
            thread.start()

    def write(self, *lines: str, ends: bool = False) -> None:
        """Send lines; in a thread of its own, for a program that does not read blocks who writes."""

        def work() -> None:
            assert self.popen.stdin is not None
            rest = memoryview("".join(line + "\n" for line in lines).encode())
            try:
                while rest:
                    rest = rest[self.popen.stdin.write(rest) or 0 :]
                if ends:
                    self.popen.stdin.close()
            except (OSError, ValueError):
                self._put(NoAnswer("crash", "it closes its standard input, so that nothing more can be asked"))

        self.transcript.extend(f"> {line}" for line in lines)
        Thread(target=work, daemon=True).start()

    def line(self, seconds: float) -> str:
        """The next line it writes; `NoAnswer` if none comes in that time, or none can."""
        deadline, gone = monotonic() + seconds, inf
        while True:
            now = monotonic()
            try:
                found = self.lines.get(timeout=max(0.0, min(deadline - now, 0.1)))
            except Empty:
                if self.popen.poll() is not None:
                    gone = min(gone, now + 0.3)  # what it wrote before it ended may be on its way still
                if now >= min(gone, deadline):
                    if gone < inf:
                        raise self._crash() from None
                    raise NoAnswer("timeout", f"it has not answered after {seconds:g} s and was stopped") from None
                continue
            if isinstance(found, str):
                self.transcript.append(f"< {found}")
                return found
            raise self._crash(found)

    def close(self) -> str:
        """Close its input, which asks it to end; how it does."""
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.close()
        try:
            return exit_of(self.popen.wait(2.0))
        except TimeoutExpired:
            return "its process does not end"

    def end(self) -> None:
        """Let it end, or end it; and whatever it started."""
        self.ended.set()
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.close()
        with suppress(TimeoutExpired):
            self.popen.wait(0.1)
        with suppress(OSError, AttributeError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()
        for thread, stream in zip(self.threads, (self.popen.stdout, self.popen.stderr)):
            thread.join(1.0)
            if stream is not None and not thread.is_alive():
                stream.close()

    def _crash(self, found: NoAnswer | None = None) -> NoAnswer:
        """Why no line comes: its exit status tells most, if it has one."""
        with suppress(TimeoutExpired):
            self.popen.wait(0.2)
        if found is not None and (found.kind != "crash" or self.popen.returncode is None):
            return found
        self.threads[1].join(0.1)
        code = self.popen.returncode
        how = "it closes its standard output" if code is None else exit_of(code)
        last = self.said.strip().rpartition("\n")[2]
        return NoAnswer("crash", how + (f"; its last words: {last!r:.200}" if last else ""))

    def _put(self, item: str | NoAnswer | None) -> None:
        """For who reads the lines; in vain where nobody does any more."""
        while not self.ended.is_set():
            with suppress(Full):
                return self.lines.put(item, timeout=0.05)

    def _read(self) -> None:
        assert self.popen.stdout is not None
        parts: list[bytes] = []
        while not self.ended.is_set() and (chunk := _chunk(self.popen.stdout)):
            *whole, rest = chunk.split(b"\n")
            for end in whole:
                self._put(b"".join([*parts, end]).removesuffix(b"\r").decode(errors="replace"))
                parts = []
            parts.append(rest)
            if sum(map(len, parts)) > LONGEST:
                return self._put(NoAnswer("malformed", f"it writes a line of more than {LONGEST >> 20} MiB"))
        self._put(None)

    def _listen(self) -> None:
        assert self.popen.stderr is not None
        while chunk := _chunk(self.popen.stderr):
            text = chunk.decode(errors="replace")
            self.said = (self.said + text)[-2000:]
            self.hear(text)


def _chunk(stream: Any) -> bytes:
    try:
        found: bytes = stream.read(1 << 16)
        return found
    except (OSError, ValueError):  # closed
        return b""


def exit_of(code: int | None) -> str:
    """How a process ended.

    >>> exit_of(3), exit_of(-9)
    ('its process ends, with exit status 3', 'its process is ended by the signal SIGKILL')
    """
    if code is None:
        return "its process does not answer any more"
    if code >= 0:
        return f"its process ends, with exit status {code}"
    try:
        return f"its process is ended by the signal {signal.Signals(-code).name}"
    except ValueError:
        return f"its process is ended by the signal {-code}"
