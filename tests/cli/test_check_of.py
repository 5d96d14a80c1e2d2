"""check --of: a backward function and its forward function, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from purebp.cli import main

pytest.importorskip("numpy")  # the example is written with it
EXAMPLE = "docs/examples/operators/layernorm.py"
INPUTS = "x: n 5, gamma: 5, beta: 5"
MINE = """
from purebp.programs import exp

def scaled(x, w):
    return [exp(w) * v for v in x]

def scaled_backward(upstream, x, w):
    return [exp(w) * u for u in upstream], sum(u * exp(w) * v for u, v in zip(upstream, x))

def forgets(upstream, x, w):
    return [u for u in upstream], sum(u * exp(w) * v for u, v in zip(upstream, x))

def hangs(upstream, x, w):
    while True:
        pass

def ends(upstream, x, w):
    raise SystemExit(3)
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["check", "--seed", "0", *arguments])
    return status, *capsys.readouterr()


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    return str(path)


def test_a_right_one_and_a_wrong_one(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(capsys, f"{mine}:scaled_backward", "--of", "scaled", "--inputs", "x: n, w:")
    assert (status, err) == (0, "") and "correct: every number lies inside its error budget" in out
    status, out, err = told(
        capsys, f"{mine}:forgets", "--of", f"{mine}:scaled", "--inputs", "x: n, w:", "--report", "json"
    )
    report = json.loads(out)
    assert (status, err, report["verdict"]) == (1, "", "wrong")
    assert "return [exp(w) * v for v in x]" in report["explanations"][0]["sentence"]
    assert "--of" in report["replay"]


def test_one_that_hangs_or_ends_the_process_is_told(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = told(capsys, f"{mine}:hangs", "--of", "scaled", "--inputs", "x: n, w:", "--timeout", "1")
    assert status and "it has not answered after 1 second" in out
    status, out, _ = told(capsys, f"{mine}:ends", "--of", "scaled", "--inputs", "x: n, w:")
    assert status and "sys.exit(3)" in out


@pytest.mark.parametrize(
    "name, options, status, said",
    [
        (":forgets", ["--of", "scaled"], 2, "--inputs of that are wanted"),
        ("", ["--of", "scaled", "--inputs", "x: n, w:"], 2, "are wanted"),
        (":forgets", ["--of", "scaled", "--inputs", "x n"], 2, "is no input"),
        (":forgets", ["--of", "nothing", "--inputs", "x: n, w:"], 4, "has no function 'nothing': it has scaled"),
        (":nothing", ["--of", "scaled", "--inputs", "x: n, w:"], 4, "has no function 'nothing'"),
        (":forgets", ["--of", "scaled", "--inputs", "x: n"], 2, "missing 1 required positional argument"),
        (":forgets", ["--of", "gone.py:scaled", "--inputs", "x: n, w:"], 4, "gone.py"),
    ],
)
def test_what_cannot_be_asked_is_told(
    mine: str, capsys: pytest.CaptureFixture[str], name: str, options: list[str], status: int, said: str
) -> None:
    found, out, err = told(capsys, mine + name, *options)
    assert (found, out) == (status, "") and said in err and "Traceback" not in err


def test_a_file_may_say_it_itself(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(capsys, EXAMPLE)
    assert (status, err) == (1, "") and "1 of 2 candidates conforms" in out
    status, out, err = told(capsys, f"{EXAMPLE}:layernorm_backward")
    assert (status, err) == (0, "") and "correct" in out


def test_inputs_are_still_those_of_networks_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = told(capsys, "docs/examples/two_layers.py", "--inputs", "x: n")
    assert status == 2 and "'real', 'whole', 'binary'" in err
