"""The progress line on a terminal, and an interrupt there."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from purebp import from_json
from purebp.cli.training.datasets import accuracy, confusion, load
from tests.cli.running import ENVIRONMENT, PUREBP, history, purebp
from tests.conftest import default_signals


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
class TestTerminal:
    @pytest.fixture
    def terminal(self) -> Iterator[tuple[int, int]]:
        import pty

        outer, inner = pty.openpty()
        yield outer, inner
        os.close(outer)

    @staticmethod
    def shown(outer: int, until: str = "", seconds: float = 60) -> str:
        """What the terminal shows until the text appears, or until nobody writes to it any more."""
        text, end = b"", time.monotonic() + seconds
        while time.monotonic() < end and not (until and until.encode() in text):
            if select.select([outer], [], [], 0.1)[0]:
                try:
                    text += os.read(outer, 4096)
                except OSError:  # Linux says so when the other side is closed
                    break
        return text.decode()

    def start(self, inner: int, cwd: Path, *args: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*PUREBP, *args],
            cwd=cwd,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=inner,
            process_group=0,
            preexec_fn=default_signals,
        )
        os.close(inner)
        return process

    def test_the_progress_line_is_rewritten_and_gone_at_the_end(
        self, terminal: tuple[int, int], tmp_path: Path
    ) -> None:
        process = self.start(terminal[1], tmp_path, "train", "iris", "--epochs", "30")
        text = self.shown(terminal[0])
        out, _ = process.communicate(timeout=60)
        assert 0 == process.returncode and b"confusion matrix" in out
        lines = text.split("\r")
        assert re.fullmatch(r"epoch 1/30  loss \S+  accuracy \d+\.\d%  \d+ s left *", lines[1])
        assert any(line.startswith("epoch 30/30 ") and " 0 s left" in line for line in lines)
        assert "\n" not in text and "" == lines[-1] == lines[-2].strip()

    def test_ctrl_c_writes_the_last_complete_epoch(self, terminal: tuple[int, int], tmp_path: Path) -> None:
        files = ("--save", "n.json", "--history", "e.csv")
        process = self.start(terminal[1], tmp_path, "train", "iris", "--epochs", "1000000", *files)
        self.shown(terminal[0], until="accuracy")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        said = re.search(r"interrupted after epoch (\d+); wrote n.json; wrote e.csv", self.shown(terminal[0]))
        rows = history(tmp_path / "e.csv")
        network = from_json((tmp_path / "n.json").read_text())
        assert 130 == process.returncode
        assert said and int(said[1]) == len(rows) > 1
        assert f"trained for {len(rows)} epochs".encode() in out
        assert {"n.json", "e.csv"} == {path.name for path in tmp_path.iterdir()}
        counts = confusion(network, load("iris").batch)
        both = 0.8 * float(rows[-1]["accuracy"]) + 0.2 * float(rows[-1]["test_accuracy"])
        assert accuracy(counts) == pytest.approx(both)

    def test_no_progress_line_without_a_terminal(self, tmp_path: Path) -> None:
        assert "" == purebp("train", "xor", "--epochs", "50", cwd=tmp_path).stderr
