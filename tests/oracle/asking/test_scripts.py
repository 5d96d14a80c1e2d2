"""Scripts that train when they are loaded: their lines, and their loop as a function."""

from __future__ import annotations

from pathlib import Path

import pytest

from purebp.cli import main
from purebp.oracle.asking.scripts import runs_by_itself, script_in

PERCEPTRON = """\
from math import exp

x = [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
y = [[0.0], [1.0], [1.0]]
w = [[0.5, -0.5]]
b = [0.25]
rate = 0.5

for epoch in range(20):
    outputs = [[1 / (1 + exp(-(sum(p * q for p, q in zip(w[0], row)) + b[0])))] for row in x]
    deltas = [(a - t) * a * (1 - a) for (a,), (t,) in zip(outputs, y)]
    w = [[p - rate * sum(d * row[i] for d, row in zip(deltas, x)) for i, p in enumerate(w[0])]]
    b = [b[0] - rate * sum(deltas)]
    if epoch % 10 == 0:
        print(epoch, deltas)
"""


def test_the_lines_are_those_of_the_loop() -> None:
    script = script_in(PERCEPTRON)
    assert script is not None and (script.forward, script.backward) == ((10, 10), (11, 13))
    assert (script.inputs, script.targets, script.weights, script.biases) == ("x", "y", ("w",), ("b",))
    assert "line 10, its backward pass lines 11 to 13" in runs_by_itself(PERCEPTRON)


@pytest.mark.parametrize(
    "text", ["", "def f(x):\n    for i in x: print(i)\n", "for i in range(3):\n    print(i)\n", "x = ("]
)
def test_what_does_not_train_is_no_script(text: str) -> None:
    assert script_in(text) is None and runs_by_itself(text) == ""


def test_a_script_is_told_and_its_function_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "perceptron.py"
    file.write_text(PERCEPTRON)
    assert main(["check", str(file)]) == 4
    told = capsys.readouterr().err
    assert "it trains when it is loaded" in told and "purebp init" in told and "Traceback" not in told
    assert main(["init", str(file)]) == 0
    assert main(["check", str(tmp_path / "perceptron_purebp.py")]) == 0
    assert "learning rate 0.5" in capsys.readouterr().out


def test_a_mistake_of_a_script_is_one_of_its_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "perceptron.py"
    file.write_text(
        PERCEPTRON.replace("(a - t) * a * (1 - a)", "(a - t)").replace("rate * sum(deltas)", "rate * deltas[-1]")
    )
    assert main(["init", str(file)]) == 0
    assert main(["check", str(tmp_path / "perceptron_purebp.py")]) == 1
    assert "bias gradient of one sample" in capsys.readouterr().out
