"""The command line as a user meets it: in processes of its own, on terminals, in pipes, and interrupted."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from purebp import Batch, Network, evaluate, forward, from_json, to_json
from purebp.cli import main
from purebp.cli.files import write_whole
from purebp.cli.training.datasets import accuracy, confusion, load
from tests import ROOT
from tests.conftest import default_signals

PUREBP = [sys.executable, "-W", "error", "-m", "purebp"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
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


FILES = {
    "empty.csv": b"",
    "header.csv": b"a,b\n",
    "ragged.csv": b"a,b,c\n1,2,x\n1,2\n",
    "text.csv": b"a,b,c\n1,2,x\n1,foo,y\n1,2,x\n",
    "gap.csv": b"a,b,c\n1,2,x\n1,,y\n1,2,x\n",
    "nan.csv": b"a,b,c\n1,2,x\n1,nan,y\n3,4,x\n",
    "inf.csv": b"a,b,c\n1,2,3\n1,2,inf\n3,4,4\n",
    "mixed.csv": b"a,b\n" + b"".join(b"%d,%d.5\n" % (i, i) for i in range(30)) + b"31,n/a\n",
    "one.csv": b"a,c\n1,x\n2,x\n",
    "ids.csv": b"a,c\n1,u\n2,v\n3,w\n",
    "single.csv": b"a\n1\n2\n",
    "twice.csv": b"a,a,b\n1,2,3\n2,3,4\n",
    "huge.csv": b"a" * 200_000 + b",b\n1,2\n2,3\n",
    "latin.csv": b"a,b\n1,2\n3,\xe9\n",
    "quote.csv": b'a,b\n1,"2\n3,4\n',
    "good.csv": b"a,b\n1,2.5\n2,4.5\n3,6.25\n",
    "text.json": b"hello",
    "list.json": b"[1]",
    "layers.json": b'{"layers": 3}',
    "unknown.json": b'{"layers": [{"weights": [[1.0]], "biases": null, "activation": "frob"}]}',
    "net.json": to_json(Network.random([2, 2], "tanh")).encode(),
    "line.json": to_json(Network.random([1, 1], "identity").with_parameters([-1.0, 0.0])).encode(),
    "batch.json": b'{"inputs": [[1, 2]], "targets": [[0, 1]]}',
    "wide.json": b'{"inputs": [[1, 2, 3]], "targets": [[0, 1]]}',
    "nan.json": b'{"inputs": [[1, NaN]], "targets": [[0, 1]]}',
    "digits.json": b'{"inputs": [[1, ' + b"1" * 5000 + b']], "targets": [[0, 1]]}',
    "batch.csv": b"1,2,0,1\n3,4,1,0\n",
}

REFUSALS: dict[str, list[str]] = {
    "train": ["required", "DATA"],
    "frobnicate": ["frobnicate", "train", "explain"],
    "train missing.csv": ["missing.csv", "digits, iris, xor"],
    "train .": ["directory"],
    "train empty.csv": ["empty.csv is empty"],
    "train header.csv": ["header.csv", "no rows"],
    "train ragged.csv": ["line 3", "2 cells", "3"],
    "train text.csv": ["line 3", "'b'", "'foo'"],
    "train gap.csv": ["line 3", "'b'", "empty"],
    "train nan.csv": ["line 3", "'b'", "'nan'"],
    "train inf.csv": ["line 3", "'c'", "'inf'"],
    "train mixed.csv": ["line 32", "'b'", "'n/a'"],
    "train one.csv": ["'c'", "nothing but 'x'"],
    "train ids.csv": ["'c'", "another class in every row"],
    "train single.csv": ["one column"],
    "train twice.csv": ["'a' stands twice", "1 and 2"],
    "train huge.csv": ["line 1"],
    "train latin.csv": ["line 3", "UTF-8"],
    "train quote.csv": ["line 3"],
    "train iris --target frob": ["'frob'", "sepal_length_cm", "species"],
    "train iris --target petal_width_cm": ["line 2", "'species'", "'setosa'"],
    "train iris --hidden 0": ["--hidden", "'0'", "32,16"],
    "train iris --hidden 3,wide": ["--hidden", "'wide'"],
    "train iris --learning-rate fast": ["--learning-rate", "'fast'"],
    "train iris --learning-rate -1": ["--learning-rate", "'-1'"],
    "train iris --learning-rate nan": ["--learning-rate", "'nan'"],
    "train missing.csv --activation frob": ["--activation", "'frob'", "tanh", "leaky_relu"],
    "train missing.csv --loss frob": ["--loss", "'frob'", "cross_entropy", "huber"],
    "train missing.csv --optimizer frob": ["--optimizer", "'frob'", "adam"],
    "train missing.csv --init frob": ["--init", "'frob'", "xavier"],
    "train iris --test-fraction 1": ["--test-fraction", "'1'"],
    "train iris --epochs 0": ["--epochs", "'0'"],
    "train iris --batch-size -5": ["--batch-size", "'-5'"],
    "train iris --seed x": ["--seed", "'x'"],
    "train iris --frob": ["--frob"],
    "train good.csv --loss cross_entropy": ["'b' holds numbers", "mse"],
    "train iris --resume missing.json": ["missing.json", "--save"],
    "train iris --resume text.json": ["text.json"],
    "train iris --resume layers.json": ["layers.json", "layers is 3"],
    "train iris --resume unknown.json": ["unknown.json", "layers[0]", "'frob'"],
    "train iris --resume net.json": ["2 inputs", "4 features"],
    "train xor --resume net.json --loss cross_entropy": ["ends in tanh"],
    "train xor --resume net.json --hidden 3": ["--hidden", "--resume"],
    "train iris --save missing/net.json": ["missing/net.json", "directory"],
    "train iris --history .": ["'.'"],
    "train iris --save /dev/null": ["/dev/null"],
    "train good.csv --history good.csv": ["--history", "good.csv"],
    "train iris --save a --history ./a": ["--save", "overwrite"],
    "explain net.json": ["batch"],
    "explain missing.json batch.json": ["missing.json"],
    "explain text.json batch.json": ["text.json"],
    "explain net.json text.json": ["text.json"],
    "explain net.json list.json": ["list.json", "inputs"],
    "explain net.json layers.json": ["layers.json", "inputs"],
    "explain net.json wide.json": ["3 inputs", "takes 2"],
    "explain net.json nan.json": ["inputs[0]", "nan"],
    "explain net.json digits.json": ["digits.json"],
    "explain net.json good.csv": ["2 columns", "2 inputs and 2 targets"],
    "explain line.json good.csv --loss cross_entropy": ["cross_entropy"],
    "explain --output net.svg": ["--output", "--graph"],
    "explain --graph --json": ["--graph", "--json"],
    "explain --graph --output missing/net.svg": ["missing/net.svg", "directory"],
    "explain net.json batch.json --graph --output net.json": ["--output", "overwrite"],
    "explain line.json good.csv --graph --loss cross_entropy": ["cross_entropy"],
    "explain --loss frob": ["--loss", "'frob'"],
}


IN_A_PROCESS = [
    "train missing.csv",
    "train empty.csv",
    "train ragged.csv",
    "train text.csv",
    "train nan.csv",
    "train one.csv",
    "train latin.csv",
    "train iris --hidden 0",
    "train iris --learning-rate fast",
    "train missing.csv --activation frob",
    "train iris --resume text.json",
    "train iris --save missing/net.json",
    "explain net.json nan.json",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


class TestBadInput:
    @staticmethod
    def check(line: str, status: int, out: str, err: str) -> None:
        assert (2, "") == (status, out), err
        assert err.startswith("purebp: ") and 1 == err.count("\n"), err
        assert [] == [part for part in REFUSALS[line] if part not in err], err
        assert len(err) < 500

    @pytest.mark.parametrize("line", REFUSALS)
    def test_one_line_says_what_and_where(
        self, line: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(place)
        status = main(line.split())
        self.check(line, status, *capsys.readouterr())
        assert FILES == {path.name: path.read_bytes() for path in place.iterdir()}

    def test_so_it_does_in_a_process_of_its_own(self, place: Path) -> None:
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda line: purebp(*line.split(), cwd=place), IN_A_PROCESS)
            for line, result in zip(IN_A_PROCESS, results):
                self.check(line, result.returncode, result.stdout, result.stderr)
        assert FILES == {path.name: path.read_bytes() for path in place.iterdir()}


class TestTrain:
    def test_xor_is_learnt(self, tmp_path: Path) -> None:
        result = purebp("train", "xor", "--save", "net.json", cwd=tmp_path)
        assert (0, "") == (result.returncode, result.stderr)
        assert re.search(r"training +4 +\S+ +100.0%", result.stdout)
        assert "█" in result.stdout and "▁" in result.stdout
        network, xor = from_json((tmp_path / "net.json").read_text()), load("xor").batch
        assert 1.0 == accuracy(confusion(network, xor))

    def test_iris_is_learnt_and_the_same_seed_gives_the_same_bytes(self, tmp_path: Path) -> None:
        texts, saved = [], []
        for name in ("one.json", "two.json"):
            assert 0 == main(["train", "iris", "--save", str(tmp_path / name), "--seed", "7", "--epochs", "60"])
            saved.append((tmp_path / name).read_bytes())
            texts.append(accuracy(confusion(from_json(saved[-1].decode()), load("iris").batch)))
        assert saved[0] == saved[1] and texts[0] > 0.95

    def test_digits_are_learnt(self, tmp_path: Path) -> None:
        result = purebp("train", "digits", "--epochs", "2", cwd=tmp_path)
        found = re.search(r"test +359 +\S+ +(\S+)%", result.stdout)
        assert found and float(found[1]) > 90, result.stdout

    def test_the_history_is_that_of_the_training(self, tmp_path: Path) -> None:
        result = purebp("train", "iris", "--epochs", "7", "--history", "e.csv", "--save", "n.json", cwd=tmp_path)
        rows = history(tmp_path / "e.csv")
        assert 7 == len(rows) and "wrote n.json, wrote e.csv" in result.stdout
        for part, prefix in (("training", ""), ("test", "test_")):
            line = next(line for line in result.stdout.splitlines() if line.startswith(part + " ")).split()
            assert f"{float(rows[-1][prefix + 'loss']):.4g}" == line[2]
            assert f"{float(rows[-1][prefix + 'accuracy']):.1%}" == line[3]

    @pytest.mark.parametrize("data", ["iris", "numbers.csv"])
    def test_a_resumed_network_goes_on_where_it_was(self, data: str, tmp_path: Path) -> None:
        rows = [(x, 3 * x - 40 + x % 7 / 10) for x in range(60)]
        (tmp_path / "numbers.csv").write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows))
        first = purebp("train", data, "--epochs", "20", "--save", "n.json", cwd=tmp_path)
        still = ("--epochs", "1", "--learning-rate", "1e-300", "--history", "e.csv", "--save", "n.json")
        again = purebp("train", data, "--resume", "n.json", *still, cwd=tmp_path)
        wanted = next(line for line in first.stdout.splitlines() if line.startswith("training "))
        assert (0, True) == (again.returncode, wanted in again.stdout.splitlines()), again.stdout + again.stderr
        assert 1 == len(history(tmp_path / "e.csv"))

    def test_a_saved_regression_takes_and_gives_raw_columns(self, tmp_path: Path) -> None:
        points = [(1000.0 + x, 1e6 + 500.0 * x) for x in range(40)]
        (tmp_path / "line.csv").write_text("".join(f"{x},{y}\n" for x, y in points))
        options = ("--hidden", "none", "--test-fraction", "0", "--epochs", "1000", "--optimizer", "sgd")
        result = purebp("train", "line.csv", *options, "--save", "n.json", cwd=tmp_path)
        network = from_json((tmp_path / "n.json").read_text())
        batch: Batch = Batch([[x] for x, _ in points], [[y] for _, y in points])
        assert forward(network, [[1000.0]]).outputs[0][0] == pytest.approx(1e6, abs=1)
        assert (1, 1) == network.sizes and network.layers[0].weights[0][0] == pytest.approx(500, rel=1e-6)
        error = f"{evaluate(network, batch, 'mse') ** 0.5:.4g}"
        assert error in result.stdout and "standardised" in result.stdout

    @pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse", "mae", "huber(1.0)", "half_sse"])
    def test_every_loss_works_on_classes(self, loss: str, capsys: pytest.CaptureFixture[str]) -> None:
        last = "softmax" if loss == "cross_entropy" else "sigmoid"
        assert 0 == main(["train", "xor", "--loss", loss, "--epochs", "3", "--activation", "relu"])
        assert f"relu, {last}" in capsys.readouterr().out

    @pytest.mark.parametrize("option", [["--patience", "2", "--learning-rate", "1e-300"], ["--target-loss", "1e9"]])
    def test_training_can_stop_early(self, option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main(["train", "xor", *option])
        assert re.search(r"trained for [1-4] epoch", capsys.readouterr().out)

    def test_divergence_saves_no_network_and_keeps_the_old_one(self, tmp_path: Path) -> None:
        (tmp_path / "n.json").write_text("precious")
        ways = ("--learning-rate", "0.7", "--optimizer", "sgd", "--hidden", "none", "--epochs", "2000")
        rows = "".join(f"{x},{x % 5 + x / 8}\n" for x in range(60))
        (tmp_path / "d.csv").write_text(rows)
        files = ("--save", "n.json", "--history", "e.csv")
        result = purebp("train", "d.csv", "--loss", "sse", *ways, *files, cwd=tmp_path)
        assert (1, "") == (result.returncode, result.stdout)
        assert re.fullmatch(r"purebp: diverged: .*; did not write n.json; wrote e.csv\n", result.stderr)
        assert "precious" == (tmp_path / "n.json").read_text()
        assert history(tmp_path / "e.csv")

    def test_what_the_target_holds_is_said_and_can_be_changed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "t.csv").write_text("x,stars\n" + "".join(f"{x},{x % 3}\n" for x in range(12)))
        assert 0 == main(["train", str(tmp_path / "t.csv"), "--epochs", "1"])
        assert "3 classes in 'stars': 0, 1, 2 (--predict numbers" in capsys.readouterr().out
        assert 0 == main(["train", str(tmp_path / "t.csv"), "--epochs", "1", "--predict", "numbers"])
        assert "numbers in 'stars'" in capsys.readouterr().out


class TestExplain:
    def test_without_files_it_is_mazurs_example(self, tmp_path: Path) -> None:
        result = purebp("explain", cwd=tmp_path)
        assert (0, "") == (result.returncode, result.stderr)
        for number in ("0.298371109", "0.0821670406", "0.149780716", "0.561370121"):
            assert number in result.stdout

    @pytest.mark.parametrize("batch", [b"1,2,0,1\n", b"a,b,c,d\n1,2,0,1\n", FILES["batch.json"]])
    def test_a_batch_is_json_or_csv(self, batch: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "n.json").write_bytes(FILES["net.json"])
        (tmp_path / "b").write_bytes(batch)
        assert 0 == main(["explain", str(tmp_path / "n.json"), str(tmp_path / "b"), "--json"])
        document = json.loads(capsys.readouterr().out)
        network = from_json(FILES["net.json"].decode())
        assert document["value"] == evaluate(network, Batch([[1.0, 2.0]], [[0.0, 1.0]]), "half_sse")


class TestStreams:
    def test_nothing_at_all_is_a_guide(self, tmp_path: Path) -> None:
        result = purebp(cwd=tmp_path)
        assert (0, "") == (result.returncode, result.stderr)
        assert "purebp train digits" in result.stdout and len(result.stdout.splitlines()) < 12

    @pytest.mark.parametrize("args", [["--version"], ["--help"], ["train", "--help"], ["explain", "--help"]])
    def test_help_and_version(self, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main(args)
        shown = capsys.readouterr()
        assert ("" == shown.err) and ("0." in shown.out if args == ["--version"] else "examples:" in shown.out)

    def test_importing_purebp_imports_no_command_line(self, tmp_path: Path) -> None:
        code = "import sys, purebp; print([m for m in ('purebp.cli', 'purebp.cli.training.datasets', 'csv') if m in sys.modules])"
        assert (
            "[]\n"
            == subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
            ).stdout
        )

    @pytest.mark.parametrize("args", [["train", "xor", "--epochs", "5"], ["explain"]])
    def test_ascii_is_enough(self, args: list[str], tmp_path: Path) -> None:
        result = purebp(*args, cwd=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
        assert (0, "") == (result.returncode, result.stderr)
        assert result.stdout.isascii() and ("#" in result.stdout or "\\u03b4" in result.stdout)

    @pytest.mark.parametrize("args", [["explain"], ["train", "--help"], ["train", "xor", "--epochs", "2"]])
    def test_a_reader_may_leave(self, args: list[str], tmp_path: Path) -> None:
        process = subprocess.Popen(
            [*PUREBP, *args], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert b"" == process.stderr.read()
        process.stderr.close()
        assert process.wait(60) in (0, 141)  # as of a process that is ended by SIGPIPE

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
    def test_a_full_disk_is_no_verdict(self, tmp_path: Path) -> None:
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                [*PUREBP, "explain"], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert result.returncode == 2 and re.fullmatch(r"purebp: cannot write: .*No space left.*\n", result.stderr)

    def test_a_failing_replacement_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "n.json").write_text("old")

        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(KeyboardInterrupt):
            write_whole(str(tmp_path / "n.json"), "new")
        assert [("n.json", "old")] == [(path.name, path.read_text()) for path in tmp_path.iterdir()]


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
