"""Signals that end a check, and those that it is told to ignore."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import default_signals
from tests.subjects.asked import gone, processes, program


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup, which has a program survive the end of its terminal."""
    command = [sys.executable, "-m", "purebp", "check", "--timeout", "60", "--", *program("answers late")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=ignoring) as check:
        time.sleep(1)
        check.send_signal(signal.SIGHUP)
        out, _ = check.communicate(timeout=60)
        assert (check.returncode, "correct" in out) == (0, True)


def ignoring() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    ("verb", "how"),
    [("check", "hangs"), ("check", "hangs at start"), ("smoke", "hangs at start"), ("smoke", "does not end")],
)
def test_a_signal_ends_the_check_and_its_program(number: signal.Signals, verb: str, how: str) -> None:
    mark = f"{verb}, {how}, ended by {number.name}, at {time.time_ns()}"
    processes()  # or skip
    command = [sys.executable, "-m", "purebp", verb, "--timeout", "60", "--", *program(how), mark]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, restore_signals=True, preexec_fn=default_signals
    ) as check:
        while not any(line.endswith(mark) and "purebp" not in line for line in processes().splitlines()):
            time.sleep(0.05)
        time.sleep(0.3)
        check.send_signal(number)
        assert check.wait(20) == {signal.SIGINT: 130}.get(number, 128 + number)
    assert gone(mark)
