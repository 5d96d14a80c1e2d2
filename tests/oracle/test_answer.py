"""Answers: tensors by name, and the findings that explain why there are none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from purebp import Layer, Network, backpropagation
from purebp.oracle.answer import ORDER, Answer, Finding, as_claim, gradients_in, same, tensor_name
from tests.strategies import Exercise, cases


@given(cases())
def test_a_network_and_its_gradients_have_the_same_tensors(case: Exercise) -> None:
    claim, parameters = as_claim(backpropagation(*case)), as_claim(case.network)
    assert list(claim) == list(parameters)
    assert claim.keys() == {("weights", l) for l in range(len(case.network.layers))} | {
        ("biases", l) for l, layer in enumerate(case.network.layers) if layer.biases is not None
    }
    assert [x for rows in parameters.values() for row in rows for x in row] == list(case.network.parameters())
    assert gradients_in(claim) == claim


def test_gradients_are_weights_and_biases_alone() -> None:
    claim = {(kind, 0): [[1.0]] for kind in ORDER}
    assert gradients_in(claim).keys() == {("weights", 0), ("biases", 0)}


def test_claims_are_the_same_as_their_numbers_are() -> None:
    claim = as_claim(Network([Layer([[1.0, 2.0]], [3.0], "tanh")]))
    assert same(claim, {key: [tuple(row) for row in rows] for key, rows in claim.items()})
    assert not same(claim, {**claim, ("biases", 0): [[3.5]]})
    assert not same(claim, {("weights", 0): claim["weights", 0]})
    assert not same(claim, {**claim, ("loss", -1): [[0.0]]})


@given(st.sampled_from(ORDER), st.integers(0, 12), st.sampled_from([None, "gradients", "descent", "step", "ascent"]))
def test_only_parameters_have_another_name_after_a_step(kind: str, layer: int, returns: str | None) -> None:
    plain, named = tensor_name((kind, layer)), tensor_name((kind, layer), returns)
    if kind in ("weights", "biases") and returns in ("step", "ascent"):
        assert f"∂loss/∂{named}" == f"{plain} after the step"
    else:
        assert named == plain


def test_every_tensor_has_a_name_of_its_own() -> None:
    keys = [("outputs", -1), ("loss", -1), *((kind, l) for kind in ORDER[2:] for l in range(11))]
    assert len({tensor_name(key, returns) for key in keys for returns in (None, "step")}) == len(keys) + 22


def test_the_first_fatal_finding_is_why_it_cannot_be_judged() -> None:
    prints, raises, nan = Finding("prints", "", fatal=False), Finding("raises", ""), Finding("NaN", "")
    assert Answer(findings=(prints, raises, nan)).fatal is raises
    assert Answer({("loss", -1): [[1.0]]}, (prints,)).fatal is None
