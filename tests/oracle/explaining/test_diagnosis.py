"""From claims alone to the mistake that was made, the convention that was followed, and the layers in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import inf, nan
from struct import pack, unpack
from typing import Any

import pytest

from purebp import FLOAT, Batch, Gradients, LayerGradients, Network, PurebpError, backpropagation, sgd_step
from purebp.oracle.answer import Claim, as_claim
from purebp.oracle.cases import Case, ladder
from purebp.oracle.conventions import Convention
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.diagnosis import (
    Diagnosis,
    Observation,
    biases_in,
    diagnose,
    explanations,
    followed,
)
from purebp.oracle.explaining.recipe import BIASES, DERIVATIVE, LOSS, OPERANDS, STATE, Inapplicable, planted, run, where
from purebp.textbook import losses
from purebp.textbook.losses import Loss

CASES = ladder(("sigmoid", "sigmoid"), loss="half_sse")[:5]
SHALLOW = ladder(("sigmoid",), loss="half_sse")[:5]  # for what is looked for last, after all pairs of mistakes


def observed(answer: Callable[[Network, Batch], Any], cases: Sequence[Case] = CASES) -> list[Observation]:
    """What the cases are answered."""
    return [Observation(case, as_claim(answer(case.network, case.batch))) for case in cases]


def scaled(
    factor: Callable[[int, int], float], loss: str = "half_sse", cases: Sequence[Case] = CASES
) -> list[Observation]:
    """Right gradients times a factor for so many samples and outputs."""

    def answer(network: Network, batch: Batch) -> Network:
        entries = backpropagation(network, batch, loss).parameters()
        return network.with_parameters([factor(len(batch.inputs), len(batch.targets[0])) * g for g in entries])

    return observed(answer, cases)


def with_mistakes(*made: tuple[str, Collection[int]]) -> list[Observation]:
    """Answers with these mistakes of the catalogue in these layers."""

    def answer(network: Network, batch: Batch) -> Gradients:
        recipe = planted(CATALOGUE[made[0][0]], made[0][1])
        for name, layers in made[1:]:
            recipe = planted(CATALOGUE[name], layers, recipe)
        try:
            return run(recipe, network, batch, "half_sse", FLOAT)
        except Inapplicable:  # of a single sample
            return backpropagation(network, batch, "half_sse")

    return observed(answer)


def stepped(rate: float, loss: str = "half_sse") -> list[Observation]:
    """Weights after a step of gradient descent."""
    return observed(lambda network, batch: sgd_step(network, backpropagation(network, batch, loss), rate))


def names(found: Sequence[Diagnosis]) -> list[str]:
    return [diagnosis.name for diagnosis in found]


# Mistakes.


@pytest.mark.parametrize(
    ("mistake", "layers", "family", "places"),
    [
        ("activation derivative missing", {0}, DERIVATIVE, "in layer 1"),
        ("squashed twice", {0, 1}, DERIVATIVE, "in every layer"),
        ("squashed twice", {1}, DERIVATIVE, "at the output layer"),
        ("bias gradient of one sample", {0, 1}, BIASES, ""),
        ("biases never updated", {0}, BIASES, ""),
        ("W transposed on the way down", {0}, OPERANDS, "to layer 1"),
        ("z in place of a in the outer product", {1}, OPERANDS, ""),
        ("last sample alone", (), STATE, ""),
        ("targets missing", (), LOSS, ""),
    ],
)
def test_a_planted_mistake_is_explained_from_claims_alone(
    mistake: str, layers: Collection[int], family: str, places: str
) -> None:
    first, *_ = explanations(with_mistakes((mistake, layers)), "half_sse")
    assert (first.name, first.changes, first.family) == (mistake, (mistake,), family)
    assert first.line == CATALOGUE[mistake].line and places in first.sentence
    assert first.sentence == CATALOGUE[mistake].sentence.format(where=where(CATALOGUE[mistake], frozenset(layers), 2))
    assert first.convention == Convention(losses.half_sse) and first.format == "binary64"


def test_two_mistakes_are_both_named() -> None:
    both = ("activation derivative missing", "bias gradient of one sample")
    found = explanations(with_mistakes((both[0], {0}), (both[1], {0, 1})), "half_sse")
    assert set(found[0].changes) == set(both) and found[0].name == " and ".join(found[0].changes)


def test_what_explains_all_cases_but_one_is_no_explanation() -> None:
    right, wrong = scaled(lambda n, m: 1.0), with_mistakes(("squashed twice", {0, 1}))
    assert names(explanations(wrong, "half_sse"))[0] == "squashed twice"
    assert "squashed twice" not in names(explanations([*wrong[:-1], right[-1]], "half_sse"))
    nearly = {key: [[x * (1 + 1e-9) for x in row] for row in rows] for key, rows in wrong[0].claim.items()}
    assert explanations([Observation(wrong[0].case, nearly), *wrong[1:]], "half_sse") == []


def test_what_no_mistake_makes_is_not_explained() -> None:
    right = observed(lambda network, batch: backpropagation(network, batch, "half_sse"), SHALLOW)
    broken = [
        Observation(
            o.case,
            {key: [[x * (1.5 + j) + 0.3 for j, x in enumerate(row)] for row in rows] for key, rows in o.claim.items()},
        )
        for o in right
    ]
    assert explanations(broken, "half_sse") == []


def test_what_was_computed_in_single_precision_is_explained_and_said() -> None:
    def single(claim: Claim) -> Claim:
        return {key: [[unpack("f", pack("f", x))[0] for x in row] for row in rows] for key, rows in claim.items()}

    found = [Observation(o.case, single(o.claim)) for o in with_mistakes(("squashed twice", {0, 1}))]
    first, *_ = explanations(found, "half_sse")
    assert (first.name, first.format) == ("squashed twice", "binary32")
    assert first.sentence.endswith(" (Computed in binary32.)")
    assert not explanations(found, "half_sse", "binary32")[0].sentence.endswith("(Computed in binary32.)")


@pytest.mark.parametrize("x", [nan, inf])
def test_numbers_that_are_none_are_not_explained(x: float) -> None:
    first, *others = with_mistakes(("squashed twice", {0, 1}))
    spoilt = Observation(first.case, {**first.claim, ("biases", 0): [[x] * len(first.claim["biases", 0][0])]})
    assert explanations([spoilt, *others], "half_sse") == []
    assert followed(spoilt, "half_sse", "binary64", "gradients", None) == []


# Conventions.


def test_what_is_right_is_called_right() -> None:
    (found,) = explanations(scaled(lambda n, m: 1.0), "half_sse")
    assert (found.name, found.changes, found.line) == ("right", (), "")
    assert found.sentence == "It is the gradient of half the sum of squares, to be subtracted."


@pytest.mark.parametrize(
    ("factor", "name", "words"),
    [
        (
            lambda n, m: 2.0,
            "factor 2",
            "Every gradient is 2 times what it should be: it is the gradient of the sum of squares",
        ),
        (lambda n, m: 1 / n, "factor 1 / n", "1 / n times what it should be (n samples): "),
        (lambda n, m: -1.0, "sign turned", "wrong sign for one that is to be subtracted"),
        (
            lambda n, m: 0.0,
            "all gradients are 0",
            "All gradients are 0.",
        ),
    ],
)
def test_a_factor_is_named(factor: Callable[[int, int], float], name: str, words: str) -> None:
    first, *_ = explanations(scaled(factor), "half_sse")
    assert first.name == name and words in first.sentence


def test_an_integer_division_is_named() -> None:
    cases = ladder(("sigmoid",), loss="mse", sizes=(2, 1))[:5]
    first, *_ = explanations(scaled(lambda n, m: 2 // (n * m) / 2 * n * m, "mse", cases), "mse")
    assert first.name == "all gradients are 0" and first.family == LOSS
    assert first.sentence.endswith("as soon as there are several samples: an integer division, such as 1 // n, is 0.")


def test_a_factor_in_one_tensor_is_named_with_the_tensor() -> None:
    scaled_up = [
        Observation(o.case, {**o.claim, ("weights", 0): [[4 * x for x in row] for row in o.claim["weights", 0]]})
        for o in scaled(lambda n, m: 1.0)
    ]
    assert names(explanations(scaled_up, "half_sse"))[0] == "factor 4 in ∂loss/∂W¹"


def test_the_gradient_of_another_loss_is_named_unless_the_loss_is_open() -> None:
    answers = scaled(lambda n, m: 1.0, "mae")
    assert names(explanations(answers, "half_sse")) == ["gradient of another loss"]
    (found,) = explanations(answers, None)
    assert (found.name, found.convention and found.convention.base) == ("right", "mae")


def test_a_sign_that_is_open_is_no_mistake() -> None:
    (found,) = explanations(scaled(lambda n, m: -1.0), "half_sse", returns=None)
    assert found.name == "right" and found.convention == Convention(losses.half_sse, returns="descent")


def test_conventions_are_tried_without_mistakes_where_these_are_not_wanted() -> None:
    wrong = with_mistakes(("squashed twice", {0, 1}))
    assert explanations(wrong, "half_sse", plain=True) == []
    assert names(explanations(scaled(lambda n, m: 1.0), "half_sse", plain=True)) == ["right"]


@pytest.mark.parametrize(
    ("factor", "loss", "told"),
    [(1.0, losses.half_sse, "gradients"), (2.0, losses.sse, "gradients"), (-1.0, losses.half_sse, "descent")],
)
def test_one_answer_tells_which_conventions_it_may_follow(factor: float, loss: Loss, told: str) -> None:
    found = followed(scaled(lambda n, m: factor)[2], None, "binary64", None, None)
    assert (loss, told) in [(convention.named, convention.returns) for convention in found]
    assert all(convention.returns == told for convention in found)


# Steps.

RATE = 0.5


def step_explained(answers: Sequence[Observation], rate: float | None = RATE) -> list[str]:
    return names(explanations(answers, "half_sse", returns="step", learning_rate=rate))


@pytest.mark.parametrize(
    ("taken", "name"),
    [(RATE, "right"), (1.0, "learning rate missing"), (RATE**2, "learning rate twice"), (-RATE, "sign turned")],
)
def test_a_step_is_explained_by_its_learning_rate(taken: float, name: str) -> None:
    declared = 0.125 if name.startswith("learning rate") else RATE  # no power of 2 that another factor is
    taken = {"learning rate missing": 1.0, "learning rate twice": declared**2}.get(name, taken)
    assert step_explained(stepped(taken), declared)[0] == name


def test_an_update_after_every_sample_is_named() -> None:
    def online(network: Network, batch: Batch) -> Network:
        for x, y in zip(batch.inputs, batch.targets):
            network = sgd_step(network, backpropagation(network, Batch([x], [y]), "half_sse"), RATE)
        return network

    assert step_explained(observed(online, SHALLOW)) == ["updated after every sample"]


# Penalties.


@pytest.mark.parametrize(("by_samples", "shown"), [(False, "0.05 times"), (True, "0.05 / n times")])
def test_a_penalty_is_told_with_its_rate(by_samples: bool, shown: str) -> None:
    def answer(network: Network, batch: Batch) -> Gradients:
        rate = 0.05 / (len(batch.inputs) if by_samples else 1)
        found = backpropagation(network, batch, "half_sse")
        pairs = zip(found.layers, network.layers)
        return Gradients(
            tuple(
                LayerGradients(
                    tuple(tuple(g + rate * w for g, w in zip(*rows)) for rows in zip(layer.weights, of.weights)),
                    layer.biases,
                    layer.deltas,
                )
                for layer, of in pairs
            )
        )

    first, *_ = explanations(observed(answer, SHALLOW), "half_sse")
    assert first.name == "penalty added" and f"has {shown} the weights added to it." in first.sentence


def test_biases_alone_are_those_that_were_given() -> None:
    right = scaled(lambda n, m: 1.0)
    assert [set(o.claim) for o in biases_in(right)] == [{("biases", 0), ("biases", 1)}] * len(right)
    assert biases_in([Observation(right[0].case, {("weights", 0): [[1.0]]})]) == []


# A single case.


def test_one_case_is_diagnosed_from_its_gradients() -> None:
    case = CASES[2]
    wrong = run(planted(CATALOGUE["squashed twice"], {0}), case.network, case.batch, "half_sse", FLOAT)
    assert names(diagnose(case.network, case.batch, wrong, "half_sse")) == ["squashed twice"]
    assert names(diagnose(case.network, case.batch, backpropagation(case.network, case.batch))) == ["right"]


def test_what_are_no_gradients_of_the_network_are_refused() -> None:
    case = CASES[2]
    claimed: Any = as_claim(case.network)
    with pytest.raises(PurebpError, match="are no Gradients: judge explains answers in other forms"):
        diagnose(case.network, case.batch, claimed)
    right = backpropagation(case.network, case.batch)
    widths = "-".join(map(str, case.network.sizes))
    for other in (Gradients(right.layers[:1]), Gradients(right.layers[::-1])):
        with pytest.raises(PurebpError, match=f"not gradients of the network {widths}"):
            diagnose(case.network, case.batch, other)


# Layers in words.


@pytest.mark.parametrize(
    ("mistake", "layers", "depth", "words"),
    [
        ("squashed twice", {1}, 2, "at the output layer"),
        ("squashed twice", {0}, 2, "in layer 1"),
        ("squashed twice", {0, 1}, 2, "in every layer"),
        ("squashed twice", {0, 1}, 3, "in the hidden layers"),
        ("squashed twice", {0, 2}, 3, "in layers 1, 3"),
        ("squashed twice", {0}, 1, "at the output layer"),
        ("W transposed on the way down", {0}, 3, "to layer 1"),
        ("W transposed on the way down", {0, 1}, 3, "to the hidden layers"),
        ("W transposed on the way down", {0, 2}, 4, "to layers 1, 3"),
        ("derivative of the previous layer's activation", {1, 2}, 3, "in every layer"),  # that has a layer below
        ("targets missing", (), 3, ""),
    ],
)
def test_layers_are_said_in_words(mistake: str, layers: Collection[int], depth: int, words: str) -> None:
    assert where(CATALOGUE[mistake], frozenset(layers), depth) == words


OBLONG = Network.random([3, 4, 2], ["tanh", "identity"], seed=3).with_parameters([k % 7 / 8 - 0.3 for k in range(26)])
THREE = Batch([[1.0, -0.5, 0.25], [0.5, 2.0, -1.0], [-1.5, 0.75, 1.0]], [[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]])
OF_OBLONG = backpropagation(OBLONG, THREE, "half_sse")


def multiple(factor: float) -> Gradients:
    layers = OBLONG.with_parameters([factor * x for x in OF_OBLONG.parameters()]).layers
    return Gradients(tuple(LayerGradients(layer.weights, layer.biases, ()) for layer in layers))


@pytest.mark.parametrize(
    ("factor", "names"),
    [
        (2.0, ["factor m", "factor 2", "factor 4 / m"]),
        (0.5, ["factor 1 / m", "factor ½", "factor ¼ m"]),
        (3.0, ["factor n", "factor ½ n m", "factor 2 n / m"]),
        (-1.0, ["sign turned", "derivative with the opposite sign"]),
    ],
)
def test_what_one_case_cannot_tell_apart_stands_side_by_side(factor: float, names: list[str]) -> None:
    """Three samples of two outputs: 2 is m as well, and 3 is n."""
    assert [found.name for found in diagnose(OBLONG, THREE, multiple(factor), "half_sse")] == names
