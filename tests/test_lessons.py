"""The lessons as learners write them are checked unmodified, by one command: the right ones are cleared, of the wrong
ones the mistake is named, or the method and the line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings

from purebp.cli import main
from tests.test_lesson_files import LESSONS, MISTAKES, WRONG

pytest.importorskip("numpy")  # most are written with it

NAMED = {  # what the headline says of each wrong one; "" where it is not named, and lines are given
    "plain_no_biases_wrong_slope.py": "activation derivative missing",
    "plain_no_biases_wrong_sign.py": "sign turned",
    "plain_no_biases_wrong_squashed.py": "squashed twice",
    "plain_no_biases_wrong_overwrite.py": "error overwritten instead of accumulated",
    "plain_no_biases_wrong_factor.py": "factor ½ in ∂loss/∂W¹",
    "plain_no_biases_wrong_transposed.py": "outer product transposed",
    "numpy_no_biases_wrong_order.py": "",
    "numpy_no_biases_wrong_z.py": "derivative for activations applied to z",
    "numpy_no_biases_wrong_transposed.py": "",
    "numpy_no_biases_wrong_raw.py": "raw error passed down",
    "numpy_no_biases_wrong_sums.py": "z in place of a in the outer product",
    "numpy_no_biases_wrong_sign.py": "derivative with the opposite sign",
    "plain_biases_wrong_last.py": "bias gradient of one sample",
    "plain_biases_wrong_state.py": "not reset between calls",
    "plain_biases_wrong_argument.py": "",
    "plain_biases_wrong_reset.py": "error sum not reset for each neuron",
    "plain_biases_wrong_inputs.py": "",
    "plain_biases_wrong_forgotten.py": "biases never updated",
    "numpy_biases_wrong_layer.py": "",
    "numpy_biases_wrong_axis.py": "bias gradient summed over all axes",
    "numpy_biases_wrong_derivative.py": "a (1 − a), the derivative of sigmoid",
    "numpy_biases_wrong_alias.py": "derivative of a taken at the error",
    "numpy_biases_wrong_raw.py": "activation derivative missing in own gradients",
    "numpy_biases_wrong_mean.py": "bias gradient averaged",
    "miniflow_wrong_fanout.py": "Sigmoid.backward: overwritten instead of accumulated",
    "miniflow_wrong_squashed.py": "Sigmoid.backward: squashed twice",
    "miniflow_wrong_bias.py": "Linear.backward: wrong shape",
    "miniflow_wrong_transposed.py": "Linear.backward: weights transposed",
    "miniflow_wrong_sign.py": "MSE.backward: sign turned",
    "miniflow_wrong_adds.py": "sgd_update: sign turned",
}


def checked(name: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """The exit status of the command, and its report."""
    status = main(["check", "--seed", "0", "--timeout", "60", "--report", "json", str(LESSONS / name)])
    out, err = capsys.readouterr()
    assert err == ""
    report: dict[str, Any] = json.loads(out)
    return status, report


def test_every_wrong_lesson_is_told() -> None:
    assert NAMED.keys() == set(WRONG)


@pytest.mark.parametrize("name", [name for name, entry in MISTAKES.items() if entry["right"]])
def test_a_right_lesson_is_cleared_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = checked(name, capsys)
    assert (status, report["conforms"]) == (0, True), report
    assert all(case["passed"] for case in report["cases"])


@pytest.mark.parametrize("name", WRONG if settings().max_examples > 100 else WRONG[::5])
def test_of_a_wrong_lesson_the_mistake_is_named_or_its_lines_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = checked(name, capsys)
    assert (status, report["conforms"]) == (1, False)
    if NAMED[name]:
        assert report["explanations"][0]["name"] == NAMED[name]
        return
    (where,) = [note for note in report["notes"] if note.startswith("What is wrong comes from line")]
    assert MISTAKES[name]["method"] in where
