"""`purebp replay`: one case, or one test vector, asked again."""

from __future__ import annotations

import pytest

from tests.subjects.asked import report, told


def test_the_report_ends_with_a_command_that_replays_the_case(capsys: pytest.CaptureFixture[str]) -> None:
    replay = report(capsys, "crashes on one case")[1]["replay"]
    assert replay.startswith("purebp replay wide ")
    status, out, _ = told(capsys, "replay", "crashes on one case", "wide")
    assert status == 1 and "corrupted top size" in " ".join(out.split()) and '\n> {"cmd": "run"' in out
    status, out, _ = told(capsys, "replay", "crashes on one case", "zeros")
    assert status == 0 and "correct" in out
    status, out, err = told(capsys, "replay", "is right", "no-such-case")
    assert status == 2 and "one-sample" in err
    status, out, _ = told(capsys, "replay", "is right", "gradients-softplus-mse-several-outputs")
    assert status == 1 and "wrong" in out  # it is of another activation


def test_vectors_are_replayed_as_what_they_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    for how, vector, status, words in (
        ("is right", "refused-inputs-too-narrow", 1, "it answers with crash, where an error is wanted"),
        ("is right", "gradients-identity-half_sse-one-sample", 2, "there is no case"),
        ("is right", "step-tanh-identity-mse-one-sample", 2, "asks for step, and the program is declared to return"),
    ):
        found, out, err = told(capsys, "replay", how, vector)
        assert found == status and words in " ".join((out + err).split()), (how, vector, out, err)
