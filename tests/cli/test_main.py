"""The command line as a user meets it: what it refuses, what it shows, in pipes and on full disks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from purebp import Network, to_json
from purebp.cli import main
from tests.cli.running import ENVIRONMENT, PUREBP, purebp

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


@pytest.mark.parametrize(
    "words", [["check"], ["check", "mine.py", "--", "mine"], ["smoke"], ["replay", "wide"], ["check", "--"]]
)
def test_a_program_or_files_are_wanted(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "-- " in capsys.readouterr().err
