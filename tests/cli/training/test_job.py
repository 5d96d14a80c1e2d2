"""From the options of `purebp train` to a job: what is chosen where nothing is said."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from purebp import PurebpError
from purebp.cli.training.datasets import accuracy, confusion
from purebp.cli.training.job import Job, prepare
from purebp.cli.training.scaling import Scaling

SILENT: dict[str, Any] = {
    "target": None,
    "predict": None,
    "resume": None,
    "loss": None,
    "hidden": None,
    "activation": None,
    "init": None,
    "seed": 0,
    "test_fraction": None,
    "batch_size": 16,
    "epochs": None,
    "learning_rate": None,
    "optimizer": "sgd",
}


def job(data: str, **said: Any) -> Job:
    return prepare(argparse.Namespace(data=data, **SILENT | said))


def test_few_samples_are_all_for_training_and_of_many_a_fifth_is_for_the_test() -> None:
    assert [len(part.inputs) for part in job("xor").raw] == [4]
    assert [len(part.inputs) for part in job("iris").raw] == [120, 30]
    assert [len(part.inputs) for part in job("iris", test_fraction=0.0).raw] == [150]


def test_the_network_fits_the_data_and_the_loss_the_network() -> None:
    iris = job("iris")
    assert (iris.network.sizes, iris.loss.name) == ((4, 8, 3), "cross_entropy")
    assert [layer.activation.name for layer in iris.network.layers] == ["tanh", "softmax"]
    assert job("digits", hidden=[]).network.sizes == (64, 10)


def test_epochs_are_as_many_as_make_a_thousand_steps_within_bounds() -> None:
    assert (job("xor").epochs, job("iris").epochs, job("digits").epochs) == (1000, 125, 20)
    assert job("iris", epochs=3).epochs == 3


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.1), ("momentum", 0.01), ("adam", 0.01)])
def test_the_learning_rate_is_that_of_the_optimizer(optimizer: str, rate: float) -> None:
    assert job("xor", optimizer=optimizer).learning_rate == rate
    assert job("xor", optimizer=optimizer, learning_rate=0.5).learning_rate == 0.5


def test_the_folded_network_is_as_right_on_raw_samples_as_the_other_on_scaled_ones() -> None:
    digits = job("digits")
    assert digits.inputs == Scaling((0.0,) * 64, (16.0,) * 64)
    (_, right), (_, right_of_test) = digits.figures(digits.network, 0.0)
    folded = digits.folded(digits.network)
    assert [accuracy(confusion(folded, part)) for part in digits.raw] == [right, right_of_test]


def test_more_parameters_than_anybody_wants_are_refused() -> None:
    with pytest.raises(PurebpError, match="too many parameters: choose widths for 10,000,000 at most"):
        job("iris", hidden=[10_000, 10_000])
