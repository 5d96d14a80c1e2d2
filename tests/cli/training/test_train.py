"""`purebp train`: what it learns, saves, resumes and says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from purebp import Batch, evaluate, forward, from_json
from purebp.cli import main
from purebp.cli.training.datasets import accuracy, confusion, load
from tests.cli.running import history, purebp


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
