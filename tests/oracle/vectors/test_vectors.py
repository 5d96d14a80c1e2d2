"""The test vectors: made anew to the same bytes, each number certified, and what is broken in a file is found."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from purebp import Batch, Gradients, backpropagation, evaluate, forward, sgd_step
from purebp.cli import main
from purebp.oracle.certify import certified_gradients
from purebp.oracle.vectors.answers import judge_answers
from purebp.oracle.vectors.files import SCHEMA, load, shipped
from purebp.oracle.vectors.vector import FAMILIES, Vector, read
from purebp.oracle.vectors.verifying import verify
from purebp.testing.strategies import ACTIVATIONS, LOSSES
from purebp.textbook.network import LayerGradients
from tests import ROOT

FILES = {family: json.loads(shipped(f"{family}.json")) for family in FAMILIES}
TESTS = [(vector, test) for family in FAMILIES for vector, test in zip(load(family), FILES[family]["tests"])]
ANSWERED = [(vector, test) for vector, test in TESTS if vector.family != "refused"]


def pythons() -> list[str]:
    """The interpreters at hand: on the path, and those that pyenv has."""
    found = {}
    home = Path(os.path.expanduser("~"))  # which is the place itself where nobody has a home
    for minor in range(11, 20):
        name = f"python3.{minor}"
        for path in [shutil.which(name), *map(str, home.glob(f".pyenv/versions/3.{minor}.*/bin/{name}"))]:
            if path and minor not in found and subprocess.run([path, "-V"], capture_output=True).returncode == 0:
                found[minor] = path
    return list(found.values()) or [sys.executable]


@pytest.mark.parametrize("python", pythons())
def test_every_python_makes_the_same_bytes(python: str, tmp_path: Path) -> None:
    command = [python, "-m", "purebp", "vectors", "export", str(tmp_path), "--anew"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(f"{family}.json" for family in FAMILIES), SCHEMA]
    )
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (ROOT / "purebp/data/vectors/v1" / path.name).read_bytes(), (
            f"make vectors: {path.name}"
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_files_follow_their_schema(family: str) -> None:
    schema = json.loads(shipped(SCHEMA))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(FILES[family])
    broken = copy.deepcopy(FILES[family])
    broken["tests"][0]["given"]["remark"] = "a key that the schema does not have"
    assert not Draft202012Validator(schema).is_valid(broken)
    for flag in (flag for test in FILES[family]["tests"] for flag in test["flags"]):
        assert FILES[family]["notes"][flag]["mistake"].endswith(".")


def test_ids_are_unique_and_every_activation_and_loss_is_there() -> None:
    ids = [vector.id for vector, _ in TESTS]
    assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z0-9-]+", name) for name in ids)
    layers = {layer["activation"] for vector, _ in TESTS for layer in vector.given["layers"]}
    assert layers == set(ACTIVATIONS)
    assert set(LOSSES) <= {vector.given["loss"] for vector, _ in ANSWERED}
    for flag in ("Kink", "Saturated", "NoBiases", "Zeros", "Deep", "SquareLayers", "SeveralSamples", "Shapes"):
        assert any(flag in vector.flags for vector, _ in TESTS)


def numbers(x: Any) -> list[float]:
    if isinstance(x, dict):
        x = list(x.values())
    return [y for item in x for y in numbers(item)] if isinstance(x, list) else [x] if isinstance(x, float) else []


def test_what_is_given_is_read_exactly_by_every_parser() -> None:
    for vector, _ in TESTS:
        for x in numbers(vector.given):
            numerator = Fraction(x).numerator
            assert numerator == 0 or (abs(numerator) // (numerator & -numerator)).bit_length() <= 12


@pytest.mark.parametrize("family", ["gradients", "deltas"])
def test_expected_gradients_are_those_that_are_certified(family: str) -> None:
    for vector, test in TESTS:
        if vector.family != family or "Kink" in vector.flags:
            continue
        found = certified_gradients(vector.case.network, vector.case.batch, vector.given["loss"])
        assert all(entry.rounded for entry in found.parameters())
        if family == "gradients":
            assert numbers(test["expected"]["gradients"]) == [entry.value for entry in found.parameters()]
        else:
            deltas = [entry.value for layer in found.layers for row in layer.deltas for entry in row]
            assert numbers(test["expected"]["deltas"]) == deltas


def answer(vector: Vector, gradients: Gradients) -> dict[str, Any]:
    """What an implementation says whose gradients these are."""
    case, given = vector.case, vector.given
    stepped = sgd_step(case.network, gradients, given["learning_rate"]) if vector.family == "step" else gradients

    def layers(of: Any) -> list[dict[str, Any]]:
        return [{"weights": listed(x.weights), "biases": x.biases and list(x.biases)} for x in of.layers]

    made: dict[str, Any] = {
        "outputs": lambda: listed(forward(case.network, case.batch.inputs).outputs),
        "loss": lambda: evaluate(case.network, case.batch, given["loss"]),
        "deltas": lambda: [listed(layer.deltas) for layer in gradients.layers],
        "gradients": lambda: layers(gradients),
        "step": lambda: layers(stepped),
    }
    return {name: made[name]() for name in FILES[vector.family]["tests"][0]["expected"]}


def listed(rows: Any) -> list[list[float]]:
    return [list(row) for row in rows]


def right(vector: Vector) -> Gradients:
    return backpropagation(vector.case.network, vector.case.batch, vector.given["loss"])


def test_the_textbook_is_inside_every_budget_and_no_budget_is_wide() -> None:
    for vector, test in ANSWERED:
        given = numbers(answer(vector, right(vector)))
        wanted = numbers(test["expected"])
        for format in ("binary64", "binary32"):
            allowed = numbers(test["budget"][format])
            assert len(given) == len(wanted) == len(allowed)
            assert all(abs(x - y) <= room for x, y, room in zip(given, wanted, allowed)), vector.id
            if "Kink" not in vector.flags:
                assert sum(allowed) < 0.01 * sum(map(abs, wanted)), vector.id


def test_at_a_kink_both_ends_of_clarkes_interval_are_accepted_and_nothing_beyond() -> None:
    kinks = [(vector.family, test) for vector, test in ANSWERED if "Kink" in vector.flags]
    assert len(kinks) == 9
    for family, test in kinks:
        width = 1.52 if family == "step" else 0.51  # a step may be taken sample by sample: conventions.stepped
        assert any(low < high for low, high in zip(*(numbers(test["clarke"][end]) for end in ("lower", "upper"))))
        rows = [numbers(test["clarke"]["lower"]), numbers(test["clarke"]["upper"]), numbers(test["expected"])]
        for low, high, middle, room in zip(*rows, numbers(test["budget"]["binary64"])):
            assert low <= high and abs(low - middle) <= room and abs(high - middle) <= room
            assert room <= (high - low) * width + 1e-12 * max(1.0, abs(middle))


def test_a_file_that_was_changed_does_not_verify() -> None:
    random = Random(0)
    for family in FAMILIES:
        assert list(verify(FILES[family])) == []
        for _ in range(12):
            broken = copy.deepcopy(FILES[family])
            broken["tests"] = broken["tests"][:2]
            broken["numberOfTests"] = 2
            assert list(verify(broken)) == []
            spoilt = spoil(random, random.choice(broken["tests"]))
            assert list(verify(broken)), spoilt


def spoil(random: Random, test: dict[str, Any]) -> str:
    """Change one number, or the hash, of a test."""
    places: list[tuple[Any, Any]] = [(test, "hash")]

    def collect(x: Any) -> None:
        for key, value in x.items() if isinstance(x, dict) else enumerate(x):
            if isinstance(value, float):
                places.append((x, key))
            elif isinstance(value, (dict, list)):
                collect(value)

    collect(test)
    where, key = random.choice(places)
    where[key] = "0" * 64 if key == "hash" else where[key] + 0.5
    return f"{key} of {where!r:.80}"


def test_verify_ends_with_status_3_and_names_the_vector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vectors", "verify"]) == 0
    assert "gradients.json: 52 tests, all as they should be" in capsys.readouterr().out
    broken = copy.deepcopy(FILES["loss"])
    broken["tests"][7]["expected"]["loss"] *= 1 + 2**-50
    (tmp_path / "loss.json").write_text(json.dumps(broken))
    assert main(["vectors", "verify", str(tmp_path / "loss.json")]) == 3
    out, err = capsys.readouterr()
    assert f"{broken['tests'][7]['id']}: expected is not what it should be" in err and "1 problem" in out
    (tmp_path / "other.json").write_text("[]")
    assert main(["vectors", "verify", str(tmp_path / "other.json")]) == 2
    assert "no file of test vectors" in capsys.readouterr().err


def test_bits_hold_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from purebp.oracle.asking.wire import from_bits

    assert main(["vectors", "export", str(tmp_path), "--floats", "bits"]) == 0
    found = json.loads((tmp_path / "step.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(shipped(SCHEMA))).validate(found)
    for test, same in zip(found["tests"], FILES["step"]["tests"], strict=True):
        texts = re.findall(r'"([0-9a-f]{16})"', json.dumps([test["given"], test["expected"], test["budget"]]))
        assert list(map(from_bits, texts)) == numbers([same["given"], same["expected"], same["budget"]])
    capsys.readouterr()


def test_lines_hold_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vectors", "export", str(tmp_path), "--lines"]) == 0
    for family in FAMILIES[:-1]:
        lines = (tmp_path / f"{family}.txt").read_text().splitlines()
        for (run, *told), test in zip(zip(*[iter(lines)] * 4), FILES[family]["tests"], strict=True):
            assert run.startswith(f"run {test['id']} {len(test['given']['layers'])} ")
            for line, head in zip(told, ("expected", "binary64", "binary32")):
                values = [float(word) for word in line.split() if re.match(r"-?\d", word)]
                assert line.startswith(f"{head} {test['id']} ")
                assert values == numbers(test["expected"] if head == "expected" else test["budget"][head])
    capsys.readouterr()


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


def test_what_is_to_be_refused_is_refused_by_purebp() -> None:
    for vector, _ in TESTS:
        if vector.family == "refused":
            with pytest.raises(ValueError):
                case = vector.case
                backpropagation(case.network, Batch(case.batch.inputs, case.batch.targets), vector.given["loss"])


def test_read_refuses_what_is_no_file_of_vectors() -> None:
    documents: list[Any] = [[], {}, {"tests": [], "family": "others"}, {"tests": [{"id": 3}], "family": "loss"}, None]
    for document in documents:
        with pytest.raises(ValueError, match="no file of test vectors"):
            read(document)
