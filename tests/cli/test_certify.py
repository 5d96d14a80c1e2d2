"""`purebp certify`: every number that is printed is certified, or stands with an interval around it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from purebp import Batch, Layer, Network, from_json, to_json
from purebp.cli import main
from purebp.oracle import Certified, certified_gradients, certified_loss
from tests.cli.running import purebp

NETWORK = Network([*Network.random([2, 3], "tanh", 4).layers, Layer([[0.1, -0.2, 0.3]], None, "identity")])
BATCH = Batch([[0.5, -1.0], [0.1, 0.7], [1.0, 2.0]], [[1.0], [0.0], [-0.5]])
KINK = Network([Layer([[1.0]], [0.0], "relu")]), Batch([[0.0]], [[1.0]])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, NETWORK, BATCH)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place: Path, network: Network, batch: Batch) -> None:
    (place / "net.json").write_text(to_json(network))
    (place / "batch.json").write_text(json.dumps({"inputs": batch.inputs, "targets": batch.targets}))


def certify(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["certify", "net.json", "batch.json", *words])
    out, err = capsys.readouterr()
    assert err == ""
    return status, out


def test_certify_does_not_overwrite_what_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, batch = tmp_path / "net.json", tmp_path / "batch.json"
    network.write_text(to_json(Network([Layer([[1.0]], None, "identity")])))
    batch.write_text(json.dumps({"inputs": [[1.0]], "targets": [[0.0]]}))
    before = network.read_text(), batch.read_text()
    for at_risk in (network, batch):
        assert main(["certify", str(network), str(batch), "--output", str(at_risk)]) == 2
        assert "would overwrite" in capsys.readouterr().err
    assert (network.read_text(), batch.read_text()) == before
    assert main(["certify", str(network), str(batch)]) == 0
    assert "1 of 1 entry correctly rounded" in capsys.readouterr().out


@pytest.mark.parametrize("loss", ["mse", "half_sse/samples"])
def test_the_text_holds_the_certified_gradient(loss: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = certify(capsys, "--loss", loss)
    *lines, last = out.splitlines()
    gradients = certified_gradients(NETWORK, BATCH, loss)
    heads = ["∂loss/∂W, layer 1", "∂loss/∂b, layer 1", "∂loss/∂W, layer 2"]  # layer 2 has no biases
    assert [line for line in lines if line.startswith("∂")] == heads
    assert lines[0] == f"{loss} {certified_loss(NETWORK, BATCH, loss).value!r}"
    numbers = [float(word) for line in lines[1:] if line.startswith("  ") for word in line.split()]
    assert numbers == [entry.value for entry in gradients.parameters()]
    assert (status, last) == (0, "12 of 12 entries correctly rounded")


def test_the_default_loss_is_mse(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert certify(capsys) == certify(capsys, "--loss", "mse")


def entries(document: Any) -> list[dict[str, Any]]:
    """The value, then weights and biases of every layer as they come in `parameters`."""
    found = [document["value"]]
    for layer in document["layers"]:
        found += [entry for row in layer["weights"] for entry in row] + (layer["biases"] or [])
    return found


def assert_tells(entry: dict[str, Any], certified: Certified) -> None:
    assert (entry["value"], entry["rounded"]) == (certified.value, certified.rounded)
    lower, upper = Decimal(entry["lower"]), Decimal(entry["upper"])
    assert lower <= certified.lower <= certified.upper <= upper
    assert upper - lower <= certified.upper - certified.lower + Decimal("1e-36")


def test_json_holds_the_certified_gradient_and_what_encloses_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = certify(capsys, "--json")
    document = json.loads(out)
    gradients, value = certified_gradients(NETWORK, BATCH, "mse"), certified_loss(NETWORK, BATCH, "mse")
    assert (status, document["loss"], list(document)) == (0, "mse", ["loss", "value", "layers"])
    for entry, certified in zip(entries(document), [value, *gradients.parameters()], strict=True):
        assert_tells(entry, certified)
    for layer, right in zip(document["layers"], gradients.layers, strict=True):
        assert (layer["biases"] is None) == (right.biases is None)
        for row, wanted in zip(layer["deltas"], right.deltas, strict=True):
            for entry, certified in zip(row, wanted, strict=True):
                assert_tells(entry, certified)


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_file_holds_what_is_printed_else(words: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "12 of 12 entries correctly rounded\n"
    _, out = certify(capsys, *words)
    assert certify(capsys, *words, "--output", "found") == (0, told)
    assert (place / "found").read_text(encoding="utf-8") == out.removesuffix(told)


def test_several_processes_give_the_same_bytes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = purebp("certify", "net.json", "batch.json", "--jobs", "2", cwd=place)
    assert (result.returncode, result.stdout, result.stderr) == (*certify(capsys), "")


def test_what_is_open_at_a_kink_stands_with_its_interval(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, *KINK)
    status, out = certify(capsys, "--loss", "half_sse")
    lines = out.splitlines()
    interval = re.fullmatch(r"  (\S+) \[(\S+), (\S+)\]", lines[lines.index("∂loss/∂b, layer 1") + 1])
    assert interval is not None and lines[0] == "half_sse 0.5" and lines[2] == "  0.0"  # ∂loss/∂w is 0 on both sides
    value, lower, upper = map(float, interval.groups())
    assert lower <= -1.0 <= value <= 0.0 <= upper and upper - lower < 1.001
    assert (status, lines[-1]) == (5, "1 of 2 entries correctly rounded")
    assert entries(json.loads(certify(capsys, "--loss", "half_sse", "--json")[1]))[2]["rounded"] is False


def test_what_is_larger_than_all_doubles_is_null_in_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, Network([Layer([[1e300]], None, "identity")]), Batch([[1e300]], [[0.0]]))
    assert certify(capsys, "--loss", "half_sse")[1].splitlines()[2] == "  inf"
    status, out = certify(capsys, "--json", "--loss", "half_sse")
    document = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert status == 0 and [entry["value"] for entry in entries(document)] == [None, None]
    assert all(Decimal("1e899") < Decimal(entry["lower"]) < Decimal("1e1200") for entry in entries(document))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.json", "batch.json"], "missing.json"),
        (["net.json", "net.json"], "'net.json' is no batch"),
        (["net.json", "batch.json", "--loss", "frob"], "--loss"),
        (["net.json", "batch.json", "--jobs", "0"], "--jobs"),
        (["net.json", "batch.json", "--output", "missing/found"], "missing/found"),
    ],
)
def test_bad_input_is_one_line(words: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("purebp: ") and err.count("\n") == 1 and told in err
    assert from_json((place / "net.json").read_text()) == NETWORK
