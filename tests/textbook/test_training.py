"""Training: the same seed gives the same bits, and the iterator ends when it is told to."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import (
    Batch,
    Epoch,
    Gradients,
    Layer,
    Network,
    PurebpError,
    backpropagation,
    evaluate,
    mse,
    sgd_step,
    sse,
    train,
)
from purebp.textbook.optimizers import State
from tests.strategies import Exercise, cases

LINE = Batch([[0.0], [1.0], [2.0], [3.0]], [[1.0], [3.0], [5.0], [7.0]])
START = Network([Layer([[0.0]], [0.0], "identity")])


def losses(**options: Any) -> list[float]:
    return [epoch.loss for epoch in train(START, LINE, **options)]


@settings(max_examples=20)
@given(cases(), st.sampled_from(["sgd", "momentum", "adam"]), st.sampled_from([1, 2, None]), st.integers())
def test_the_same_seed_gives_the_same_bits(case: Exercise, optimizer: str, batch_size: int | None, seed: int) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "batch_size": batch_size, "seed": seed, "learning_rate": 0.01}
    first, second = (list(train(case.network, case.batch, loss=case.loss, epochs=3, **options)) for _ in range(2))
    assert repr(first) == repr(second)
    assert [epoch.epoch for epoch in first] == [1, 2, 3]
    assert [epoch.loss for epoch in first] == [case.value(epoch.network) for epoch in first]


def test_another_seed_takes_the_samples_in_another_order() -> None:
    assert losses(batch_size=1, epochs=1, seed=0) != losses(batch_size=1, epochs=1, seed=3)


def test_the_given_network_is_not_trained() -> None:
    before = repr(START)
    *_, last = train(START, LINE, epochs=5)
    assert repr(START) == before != repr(last.network)


def test_the_iterator_waits_to_be_asked() -> None:
    epochs = train(START, LINE, epochs=10**9)
    assert [epoch.epoch for epoch in islice(epochs, 3)] == [1, 2, 3]


@pytest.mark.parametrize(("batch_size", "sizes"), [(None, [4]), (1, [1, 1, 1, 1]), (3, [3, 1]), (4, [4]), (9, [4])])
def test_every_sample_is_seen_once_an_epoch(batch_size: int | None, sizes: list[int]) -> None:
    """Told from the deltas, which for this optimizer, that leaves the network as it is, are −2 y / n."""
    seen: list[list[float]] = []

    def watch(network: Network, state: State | None, gradients: Gradients, rate: float) -> tuple[Network, State | None]:
        seen.append([delta for (delta,) in gradients.layers[0].deltas])
        return network, state

    list(train(START, LINE, optimizer=watch, batch_size=batch_size, loss=sse, epochs=2))
    assert [len(batch) for batch in seen] == sizes * 2
    for epoch in (seen[: len(sizes)], seen[len(sizes) :]):
        assert sorted(delta for batch in epoch for delta in batch) == [-14.0, -10.0, -6.0, -2.0]


def test_mini_batches_are_steps_on_shuffled_slices() -> None:
    network, order, random = START, list(range(4)), Random(7)
    for epoch in train(START, LINE, batch_size=3, learning_rate=0.05, seed=7, epochs=4):
        random.shuffle(order)
        for chosen in (order[:3], order[3:]):
            batch = Batch([LINE.inputs[i] for i in chosen], [LINE.targets[i] for i in chosen])
            network = sgd_step(network, backpropagation(network, batch, mse), 0.05)
        assert epoch == Epoch(epoch.epoch, network, evaluate(network, LINE), None, None)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_training_can_go_on_from_where_it_stopped(optimizer: str) -> None:
    one = Batch(LINE.inputs[:1], LINE.targets[:1])  # a single sample, which no shuffle moves
    *_, whole = train(START, one, optimizer=optimizer, epochs=6)
    *_, half = train(START, one, optimizer=optimizer, epochs=2)
    *_, rest = train(half.network, one, optimizer=optimizer, epochs=4, state=half.state)
    assert rest == replace(whole, epoch=4)


def test_it_ends_at_the_target_loss() -> None:
    found = losses(target_loss=0.5, epochs=1000)
    assert found[-1] <= 0.5 < min(found[:-1])


def test_it_ends_when_patience_does() -> None:
    """A step of 0 improves nothing: the first epoch is the best, and `patience` more are waited for."""
    assert len(losses(learning_rate=0.0, patience=3, epochs=100)) == 4
    assert len(losses(learning_rate=0.0, patience=3, epochs=2)) == 2
    assert len(losses()) == 100


def test_with_validation_data_its_loss_is_watched() -> None:
    """On the opposite of the line, every step that brings the line nearer is a step away."""
    opposite = Batch(LINE.inputs, [[-y for y in row] for row in LINE.targets])
    epochs = list(train(START, LINE, validation=opposite, patience=2, epochs=50))
    assert [epoch.validation_loss for epoch in epochs] == [evaluate(epoch.network, opposite) for epoch in epochs]
    assert len(epochs) == 3 and epochs[2].loss < epochs[1].loss < epochs[0].loss
    assert len(list(train(START, LINE, validation=opposite, target_loss=1e9, epochs=50))) == 1


def test_divergence_is_told_with_its_epoch_and_what_to_do() -> None:
    epochs = train(START, LINE, learning_rate=1e200, epochs=9)
    with pytest.raises(PurebpError, match=r"diverged: the loss after epoch 1 is inf; lower the learning rate"):
        next(epochs)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softplus", "elu", "silu", "gelu", "softmax", "identity"])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_whatever_the_learning_rate_training_diverges_by_name_or_not_at_all(
    name: str, loss: str, optimizer: str
) -> None:
    last = "softmax" if "entropy" in loss else name
    network = Network.random([1, 3, 2], [name, last], seed=1)
    data = Batch([[0.0], [1.0], [2.0]], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    for rate in (10.0, 1e10, 1e300):
        try:
            *_, epoch = train(network, data, loss=loss, optimizer=optimizer, learning_rate=rate, epochs=5)
            assert epoch.loss < inf
        except PurebpError as error:
            assert "diverged" in str(error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamw"}, "unknown optimizer 'adamw'; known are sgd, momentum, adam"),
        ({"loss": "mes"}, "unknown loss 'mes'"),
        ({"epochs": 0}, "epochs is 0: a whole number above 0 is wanted"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 1.5}, "batch_size is 1.5"),
        ({"patience": -1}, "patience is -1"),
        ({"learning_rate": float("nan")}, "the learning rate is nan"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PurebpError, match=message):
        next(train(START, LINE, **options))


def test_the_function_of_plain_descent_is_plain_descent() -> None:
    network, data = Network.random([1, 1], "identity", seed=1), Batch([[1.0]], [[0.5]])
    *_, by_function = train(network, data, optimizer=sgd_step, epochs=3)  # type: ignore[arg-type]  # as users do
    *_, by_name = train(network, data, optimizer="sgd", epochs=3)
    assert by_function.network == by_name.network
