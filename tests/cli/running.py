"""The command line in a process of its own."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

from tests import ROOT

PUREBP = [sys.executable, "-W", "error", "-m", "purebp"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "CI": "1"}
HISTORY = ["epoch", "loss", "accuracy", "test_loss", "test_accuracy"]


def purebp(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PUREBP, *args], cwd=cwd, env={**ENVIRONMENT, **environment}, capture_output=True, encoding="utf-8", timeout=60
    )


def history(path: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert all(list(row) == HISTORY for row in rows)
    assert [str(n) for n in range(1, len(rows) + 1)] == [row["epoch"] for row in rows]
    return rows
