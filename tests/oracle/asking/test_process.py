"""A process: lines in, lines out in time, and how it ends."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.process import Process, exit_of


@contextmanager
def started(code: str, heard: list[str] | None = None) -> Iterator[Process]:
    process = Process([sys.executable, "-S", "-c", code], (heard or []).append, deque(maxlen=4))
    try:
        yield process
    finally:
        process.end(0.0)


ECHO = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"


def test_lines_are_answered_and_kept_in_the_transcript() -> None:
    with started(ECHO) as process:
        for word in ("one", "two", "three"):
            process.write(word)
            assert process.line(10.0) == word.upper()
        assert list(process.transcript) == ["> two", "< TWO", "> three", "< THREE"]
        assert process.close() == exit_of(0)


@pytest.mark.parametrize("end", ["\\n", "\\r\\n"])
def test_an_end_of_line_and_a_mark_are_no_part_of_the_line(end: str) -> None:
    with started(f"import sys; sys.stdout.buffer.write('\\ufeffδ{end}'.encode())") as process:
        assert process.line(10.0) == "δ"


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("import time; time.sleep(1000)", "timeout", "it has not answered after 0.5 s and was stopped"),
        ("import sys; sys.exit('no licence')", "crash", "exit status 1; its last words: 'no licence'"),
        ("print('half', end='')", "crash", "exit status 0, after 'half' without an end of line"),
        ("import os, time; os.close(1); time.sleep(1000)", "crash", "it closes its standard output"),
    ],
)
def test_where_no_line_comes_it_says_why(code: str, kind: str, told: str) -> None:
    with started(code) as process, pytest.raises(NoAnswer) as none:
        process.line(0.5 if kind == "timeout" else 10.0)
    assert none.value.kind == kind and told in str(none.value)


def test_what_was_written_unasked_is_no_answer_to_what_is_asked_next() -> None:
    with started("print('ready', flush=True); input()") as process:
        while process.lines.empty():
            time.sleep(0.01)
        with pytest.raises(NoAnswer, match="it writes 'ready', which it was not asked for"):
            process.write("one")


def test_its_standard_error_is_heard() -> None:
    heard: list[str] = [""]
    with started("import sys; print('oh', file=sys.stderr, flush=True); print('done')", heard) as process:
        assert process.line(10.0) == "done"
        process.threads[1].join(10.0)
    assert "".join(heard) == "oh\n"


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(NoAnswer, match="it cannot be started: No such file or directory"):
        Process(["./no-such-program"], print, deque())


def test_a_process_that_does_not_end_is_ended() -> None:
    process = Process([sys.executable, "-S", "-c", "import time; time.sleep(1000)"], print, deque())
    assert process.close() == "its process does not end"
    process.end(0.0)
    assert process.popen.returncode == -9
