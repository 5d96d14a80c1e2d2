"""From options to a job: what is chosen where nothing is said, and what cannot be trained."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from purebp import Network, PurebpError, evaluate, forward, to_json
from purebp.cli import parser
from purebp.cli.training.datasets import accuracy, confusion, load
from purebp.cli.training.job import Job, prepare
from tests.laws import assert_close


def job(*words: str) -> Job:
    return prepare(parser(["train"]).parse_args(["train", *words]))


def refusal(*words: str) -> str:
    with pytest.raises(PurebpError) as refused:
        job(*words)
    return str(refused.value)


def table(place: Path, features: int = 1, rows: int = 30) -> str:
    """A CSV file in which all is numbers, the target not whole."""
    lines = (",".join([*(str(i * (j + 3) % 17) for j in range(features)), f"{i}.5"]) for i in range(rows))
    (place / "t.csv").write_text("".join(line + "\n" for line in lines))
    return str(place / "t.csv")


def names(network: Network) -> list[str]:
    return [layer.activation.name for layer in network.layers]


def test_classes_are_told_apart_by_softmax_and_cross_entropy() -> None:
    found = job("iris")
    assert (names(found.network), found.loss.name) == (["tanh", "softmax"], "cross_entropy")
    assert found.dataset == load("iris") and found.outputs is None


def test_numbers_are_predicted_by_identity_and_mse(tmp_path: Path) -> None:
    found = job(table(tmp_path))
    assert (names(found.network), found.loss.name) == (["tanh", "identity"], "mse")


def test_other_losses_on_classes_take_sigmoid() -> None:
    for loss in ("mse", "binary_cross_entropy", "huber(1.0)"):
        found = job("xor", "--loss", loss)
        assert (names(found.network)[-1], found.loss.name) == ("sigmoid", loss)


@pytest.mark.parametrize(("features", "width"), [(1, 8), (4, 8), (5, 10), (16, 32), (40, 32)])
def test_the_hidden_layer_is_twice_the_features_within_bounds(features: int, width: int, tmp_path: Path) -> None:
    assert job(table(tmp_path, features)).network.sizes == (features, width, 1)


@pytest.mark.parametrize(("hidden", "sizes"), [("none", (4, 3)), ("7", (4, 7, 3)), ("5,6", (4, 5, 6, 3))])
def test_hidden_widths_are_those_asked_for(hidden: str, sizes: tuple[int, ...]) -> None:
    found = job("iris", "--hidden", hidden, "--activation", "relu")
    assert found.network.sizes == sizes and names(found.network) == ["relu"] * (len(sizes) - 2) + ["softmax"]


@pytest.mark.parametrize(
    ("activation", "scheme"),
    [("tanh", "xavier"), ("sigmoid", "xavier"), ("identity", "xavier"), ("relu", "he"), ("gelu", "he")],
)
def test_first_weights_suit_the_activation(activation: str, scheme: str) -> None:
    others = {"xavier": "he", "he": "xavier"}
    wanted = Network.random([2, 8, 2], [activation, "softmax"], 3, scheme=scheme)
    words = ("xor", "--activation", activation, "--seed", "3")
    assert job(*words).network == job(*words, "--init", scheme).network == wanted
    assert job(*words, "--init", others[scheme]).network != wanted


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.1), ("momentum", 0.01), ("adam", 0.01)])
def test_every_optimizer_has_its_learning_rate(optimizer: str, rate: float) -> None:
    assert job("xor", "--optimizer", optimizer).learning_rate == rate
    assert job("xor", "--optimizer", optimizer, "--learning-rate", "0.5").learning_rate == 0.5


@pytest.mark.parametrize("size", [1, 3, 32, 200])
def test_epochs_are_enough_for_a_thousand_steps_within_bounds(size: int) -> None:
    steps = ceil(120 / size)  # of the training samples of iris
    assert job("iris", "--batch-size", str(size)).epochs == min(1000, max(20, ceil(1000 / steps)))
    assert job("iris", "--batch-size", str(size), "--epochs", "3").epochs == 3


@pytest.mark.parametrize(("rows", "parts"), [(19, [19]), (20, [16, 4]), (30, [24, 6])])
def test_a_fifth_is_kept_for_the_test_unless_there_are_few(rows: int, parts: list[int], tmp_path: Path) -> None:
    found = job(table(tmp_path, rows=rows))
    assert [len(part.inputs) for part in found.raw] == [len(part.inputs) for part in found.scaled] == parts


@pytest.mark.parametrize(("fraction", "parts"), [("0", [150]), ("0.5", [75, 75])])
def test_the_share_of_the_test_is_that_asked_for(fraction: str, parts: list[int]) -> None:
    assert [len(part.inputs) for part in job("iris", "--test-fraction", fraction).raw] == parts


def test_scaling_is_learnt_from_the_training_samples_alone(tmp_path: Path) -> None:
    found = job(table(tmp_path))
    assert found.outputs is not None
    for raw, scaled in zip(found.raw, found.scaled, strict=True):
        assert list(map(list, scaled.inputs)) == found.inputs.apply(raw.inputs)
        assert list(map(list, scaled.targets)) == found.outputs.apply(raw.targets)
    for rows in (found.scaled[0].inputs, found.scaled[0].targets):
        n = len(rows)
        assert_close([sum(x for (x,) in rows) / n, sum(x * x for (x,) in rows) / n], [0.0, 1.0])


def test_a_folded_network_takes_and_gives_raw_columns(tmp_path: Path) -> None:
    found = job(table(tmp_path, 3))
    assert found.outputs is not None
    given = forward(found.folded(found.network), found.raw[1].inputs).outputs
    scaled = forward(found.network, found.scaled[1].inputs).outputs
    assert_close([x for (x,) in found.outputs.apply(given)], [x for (x,) in scaled])


def test_figures_are_loss_and_accuracy_of_training_and_test() -> None:
    found = job("iris")
    (known, first), (loss, second) = found.figures(found.network, 7.5)
    training, test = found.scaled
    assert (known, loss) == (7.5, evaluate(found.network, test, "cross_entropy"))
    assert (first, second) == tuple(accuracy(confusion(found.network, part)) for part in (training, test))


def test_numbers_have_no_accuracy(tmp_path: Path) -> None:
    found = job(table(tmp_path, rows=10))
    assert found.figures(found.network, 7.5) == [(7.5, None)]


# A network that was saved.


def saved(place: Path, network: Network) -> str:
    (place / "n.json").write_text(to_json(network))
    return str(place / "n.json")


def test_a_resumed_network_goes_on_on_scaled_columns(tmp_path: Path) -> None:
    data = table(tmp_path, 2)
    network = Network.random([2, 3, 1], ["tanh", "identity"], 4)
    found = job(data, "--resume", saved(tmp_path, network))
    assert_close(found.folded(found.network).parameters(), network.parameters())
    assert found.network != network and found.loss.name == "mse"


@pytest.mark.parametrize(
    ("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("tanh", "mse")]
)
def test_a_resumed_network_has_the_loss_of_its_last_layer(last: str, loss: str, tmp_path: Path) -> None:
    name = saved(tmp_path, Network.random([2, 3, 2], ["tanh", last]))
    assert job("xor", "--resume", name).loss.name == loss
    assert job("xor", "--resume", name, "--loss", "mae").loss.name == "mae"


def test_targets_are_scaled_only_where_the_last_layer_can_undo_it(tmp_path: Path) -> None:
    data = table(tmp_path)
    found = job(data, "--resume", saved(tmp_path, Network.random([1, 1], "softplus")))
    assert found.outputs is None and [part.targets for part in found.scaled] == [part.targets for part in found.raw]


def test_a_network_of_other_widths_is_refused(tmp_path: Path) -> None:
    name = saved(tmp_path, Network.random([2, 1]))
    told = f"the network in {name!r} takes 2 inputs and gives 1 output, but "
    assert refusal("iris", "--resume", name) == told + "iris has 4 features and 3 classes"
    data = table(tmp_path, 3)
    assert refusal(data, "--resume", name) == f"{told}{data} has 3 features and one number to predict"


# What cannot be trained.


def test_cross_entropies_are_for_classes(tmp_path: Path) -> None:
    for loss in ("cross_entropy", "binary_cross_entropy"):
        told = f"{loss} is for classes, told apart by softmax or sigmoid, but "
        assert refusal(table(tmp_path), "--loss", loss) == f"{told}column 'c1' holds numbers: choose --loss mse"
        name = saved(tmp_path, Network.random([2, 2], "tanh"))
        assert refusal("xor", "--resume", name, "--loss", loss) == f"{told}the network ends in tanh: choose --loss mse"


def test_too_many_parameters_are_refused_before_they_are_made() -> None:
    told = "--hidden 4000,4000 makes too many parameters: choose widths for 10,000,000 at most"
    assert refusal("xor", "--hidden", "4000,4000") == told
    assert "makes too many" in refusal("xor", "--hidden", "1000000000")


def test_a_file_that_is_not_there_is_said_with_what_can_be_had() -> None:
    assert refusal("missing.csv") == "there is no file 'missing.csv': give a CSV file, or one of digits, iris, xor"
