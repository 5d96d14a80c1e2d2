"""`purebp explain`: Mazur's example, and batches in JSON and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from purebp import Batch, evaluate, from_json
from purebp.cli import main
from tests.cli.running import purebp
from tests.cli.test_main import FILES


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
