"""Asking broken.py: what the command line says of it, and whether anything of it is left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from typing import Any

import pytest

from purebp.cli import main
from tests import ROOT

BROKEN = str(ROOT / "tests" / "subjects" / "broken.py")


def program(how: str) -> list[str]:
    return [sys.executable, "-S", BROKEN, how]


def told(capsys: pytest.CaptureFixture[str], verb: str, how: str, *options: str) -> tuple[int, str, str]:
    status = main([verb, *options, "--", *program(how)])
    out, err = capsys.readouterr()
    return status, out, err


def report(capsys: pytest.CaptureFixture[str], how: str, *options: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = told(capsys, "check", how, "--report", "json", "--timeout", "1", *options)
    found: dict[str, Any] = json.loads(out)
    return status, found


def gone(mark: str) -> bool:
    """Whether no process has the mark, some time after it was killed."""
    for _ in range(100):
        if mark not in processes():
            return True
        time.sleep(0.1)
    return False


def processes() -> str:
    if shutil.which("ps") is None:
        pytest.skip("no ps here")
    return subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
