"""A candidate's file in a process of its own: it may crash, hang or print, and nothing of it is left."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from purebp.oracle.asking.file import LOADING
from purebp.oracle.asking.task import Task
from purebp.oracle.examination import examine
from purebp.oracle.reports.report import Report
from tests.cli.running import ENVIRONMENT, PUREBP
from tests.conftest import default_signals
from tests.subjects.files import LAST, RIGHT, at_once

MSE = {"activations": ("sigmoid",), "loss": "mse", "returns": "gradients", "sizes": (2, 2)}
Checked = Callable[..., Report]


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """The report on a candidate of that text, whose file lies in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def checks(text: str, timeout: float = 10.0, **declared: Any) -> Report:
        outcome = examine(Task("mine.py", None, declared, timeout=timeout, source=text))
        assert outcome.report is not None, outcome.problem
        report: Report = outcome.report
        return report

    return checks


@pytest.mark.parametrize(
    "line, told",
    [
        ("raise SystemExit('no')", "it calls sys.exit('no')"),
        ("import ctypes; ctypes.string_at(0)", "ended by the signal SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by the signal SIGKILL"),
        ("raise KeyboardInterrupt", "it raises KeyboardInterrupt()"),
    ],
)
def test_whatever_ends_the_process_is_a_crash(line: str, told: str, checked: Checked) -> None:
    report = checked(at_once(line))
    assert (report.verdict, report.exit_status) == ("crash", 1)
    assert told in str(report) and "“one sample”" in str(report)


@pytest.mark.parametrize(
    "answer",
    ["None", "{'weights': None}", "{'deltas': 5}", "[Odd()], [Odd()]", "[gw[0] * 2], gb", "[[[INF] * 2] * 2], gb"],
)
def test_no_answer_is_a_defect_of_purebp(answer: str, checked: Checked) -> None:
    odd = "INF = float('inf')\nclass Odd:\n    def tolist(self):\n        raise ValueError\n"
    report = checked(odd + RIGHT.replace(LAST, f"    return {answer}\n"), **MSE)
    assert (report.verdict, report.exit_status) == ("wrong", 1)


def test_output_without_end_is_stopped(checked: Checked) -> None:
    report = checked(at_once("while True: print('x' * 10000)"), 0.3, **MSE)
    assert report.exit_status == 1 and "0.3 seconds" in str(report)


def test_the_watch_is_told_every_case(tmp_path: Path) -> None:
    told: list[str] = []
    outcome = examine(Task(str(tmp_path / "mine.py"), None, dict(MSE), source=RIGHT), told.append)
    assert outcome.report is not None and outcome.report.verdict == "correct"
    cases = [case.name for case in outcome.report.cases]
    first = len(told) - told[::-1].index(LOADING)  # it is loaded anew after the guessing
    assert told[0] == LOADING and told[first : first + len(cases)] == cases


def gone(pid: int) -> bool:
    """Whether that process has ended within some seconds; one that only waits to be fetched has."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def noted(path: Path) -> int:
    """The number in a file, as soon as it is there."""
    for _ in range(200):
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"{path} was not written")


CHILD = """import os, time
    if os.fork() == 0: open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(1000)
    while not (os.path.exists('pid') and os.path.getsize('pid')): time.sleep(0.01)"""


@pytest.mark.parametrize(
    "then, verdict", [("", "correct"), ("\n    time.sleep(1000)", "timeout"), ("\n    os._exit(1)", "crash")]
)
def test_no_process_is_left_behind(then: str, verdict: str, checked: Checked, tmp_path: Path) -> None:
    assert checked(at_once(CHILD + then), 1.0, **MSE).verdict == verdict
    assert gone(noted(tmp_path / "pid"))


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A check in a process of its own, whose candidate hangs, and the number of the candidate's process."""
    (tmp_path / "mine.py").write_text(
        at_once("import os, time; open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(1000)")
    )
    command = [*PUREBP, "check", "mine.py", "--timeout", "1"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=default_signals
    ) as process:
        yield process, noted(tmp_path / "pid")


@pytest.mark.parametrize(
    "number, status, said",
    [
        (signal.SIGTERM, 143, ""),
        (signal.SIGINT, 130, "purebp: interrupted\n"),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_check_that_is_ended_ends_its_candidate(
    number: int, status: int, said: str, hanging: tuple[subprocess.Popen[str], int]
) -> None:
    process, candidate = hanging
    process.send_signal(number)
    assert process.communicate(timeout=20)[1] == said
    assert process.returncode == status
    assert gone(candidate)
