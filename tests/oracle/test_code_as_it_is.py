"""Code as it is, in the manner of what is public: what is wrong is not passed over for what is right beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from purebp.cli import main
from purebp.oracle.asking.task import Outcome, Task
from purebp.oracle.examination import examine

NET = """
import random
from math import exp


def s(z):
    return 1 / (1 + exp(-z))


class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.w1 = [[random.random() for _ in range(n_in)] for _ in range(n_hidden)]
        self.w2 = [[random.random() for _ in range(n_hidden)] for _ in range(n_out)]

    def forward(self, x):
        self.h = [s(sum(w * a for w, a in zip(row, x))) for row in self.w1]
        self.o = [s(sum(w * a for w, a in zip(row, self.h))) for row in self.w2]
        return self.o

    def slopes(self, x, y, right=True):
        self.forward(x)
        d2 = [(o - t) * o * (1 - o) for o, t in zip(self.o, y)]
        d1 = [sum(d * row[j] for d, row in zip(d2, self.w2)) * h * (1 - h if right else 1)
              for j, h in enumerate(self.h)]
        return [[d * a for a in x] for d in d1], [[d * a for a in self.h] for d in d2]

    def moved(self, w, g, rate):
        return [[a - rate * b for a, b in zip(*rows)] for rows in zip(w, g)]
"""
TRAIN = """
    def {name}(self, x, y, rate=0.5):
        g1, g2 = self.slopes(x, y{right})
        self.w1, self.w2 = self.moved(self.w1, g1, rate), self.moved(self.w2, g2, rate)
"""
WRONG = TRAIN.format(name="train", right=", right=False")
RIGHT = TRAIN.format(name="train", right="")
NUMERIC = """
    def backward(self, x, y):
        return self.slopes(x, y, right=False)

    def numerical_gradient(self, x, y):
        return self.slopes(x, y)
"""
PERCEPTRON = """
class Perceptron:
    def __init__(self, n_in, n_out):
        self.w = [[0.0] * n_in for _ in range(n_out)]

    def train(self, x, y, rate=0.5):
        for row, t in zip(self.w, y):
            a = s(sum(w * v for w, v in zip(row, x)))
            for j, v in enumerate(x):
                row[j] -= rate * (a - t) * a * (1 - a) * v
"""
MOMENTUM = """
    def train(self, x, y, rate=0.5, momentum=0.9):
        g1, g2 = self.slopes(x, y)
        old = getattr(self, "velocity", (self.moved(g1, g1, 1), self.moved(g2, g2, 1)))
        self.velocity = tuple(
            [[{kept} * a + b for a, b in zip(*rows)] for rows in zip(v, g)] for v, g in zip(old, (g1, g2))
        )
        self.w1, self.w2 = (self.moved(w, v, rate) for w, v in zip((self.w1, self.w2), self.velocity))
"""
BACKWARD = """
    def backward(self, x, y):
        return self.slopes(x, y)
"""
BATCHES = """
    def train(self, data, rate=0.5):
        for _ in data:
            x, y = random.choice(data)
            g1, g2 = self.slopes(x, y)
            self.w1, self.w2 = self.moved(self.w1, g1, {rate}), self.moved(self.w2, g2, {rate})
"""


def checked(text: str, **declared: Any) -> Outcome:
    return examine(Task("mine.py", None, declared, source=text))


def headline(text: str) -> str:
    outcome = checked(text)
    assert outcome.report is not None, outcome.problem
    return str(outcome.report.headline)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (NET + NUMERIC, "Net.backward"),
        (
            PERCEPTRON.replace("class", NET.partition("class")[0] + "class", 1)
            + NET.partition("def s")[2].partition("\n\n\n")[2]
            + WRONG,
            "Net.train",
        ),
        (NET + TRAIN.format(name="step", right="") + WRONG, "Net.train"),
    ],
    ids=["the gradient it is compared with", "another class", "another step"],
)
def test_what_is_wrong_is_not_passed_over_for_what_is_right_beside_it(text: str, name: str) -> None:
    assert headline(text) == f"mine.py:{name}: wrong: the function itself"


def test_what_is_right_beside_what_is_right_is_right() -> None:
    assert "correct" in headline(NET + TRAIN.format(name="step", right="") + RIGHT)


def test_momentum_lets_go_of_what_it_has_and_what_never_does_is_wrong() -> None:
    outcome = checked(NET + MOMENTUM.format(kept="0.9"))
    assert outcome.report is not None
    assert outcome.report.conforms
    assert not headline(NET + MOMENTUM.format(kept="1")).startswith("mine.py:Net.train: correct")


def test_a_step_on_samples_drawn_by_chance_is_judged_on_one() -> None:
    outcome = checked(NET + BACKWARD + BATCHES.format(rate="rate"))
    assert outcome.report is not None
    assert outcome.report.conforms, outcome.report.headline
    assert headline(NET + BACKWARD + BATCHES.format(rate="-rate")).startswith("mine.py:Net.train: not as declared")


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "GeneratorExit", "BaseException('odd')"])
def test_nothing_that_it_raises_is_a_defect_of_purebp(error: str) -> None:
    outcome = checked(f"{NET}\n    def train(self, x, y):\n        raise {error}\n")
    assert (outcome.status, outcome.report) == (4, None), outcome.problem


def test_a_class_that_is_not_what_it_looks_like_is_no_defect_of_purebp() -> None:
    text = "class Odd(type):\n    def __getattr__(cls, name):\n        raise RuntimeError(name)\n\n\nclass Net(metaclass=Odd):\n    w = [[1.0]]\n"
    assert checked(text).status == 4


HIDDEN_SUM = """
def backward(x, y, w1, b1, w2, b2):
    from math import tanh

    h = [[tanh(sum(w * a for w, a in zip(row, r)) + b) for row, b in zip(w1, b1)] for r in x]
    o = [[sum(w * a for w, a in zip(row, r)) + b for row, b in zip(w2, b2)] for r in h]
    d2 = [[a - t for a, t in zip(*rows)] for rows in zip(o, y)]
    d1 = [[sum(d * row[j] for d, row in zip(r, w2)) * (1 - a * a) for j, a in enumerate(hs)] for r, hs in zip(d2, h)]
    dw1 = [[sum(d[i] * a[j] for d, a in zip(d1, x)) for j in range(len(x[0]))] for i in range(len(w1))]
    dw2 = [[sum(d[i] * a[j] for d, a in zip(d2, h)) for j in range(len(w1))] for i in range(len(w2))]
    db1 = [sum(map(sum, d1))]
    db2 = [sum(column) for column in zip(*d2)]
    return dw1, db1, dw2, db2
"""


def test_what_is_wrong_is_not_asked_with_one_hidden_neuron_where_it_is_right() -> None:
    outcome = checked(HIDDEN_SUM)
    assert outcome.report is not None, outcome.problem
    assert not outcome.report.conforms, outcome.report.notes


def test_a_finding_out_that_is_late_says_how_long_it_was_waited_for() -> None:
    hangs = "\n    def train(self, x, y):\n        while True:\n            try:\n                while True: pass\n"
    outcome = examine(
        Task("mine.py", None, {}, timeout=0.25, source=f"{NET}{hangs}            except BaseException: pass\n")
    )
    assert outcome.report is not None
    (finding,) = outcome.report.findings
    assert "it has not answered after 1.5 seconds" in finding.sentence


IMPORTED = """
import numpy as np

def gradients(weights, biases, x, y):
    w1, w2 = weights
    n = x.shape[0]
    h = 1 / (1 + np.exp(-x @ w1))
    o = 1 / (1 + np.exp(-h @ w2))
    d2 = 2 * (o - y) * o * (1 - o)
    return [x.T @ (d2 @ w2.T * h * (1 - h)), h.T @ d2], None
"""


def test_code_that_is_only_imported_gets_the_same_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Arrays are tried because lists were refused, not because the file imports them."""
    pytest.importorskip("numpy")
    (tmp_path / "same_gradients.py").write_text(IMPORTED)
    (tmp_path / "again.py").write_text("from same_gradients import gradients\n")
    for file in ("same_gradients.py", "again.py"):
        assert main(["check", str(tmp_path / file)]) == 0, capsys.readouterr()
        assert "the gradient of the sum of squares" in capsys.readouterr().out
