"""Networks and batches in files: what is read, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from purebp import Batch, Network, PurebpError, to_json
from purebp.cli.training.saved import batch, network

SAVED = Network.random([2, 3, 1], ["tanh", "identity"], seed=1)
SAMPLES = Batch([[1.0, 2.0], [3.0, 4.0]], [[0.5], [-1.0]])
JSON, CSV = '{"inputs": [[1, 2], [3, 4]], "targets": [[0.5], [-1]]}', "1,2,0.5\n3,4,-1\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_network_comes_back_as_it_was_saved(here: Path) -> None:
    (here / "net.json").write_text(to_json(SAVED))
    assert network("net.json") == SAVED


def test_what_is_no_network_is_refused_by_name(here: Path) -> None:
    (here / "net.json").write_text('{"layers": 3}')
    with pytest.raises(PurebpError, match=r"^'net.json' is no network: "):
        network("net.json")
    with pytest.raises(PurebpError, match="none.json.*purebp train --save"):
        network("none.json")


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", JSON), ("a.csv", CSV), ("a.csv", "u,v,y\n" + CSV), ("a.txt", JSON)]
)
def test_a_batch_is_read_from_json_or_csv(name: str, text: str, here: Path) -> None:
    (here / name).write_text(text)
    assert batch(name, SAVED) == SAMPLES


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "1,2\n3,4\n", "'a.csv' has 2 columns: 2 inputs and 1 target are wanted"),
        ("a.json", "[1, 2]", "'a.json' is no batch: .*with these two keys"),
        ("a.json", '{"inputs": [[1, 2]]}', "with these two keys"),
        ("a.json", JSON.replace("3,", "NaN,"), r"inputs\[1\] is \[nan, 4.0\]: finite numbers are wanted"),
        ("a.json", JSON.replace("-1", "Infinity"), r"targets\[1\] is \[inf\]: finite numbers are wanted"),
        ("a.json", '{"inputs": [[1]], "targets": [[0.5]]}', "1 input and 1 target per sample: the network takes 2 and"),
        ("a.json", "{" + '"inputs": ' + "[" * 100_000, "'a.json' is no batch"),
    ],
)
def test_what_is_no_batch_is_refused_in_one_line(name: str, text: str, said: str, here: Path) -> None:
    (here / name).write_text(text)
    with pytest.raises(PurebpError, match=said) as caught:
        batch(name, SAVED)
    assert "\n" not in str(caught.value)
