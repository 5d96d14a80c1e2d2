"""`purebp judge`: whatever a file of answers holds, it is judged, or one line says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from purebp import Batch, Gradients, Layer, Network, backpropagation, evaluate, forward, sgd_step, to_json
from purebp.cli import main
from purebp.oracle import judge
from tests.oracle.asking.test_wire import SEEDS, mutated


@pytest.mark.parametrize("report", ["text", "json", "junit"])
def test_judge_on_the_command_line_says_what_is_wrong(
    report: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random, file = Random(report), tmp_path / "answers.json"
    for _ in range(25):
        content = mutated(random, random.choice(SEEDS[:4])).encode("utf-8", "surrogateescape")
        if random.random() < 0.2:
            content = content[: len(content) // 2] + b"\xff\xfe" + content[len(content) // 2 :]
        file.write_bytes(content)
        status = main(["judge", str(file), "--report", report])
        out, err = capsys.readouterr()
        assert (status in (0, 1, 5) and out and not err) or (status == 2 and not out and err.count("\n") == 1), content


def test_what_is_too_large_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answers.json"
    with file.open("wb") as stream:
        stream.truncate(70 << 20)
    assert main(["judge", str(file)]) == 2
    assert "is larger than 64 MiB" in capsys.readouterr().err


# Numbers of one's own, for a network and a batch.

NETWORK = Network([Layer([[1.0, -1.0], [-0.5, 1.0]], [0.5, 0.0], "tanh"), Layer([[2.0, -1.0]], [0.25], "identity")])
BATCH = Batch([[2.0, 1.0], [0.5, -1.0], [-1.5, 0.25]], [[0.0], [1.0], [0.5]])
RIGHT: Gradients = backpropagation(NETWORK, BATCH, "mse")
WEIGHTS = [[list(row) for row in layer.weights] for layer in RIGHT.layers]
BIASES = [list(layer.biases or ()) for layer in RIGHT.layers]
LAYERS: list[dict[str, Any]] = [{"weights": w, "biases": b} for w, b in zip(WEIGHTS, BIASES)]
STEP = [
    {"weights": layer.weights, "biases": layer.biases} for layer in sgd_step(NETWORK, RIGHT, learning_rate=0.125).layers
]
OUTPUTS = forward(NETWORK, BATCH.inputs).outputs
Own = Callable[..., tuple[int, str, str]]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Own:
    """Judges a document for the network and the batch: exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("net.json").write_text(to_json(NETWORK), encoding="utf-8")
    rows = [",".join(map(repr, (*x, *y))) for x, y in zip(BATCH.inputs, BATCH.targets)]
    Path("data.csv").write_text("\n".join(["x1,x2,y", *rows, ""]), encoding="utf-8")

    def judges(document: Any, *options: str) -> tuple[int, str, str]:
        text = document if isinstance(document, str) else json.dumps(document)
        Path("gradients.json").write_text(text, encoding="utf-8")
        status = main(["judge", "--network", "net.json", "--batch", "data.csv", *options, "gradients.json"])
        return (status, *capsys.readouterr())

    return judges


@pytest.mark.parametrize(
    ("document", "options"),
    [
        (LAYERS, ""),
        ({"gradients": LAYERS}, "--loss mse --returns gradients"),
        ({"id": "7", "gradients": LAYERS, "outputs": OUTPUTS, "loss": evaluate(NETWORK, BATCH, "mse")}, "--loss mse"),
        ({"weights": WEIGHTS, "biases": BIASES}, ""),
        ({"weights": WEIGHTS}, "--loss mse"),
        ([WEIGHTS, BIASES], "--loss mse"),
        ({"outputs": OUTPUTS}, ""),
        ({"loss": evaluate(NETWORK, BATCH, "mse")}, "--loss mse"),
        ({"deltas": [layer.deltas for layer in RIGHT.layers]}, "--loss mse"),
        ({"step": STEP}, "--loss mse --learning-rate 0.125"),
        ({"step": STEP, "learning_rate": 0.125}, "--loss mse"),
        (STEP, "--loss mse --returns step --learning-rate 0.125"),
        ({"step": STEP, "learning_rate": 4}, "--loss mse --learning-rate 0.125"),  # the command line wins
    ],
)
def test_right_numbers_are_right_in_every_form(document: Any, options: str, own: Own) -> None:
    status, out, err = own(document, *options.split())
    assert (status, err) == (0, "") and out.startswith("gradients.json: correct")


def test_the_report_is_that_of_judge_in_python(own: Own) -> None:
    doubled = {"weights": [[[2 * x for x in row] for row in rows] for rows in WEIGHTS]}
    status, out, _ = own(doubled, "--loss", "mse", "--returns", "gradients", "--format", "binary32")
    report = judge(NETWORK, BATCH, doubled, "mse", "binary32", name="gradients.json")
    assert (status, out) == (report.exit_status, f"{report}\n") and status == 1


@pytest.mark.parametrize(
    ("document", "options", "told"),
    [
        (LAYERS, "--loss half_mse", "Every gradient is 2 times what it should be"),
        ([{**layer, "biases": [2 * b for b in layer["biases"]]} for layer in LAYERS], "--loss mse", "∂loss/∂b¹"),
        ({"outputs": [[1.0], [2.0], [3.0]]}, "", "The outputs are off already"),
        ({"weights": WEIGHTS[:1]}, "", "it returns weights for 1 layer, and is asked with 2"),
        (
            {"weights": [[list(row) for row in zip(*rows)] for rows in WEIGHTS]},
            "",
            "∂loss/∂W² has shape (2, 1), (1, 2) is wanted",
        ),
    ],
)
def test_wrong_numbers_are_explained(document: Any, options: str, told: str, own: Own) -> None:
    status, out, err = own(document, *options.split())
    assert (status, err) == (1, "") and told in " ".join(out.split())


def test_what_is_open_is_found(own: Own) -> None:
    halved = [[[x / 2 for x in row] for row in rows] for rows in WEIGHTS], [[x / 2 for x in row] for row in BIASES]
    status, out, _ = own(halved)
    assert status == 0 and "It returns the gradient of half the sum of squares divided by the number of" in " ".join(
        out.split()
    )


@pytest.mark.parametrize("report", ["json", "junit", "html"])
def test_every_report_is_one_of_check(report: str, own: Own) -> None:
    status, out, _ = own(LAYERS, "--report", report)
    assert status == 0 and out.startswith({"json": "{", "junit": "<?xml", "html": "<!doctype html>"}[report])


@pytest.mark.parametrize(
    ("document", "options", "told"),
    [
        ("", "", "not JSON"),
        ("nope", "", "not JSON: Expecting value in line 1, column 1"),
        ([], "", "a list of layers is wanted"),
        (3, "", "it holds '3.0': an object such as"),
        ({}, "", "one of outputs, loss, deltas, gradients, step is wanted"),
        ({"gradient": LAYERS}, "", "its answer has 'gradient': known are outputs, loss, deltas, gradients, step"),
        ({"gradients": 3}, "", "one for each layer, is wanted"),
        ({"gradients": LAYERS, "weights": WEIGHTS}, "", "it holds gradients, and weights beside them"),
        ({"step": STEP}, "", "its learning rate is not known: give it, as with --learning-rate 0.1"),
        ({"step": STEP, "learning_rate": "fast"}, "", "'fast' is no learning rate"),
        ({"gradients": LAYERS}, "--returns step --learning-rate 1", 'give "step", or declare that'),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(document: Any, options: str, told: str, own: Own) -> None:
    status, out, err = own(document, *options.split())
    assert (status, out, err.count("\n")) == (2, "", 1) and err.startswith("purebp: 'gradients.json': ") and told in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--network net.json mine.json", "--network is given without --batch: to judge numbers of your own, give both"),
        ("--batch data.csv mine.json", "--batch is given without --network"),
        ("--loss mse mine.json", "--loss is for numbers of your own, with --network and --batch"),
        ("--learning-rate 0.5 mine.json", "--learning-rate is for numbers of your own"),
        ("--network none.json --batch data.csv mine.json", "there is no file 'none.json': give a network"),
        ("--network net.json --batch none.csv mine.json", "there is no file 'none.csv': give a batch"),
        ("--network net.json --batch data.csv none.json", "there is no file 'none.json': give your numbers"),
        ("--network net.json --batch net.csv mine.json", "'net.csv' has 2 columns: 2 inputs and 1 target are wanted"),
        ("--network net.json --batch text.csv mine.json", "text.csv, line 2, column 'y': 'a' is not a finite number"),
        ("--network data.csv --batch data.csv mine.json", "'data.csv' is no network"),
        ("--network net.json --batch data.csv --loss frob mine.json", "unknown loss 'frob'"),
        ("--network net.json --batch data.csv --learning-rate 0 mine.json", "'0' is no learning rate"),
    ],
)
def test_what_is_given_beside_is_looked_at(words: str, told: str, own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("mine.json", "[]"), ("net.csv", "1,2\n"), ("text.csv", "x1,x2,y\n1,2,a\n")):
        Path(name).write_text(text, encoding="utf-8")
    own([])
    assert main(["judge", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and told in err
