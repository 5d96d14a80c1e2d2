"""A program as a process: lines go in, lines come out within a time limit, and nothing of it is left in the end.

>>> import sys
>>> process = Process([sys.executable, "-c", "print(input()[::-1])"], print, deque())
>>> process.write("stressed")
>>> process.line(10.0)
'desserts'
>>> process.end(10.0)
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from queue import Empty, Full, Queue
from subprocess import PIPE, Popen, TimeoutExpired
from threading import Event, Thread
from time import monotonic
from typing import Any

from purebp.oracle.asking.candidate import NoAnswer, quoted

LONGEST = 1 << 24  # bytes of a line


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
        self.said, self.rest = "", ""  # the end of its standard error; what its output ends with, if not with a line
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

        if not self.lines.empty() and isinstance(line := self.lines.get(), str):
            raise NoAnswer("malformed", f"it writes {quoted(line)}, which it was not asked for: one line is an answer")
        self.transcript.extend(f"> {line}" for line in lines)
        Thread(target=work, daemon=True).start()

    def line(self, seconds: float) -> str:
        """The next line it writes; `NoAnswer` if none comes in that time, or none can."""
        deadline, gone = monotonic() + seconds, inf
        while True:
            now = monotonic()
            try:
                line = self.lines.get(timeout=max(0.0, min(deadline - now, 0.1)))
            except Empty:
                if self.popen.poll() is not None:
                    gone = min(gone, now + 0.3)  # what it wrote before it ended may be on its way still
                if now >= min(gone, deadline):
                    if gone < inf:
                        raise self._crash() from None
                    how = f"it has not answered after {seconds:g} s and was stopped"
                    raise NoAnswer("timeout", f"{how} (if it has, it did not flush its output)") from None
                continue
            if isinstance(line, str):
                self.transcript.append(f"< {line}")
                return line
            raise self._crash(line)

    def close(self) -> str:
        """Close its input, which asks it to end; how it does."""
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.close()
        try:
            return exit_of(self.popen.wait(2.0))
        except TimeoutExpired:
            return "its process does not end"

    def end(self, patience: float) -> None:
        """Let it end for so many seconds, or end it; and whatever it started."""
        self.ended.set()
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.close()
        try:
            with suppress(TimeoutExpired):
                self.popen.wait(patience)
        finally:  # also where one does not want to wait any longer
            with suppress(OSError, AttributeError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.kill()
            self.popen.wait()
        for thread, stream in zip(self.threads, (self.popen.stdout, self.popen.stderr)):
            thread.join(1.0)
            if stream is not None and not thread.is_alive():
                stream.close()

    def _crash(self, told: NoAnswer | None = None) -> NoAnswer:
        """Why no line comes: its exit status tells most, if it has one."""
        with suppress(TimeoutExpired):
            self.popen.wait(0.2)
        if told is not None and (told.kind != "crash" or self.popen.returncode is None):
            return told
        self.threads[1].join(0.1)
        code = self.popen.returncode
        how = "it closes its standard output" if code is None else exit_of(code)
        how += f", after {quoted(self.rest)} without an end of line" if self.rest else ""
        last = self.said.strip().rpartition("\n")[2]
        return NoAnswer("crash", how + (f"; its last words: {quoted(last, 200)}" if last else ""))

    def _put(self, item: str | NoAnswer | None) -> None:
        """For who reads the lines; in vain where nobody does any more."""
        while not self.ended.is_set():
            with suppress(Full):
                return self.lines.put(item, timeout=0.05)

    def _read(self) -> None:
        assert self.popen.stdout is not None
        parts, size = list[bytes](), 0
        while not self.ended.is_set() and (chunk := _chunk(self.popen.stdout)):
            *whole, rest = chunk.split(b"\n")
            for end in whole:
                line = b"".join([*parts, end]).removesuffix(b"\r").decode(errors="replace")
                self._put(line.removeprefix("\ufeff"))  # the byte order mark, as some runtimes begin with
                parts, size = [], 0
            parts.append(rest)
            size += len(rest)
            if size > LONGEST:
                return self._put(NoAnswer("malformed", f"it writes a line of more than {LONGEST >> 20} MiB"))
        self.rest = b"".join(parts).decode(errors="replace")
        self._put(None)

    def _listen(self) -> None:
        assert self.popen.stderr is not None
        while chunk := _chunk(self.popen.stderr):
            text = chunk.decode(errors="replace")
            self.said = (self.said + text)[-2000:]
            self.hear(text)


def _chunk(stream: Any) -> bytes:
    try:
        chunk: bytes = stream.read(1 << 16)
        return chunk
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
