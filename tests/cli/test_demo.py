"""`make demo`: what it judges, that it stops where something is not as it should be, and what it says of a gradient."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from purebp import Batch, Network, backpropagation, to_json
from purebp.cli import demo, main
from purebp.cli.training.datasets import load
from purebp.oracle import certified_gradients
from tests import ROOT

NETWORK = Network.random(
    [64, 2, 10], ["tanh", "softmax"], 3
)  # in the place of one that is trained, which takes a minute
RIGHT, WRONG = (["check", str(ROOT / "docs" / "examples" / name)] for name in ("two_layers.py", "two_layers_wrong.py"))
TRAIN = ["train", "digits", "--save", "digits.json"]


def commands(monkeypatch: pytest.MonkeyPatch, status: Callable[[list[str]], int]) -> list[list[str]]:
    """The list to which every command is added that the demonstration runs; each ends with that status."""
    run: list[list[str]] = []

    def recorded(words: Sequence[str]) -> int:
        run.append(list(words))
        if run[-1][0] == "train":
            Path("digits.json").write_text(to_json(NETWORK))
        return status(run[-1])

    monkeypatch.setattr(demo, "main", recorded)
    return run


def test_the_right_and_the_wrong_example_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(RIGHT), main(WRONG)) == (0, 1)
    assert "two_layers_wrong.py" in capsys.readouterr().out


def test_the_demonstration_proves_the_gradient_of_what_it_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Path.cwd()
    run = commands(monkeypatch, lambda words: int(words == WRONG))
    assert demo.demo() == 0 and run == [RIGHT, WRONG, TRAIN]
    assert Path.cwd() == here and not Path("digits.json").exists()
    out = capsys.readouterr().out
    shown = [line.removeprefix("$ purebp ") for line in out.splitlines() if line.startswith("$ ")]
    assert shown == [" ".join(words).replace(f"{ROOT}/", "") for words in run]
    digits = load("digits").batch
    batch = Batch(digits.inputs[:8], digits.targets[:8])
    gradient = backpropagation(NETWORK, batch, "cross_entropy").parameters()
    certified = certified_gradients(NETWORK, batch, "cross_entropy").parameters()
    same = sum(entry.value == x for entry, x in zip(certified, gradient, strict=True))
    assert f"{len(gradient)} entries, the largest {max(map(abs, gradient)):.3g}" in out
    assert f"  {sum(entry.rounded for entry in certified)} entries are certified" in out and f"  {same} of them" in out
    worst = max(abs(entry.value - x) for entry, x in zip(certified, gradient, strict=True))
    assert out.endswith(f"and within {worst:.1e} in all\n")
    for method, most in (("central differences are", 1e-6), ("the complex step is", 1e-12)):
        within = re.search(f"{method} within (\\S+) of it", out)
        assert within and 0 < float(within[1]) < most


@pytest.mark.parametrize(("fooled", "run"), [(RIGHT, [RIGHT]), (WRONG, [RIGHT, WRONG])])
def test_a_verdict_that_is_none_ends_it(
    fooled: list[str], run: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = commands(monkeypatch, lambda words: int((words == WRONG) != (words == fooled)))
    assert demo.demo() == 1 and found == run


@pytest.mark.parametrize("status", [1, 130])
def test_a_training_that_fails_ends_it_with_its_status(
    status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = commands(monkeypatch, lambda words: status if words == TRAIN else int(words == WRONG))
    assert demo.demo() == status and run == [RIGHT, WRONG, TRAIN]
    assert "gradient" not in capsys.readouterr().out
