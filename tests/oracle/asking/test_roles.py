"""Names: what they say is what they usually mean."""

from __future__ import annotations

import pytest

from purebp.oracle.asking.roles import kind_of, role


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "X_train", "inputs", "inputs_list", "features", "trainingInputs"], "inputs"),
        (["y", "targets", "expected", "labels", "y_true", "training_set_outputs"], "targets"),
        (["lr", "learning_rate", "eta", "alpha", "l_rate", "learningRate"], "rate"),
        (["epochs", "iterations", "n_iter", "num_iterations"], "epochs"),
        (["y_hat", "o", "output", "predictions"], "outputs"),
        (["spam", "hidden", "w1", "b"], ""),
    ],
)
def test_names_of_parameters_have_the_usual_meaning(names: list[str], expected: str) -> None:
    assert {name: role(name) for name in names} == dict.fromkeys(names, expected)


def test_gradients_are_no_weights() -> None:
    assert [kind_of(name) for name in ("W1", "weights_ih", "syn0", "theta1", "who")] == ["weights"] * 5
    assert [kind_of(name) for name in ("dW1", "nabla_w", "grad_weights", "delta_w", "db1")] == ["gradients"] * 5
    assert [kind_of(name) for name in ("vW1", "weights_momentum", "prev_w")] == ["kept"] * 3
