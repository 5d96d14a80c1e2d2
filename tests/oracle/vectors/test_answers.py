"""Answers to vectors are judged: right ones in every form, wrong, partial and missing ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from purebp import Gradients
from purebp.cli import main
from purebp.oracle.vectors.answers import judge_answers
from purebp.textbook.network import LayerGradients
from tests.oracle.vectors.samples import ANSWERED, TESTS, answer, right


def test_right_answers_are_right_in_both_formats_and_in_words() -> None:
    from purebp.oracle.asking.wire import in_words

    answers = {vector.id: answer(vector, right(vector)) for vector, _ in ANSWERED}
    errors = [{"id": vector.id, "error": {"kind": "shape"}} for vector, _ in TESTS if vector.family == "refused"]
    objects = [{"id": name, **quantities} for name, quantities in answers.items()] + errors
    for text in (json.dumps(objects), "\n".join(map(json.dumps, objects))):
        found = judge_answers(text)
        assert found.exit_status == 0
        assert [row[1:] for row in found.counts()] == [(n, n, n) for n in found.tests.values()]
    words = "hello 1 mine\n" + "\n".join(in_words(name, quantities) for name, quantities in answers.items())
    assert judge_answers(words).exit_status == 0
    assert judge_answers(json.dumps(objects), "binary32").exit_status == 0


def scaled(gradients: Gradients, factor: float) -> Gradients:
    return Gradients(
        tuple(
            LayerGradients(
                [[factor * x for x in row] for row in layer.weights],
                layer.biases and [factor * x for x in layer.biases],
                layer.deltas,
            )
            for layer in gradients.layers
        )
    )


def test_wrong_answers_are_explained_and_partial_ones_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [vector for vector, _ in ANSWERED if vector.family == "gradients" and "Kink" not in vector.flags]
    halves = [{"id": v.id, "gradients": answer(v, scaled(right(v), 0.5))["gradients"]} for v in chosen]
    found = judge_answers(json.dumps(halves))
    assert found.exit_status == 1
    mean = [report for report in found.reports if report.candidate.endswith("mse")]
    assert all("factor ½" in {found.name for found in report.explanations} for report in mean)
    one = judge_answers(json.dumps({"id": chosen[0].id, "gradients": answer(chosen[0], right(chosen[0]))["gradients"]}))
    assert one.exit_status == 0 and sum(row[2] for row in one.counts()) == 1
    file = tmp_path / "answers.json"
    file.write_text(json.dumps([{"id": chosen[0].id, "skip": "no sigmoid"}]))
    assert main(["judge", str(file)]) == 5
    for answers, sentence in (
        ([{"id": "gradients-of-nothing", "loss": 1}], "that of a test vector is wanted"),
        ([halves[0], halves[0]], "is the second answer"),
        ([], "no answers"),
        ({"results": []}, "'None'"),
    ):
        file.write_text(json.dumps(answers))
        capsys.readouterr()
        assert main(["judge", str(file)]) == 2, answers
        assert sentence in capsys.readouterr().err


def test_what_a_vector_asks_for_must_be_there() -> None:
    chosen = [vector for vector, _ in ANSWERED if vector.family == "gradients"]
    answers = [{"id": v.id, **answer(v, right(v))} for v in chosen]
    assert judge_answers(json.dumps(answers)).exit_status == 0
    for left_out in ("gradients", "biases"):
        partial = json.loads(json.dumps(answers))
        for each in partial:
            if left_out == "gradients":
                del each["gradients"]
            else:
                for layer in each["gradients"]:
                    layer["biases"] = None
        found = judge_answers(json.dumps(partial))
        assert found.exit_status == 5, left_out
        counts = {family: (answered, right) for family, _, answered, right in found.counts()}
        assert counts["gradients"] == (len(chosen), sum("NoBiases" in v.flags for v in chosen) * (left_out == "biases"))
        assert "is asked for gradients, and does not give all of that" in " ".join(str(found.reports[0]).split())


@pytest.mark.parametrize("words", [True, False])
def test_answers_may_be_bit_patterns(words: bool) -> None:
    from purebp.oracle.asking.wire import in_words, patterned

    answers = {v.id: answer(v, right(v)) for v, _ in ANSWERED if v.family in ("gradients", "step")}
    if words:
        lines = ["hello 1 mine floats=bits", *(in_words(name, found, bits=True) for name, found in answers.items())]
    else:
        hello = {"protocol": 1, "name": "mine", "floats": "bits"}
        lines = [json.dumps(hello), *(json.dumps({"id": name, **patterned(found)}) for name, found in answers.items())]
    found = judge_answers("\n".join(lines))
    assert found.exit_status == 0 and sum(row[3] for row in found.counts()) == len(answers)


@pytest.mark.parametrize("said", [{"outputs": [[1.0]]}, {"skip": "never seen"}, {"gradients": []}])
def test_only_an_error_that_is_declared_is_a_refusal(said: dict[str, Any]) -> None:
    refused = [vector.id for vector, _ in TESTS if vector.family == "refused"]
    found = judge_answers(json.dumps([{"id": name, "error": {"kind": "shape"}} for name in refused]))
    assert found.exit_status == 0
    found = judge_answers(json.dumps([{"id": refused[0], **said}]))
    assert found.exit_status == 1 and "an error is wanted" in found.reports[0].findings[0].sentence
