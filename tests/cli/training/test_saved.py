"""Networks and batches in files: read as they were written, JSON and CSV the same, and refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Network, PurebpError, to_json
from purebp.cli.training import saved
from tests.cli.training.matrices import matrices

NETWORK = Network.random([2, 3, 1], seed=5)
BATCH = '{"inputs": [[1, 2.5]], "targets": [[0]]}'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


def written(place: Path, content: str, name: str = "file") -> str:
    (place / name).write_text(content, encoding="utf-8")
    return str(place / name)


def refusal(read: Any, *given: Any) -> str:
    with pytest.raises(PurebpError) as refused:
        read(*given)
    return str(refused.value)


def test_a_network_comes_back_as_it_was_saved(place: Path) -> None:
    assert saved.network(written(place, to_json(NETWORK))) == NETWORK


@given(matrices(), st.data())
def test_a_batch_is_the_same_in_json_and_in_csv(place: Path, rows: list[list[float]], data: st.DataObject) -> None:
    rows = [[*row, 0.5] for row in rows]
    n_in = data.draw(st.integers(1, len(rows[0]) - 1))
    batch: Batch = Batch([row[:n_in] for row in rows], [row[n_in:] for row in rows])
    network = Network.random([n_in, len(rows[0]) - n_in])
    csv = "\n".join(",".join(map(repr, row)) for row in rows)
    header = ",".join(f"c{j}" for j in range(len(rows[0])))
    document = json.dumps({"inputs": batch.inputs, "targets": batch.targets})
    for content in (csv, f"{header}\n{csv}", document, f"\n  {document}"):
        assert saved.batch(written(place, content), network) == batch


def test_what_is_called_json_is_read_as_json(place: Path) -> None:
    assert "is no batch: Expecting value" in refusal(saved.batch, written(place, "", "batch.json"), NETWORK)
    assert saved.batch(written(place, BATCH, "batch.csv"), NETWORK) == Batch([[1.0, 2.5]], [[0.0]])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("hello", "is no network: "),
        ('{"layers": 3}', "is no network: layers is 3"),
        ('{"layers": [{"weights": [[1.0]], "biases": null, "activation": "frob"}]}', "unknown activation 'frob'"),
    ],
)
def test_what_is_no_network_is_said_with_the_file(content: str, told: str, place: Path) -> None:
    name = written(place, content)
    found = refusal(saved.network, name)
    assert found.startswith(repr(name)) and told in found


def test_what_is_not_there_is_said_with_what_is_wanted(place: Path) -> None:
    name = str(place / "missing")
    assert refusal(saved.network, name) == f"there is no file {name!r}: give a network saved by purebp train --save"
    assert refusal(saved.batch, name, NETWORK) == f"there is no file {name!r}: give a batch as .json or .csv"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"inputs": [[1, 2]]}', 'is no batch: {"inputs": [[...]], "targets": [[...]]} is wanted, with these two keys'),
        ('{"inputs": [[1, 2]], "targets": [[0]], "x": 1}', "with these two keys"),
        ('{"inputs": [[1, 2]], "targets": [[0]]', "is no batch: "),
        ('{"inputs": [[1, 2], [3]], "targets": [[0], [1]]}', "is no batch: "),
        ('{"inputs": [[1, 2]], "targets": [[0], [1]]}', "is no batch: "),
        ('{"inputs": [["a", 2]], "targets": [[0]]}', "is no batch: "),
        ('{"inputs": 3, "targets": [[0]]}', "is no batch: "),
        ('{"inputs": [[1, 2], [1, NaN]], "targets": [[0], [1]]}', "inputs[1] is [1.0, nan]: finite numbers are wanted"),
        ('{"inputs": [[1, 2]], "targets": [[Infinity]]}', "targets[0] is [inf]: finite numbers are wanted"),
        ('{"inputs": ' + "[" * 100_000, "is no batch: "),
        (
            '{"inputs": [[1, 2, 3]], "targets": [[0]]}',
            "has 3 inputs and 1 target per sample: the network takes 2 and gives 1",
        ),
        ('{"inputs": [[1, 2]], "targets": [[0, 1]]}', "has 2 inputs and 2 targets per sample"),
        ("1,2\n", "has 2 columns: 2 inputs and 1 target are wanted"),
        ("1,2,3,4\n", "has 4 columns: 2 inputs and 1 target are wanted"),
        ("a,b,c\n1,2,x\n", "line 2, column 'c': 'x'"),
        ("", "is empty"),
    ],
)
def test_what_is_no_batch_is_said_with_the_file(content: str, told: str, place: Path) -> None:
    name = written(place, content)
    found = refusal(saved.batch, name, NETWORK)
    assert name in found and told in found and len(found) < 300 + len(name)
