"""`purebp check -- PROGRAM`: every way to misbehave has its verdict, in time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from purebp.cli import main
from purebp.testing import explore
from tests import ROOT
from tests.subjects.asked import BROKEN, program, report, told


@pytest.mark.parametrize(
    ("how", "verdict", "status", "sentence"),
    [
        ("is right", "correct", 0, ""),
        ("leaves a child", "correct", 0, ""),
        ("says null", "correct", 0, ""),
        ("begins with a mark", "correct", 0, ""),
        ("answers once", "crash", 1, "if it answers once and ends, check it with --once"),
        ("writes a megabyte to stderr", "correct", 0, ""),
        ("crashes on the third case", "crash", 1, "ended by the signal SIGSEGV"),
        ("crashes on one case", "crash", 1, "exit status 1; its last words: 'malloc(): corrupted top size'"),
        ("ends early", "crash", 1, "its process ends, with exit status 0"),
        ("hangs", "timeout", 1, "it has not answered after 1 s and was stopped"),
        ("closes its input", "crash", 1, "it closes its standard input"),
        ("closes its output", "crash", 1, "it closes its standard output"),
        ("answers the wrong id", "malformed", 1, "it answers with the id 'another', which it was not asked for: "),
        ("prints noise", "malformed", 1, "it writes 'now in epoch 1'"),
        ("prints without end", "malformed", 1, "it writes 'now in epoch 1'"),
        ("breaks off its JSON", "malformed", 1, "which is no answer: not JSON"),
        ("writes a line of 20 MB", "malformed", 1, "a line of more than 16 MiB"),
        ("answers NaN", "wrong", 1, "∂loss/∂b¹ holds NaN"),
        ("answers null", "wrong", 1, "∂loss/∂b¹ holds None: a number is wanted"),
        ("answers at random", "flaky", 1, "it gives different answers"),
        ("adds up", "wrong", 1, "its answer grows from call to call"),
        ("skips everything", "skipped", 5, "it skips it: not today"),
        ("reports errors", "undecided", 5, "it reports an error: memory: out of it"),
        ("is wrong", "wrong", 1, ""),
    ],
)
def test_every_way_has_its_verdict_in_time(
    how: str, verdict: str, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start = time.monotonic()
    found = report(capsys, how, *["--timeout", "20"] * ("MB" in how))  # 16 MiB take their time
    assert (found[1]["verdict"], found[0]) == (verdict, status), found
    assert any(sentence in finding["sentence"] for finding in found[1]["findings"]) or not sentence, found[1][
        "findings"
    ]
    assert len(found[1]["cases"]) == (11 if status == 1 or verdict == "undecided" else 18)  # the run went on
    assert time.monotonic() - start < 60  # three time-outs in a row end it; the rest is a slow machine's


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("crashes at once", "exit status 1; its last words: 'no licence found'"),
        ("hangs at start", "it has not answered after 1.2 s and was stopped"),
    ],
)
def test_without_a_hello_there_is_nothing_to_ask(how: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("check", "smoke"):
        status, out, err = told(capsys, verb, how, "--timeout", "0.2")
        assert (status, out) == (4, "") and sentence in err and "the protocol is in docs/wire-format.md" in err, err


def test_a_program_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--", "./no-such-program"]) == 4
    assert "cannot be started: No such file or directory" in capsys.readouterr().err


def test_what_a_hello_must_not_say(capsys: pytest.CaptureFixture[str]) -> None:
    for hello, wanted in (
        ("hello 2 mine", "a hello is wanted"),
        ("Welcome!", "a hello is wanted"),
        ('{"protocol": 1}', 'a "name" is wanted'),
        ("hello 1 mine activation=tanh", "its hello has 'activation': known are protocol"),
        ("hello 1 mine activations=tanh,swish", "unknown activation 'swish'"),
        ("hello 1 mine format=binary128", "binary128"),
        ("hello 1 mine samples=diagonal", "samples"),
        ("hello 1 mine floats=hex", "floats 'hex'"),
        ('{"protocol": 1, "name": "mine", "sizes": "abc"}', "'abc' is not a whole number"),
    ):
        words = [sys.executable, "-S", "-c", f"input(); print({hello!r}, flush=True); input()"]
        assert main(["check", "--", *words]) in (2, 4), hello
        assert wanted in capsys.readouterr().err, hello


def test_a_failure_that_a_fresh_process_does_not_show_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, "crashes on the third case")[1]
    assert "in a fresh process, it gives another answer" in found["findings"][-1]["sentence"]
    found = report(capsys, "crashes on one case")[1]
    assert found["findings"][-1]["kind"] == "crash"


@pytest.mark.parametrize("hello", [(), ("samples=rows",), ("biases=true",), ("weights=out_in",)])
@pytest.mark.parametrize(
    ("how", "status", "name"), [("right", 0, ""), ("biases", 1, "3"), ("first", 1, "first sample")]
)
def test_a_layout_that_is_not_declared_hides_no_mistake(
    how: str, status: int, name: str, hello: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the line dialect a vector and a batch of one are the same line, and a program may take no biases as well."""
    assert main(["check", "--", sys.executable, "-S", str(Path(BROKEN).with_name("words.py")), how, *hello]) == status
    out = capsys.readouterr().out
    assert name in out and "--no-biases" not in out and "vector" not in out


def test_who_forgets_the_biases_is_not_taken_for_one_that_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--", sys.executable, "-S", str(Path(BROKEN).with_name("words.py")), "forgets"]) == 5
    assert "∂loss/∂b¹ was not given, so that it is not judged" in " ".join(capsys.readouterr().out.split())


def test_numbers_that_were_printed_with_few_digits_are_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = report(capsys, "rounds")
    assert (status, found["verdict"]) == (1, "imprecise")
    assert found["notes"][0].startswith("Every number is right up to 6 significant digits, and was rounded to them")


def test_a_time_out_reminds_of_flushing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "if it has, it did not flush its output" in report(capsys, "hangs")[1]["findings"][0]["sentence"]


@pytest.mark.parametrize("declared", [{"returns": "step", "learning_rate": 0.5}, {"returns": "gradients"}])
def test_gradients_are_no_step_and_the_reverse(declared: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    given, other = ("gradients", "step") if declared["returns"] == "step" else ("step", "gradients")
    said = json.dumps({"protocol": 1, "name": "mine", "activations": ["identity"], **declared})
    code = f"""
import json, sys
input(); print({said!r}, flush=True)
for line in sys.stdin:
    print(json.dumps({{"id": json.loads(line)["id"], {given!r}: []}}), flush=True)"""
    assert main(["check", "--", sys.executable, "-S", "-c", code]) == 1
    assert f"it gives {given} and is declared to return {other}" in " ".join(capsys.readouterr().out.split())


def test_a_remark_is_no_verdict_and_a_crash_no_chance(capsys: pytest.CaptureFixture[str]) -> None:
    for how in ("ends with status 3", "does not end"):
        status, found = report(capsys, how)
        assert status == 0 and any("At the end of its input" in note for note in found["notes"])
    for how in ("crashes on the third case", "closes its output"):
        status, found = report(capsys, how)
        assert not any("by chance:" in finding["sentence"] for finding in found["findings"])
        assert not any("No layout" in note for note in found["notes"])
    found = report(capsys, "answers twice")[1]
    assert any("which it was not asked for" in finding["sentence"] for finding in found["findings"])
    found = report(capsys, "ends within a line")[1]
    assert any("without an end of line" in finding["sentence"] for finding in found["findings"])


def test_what_is_too_large_to_check_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    for sizes, batch in (("3000,3000", "1"), ("2,1000000000", "1"), ("2,1", "1000000")):
        status, _, err = told(capsys, "check", "is right", "--sizes", sizes, "--batch", batch)
        assert status == 2 and "1,000,000 can be checked" in err


def test_skipped_cases_are_no_evidence_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = told(capsys, "check", "skips batches")
    assert status == 0 and "correct" in out and "it skips it: one sample at a time" in " ".join(out.split())
    assert "(over 3 cases, 15 skipped; binary64)" in out and "--samples" not in out


@pytest.mark.parametrize("how", ["is right", "is wrong"])
def test_once_is_the_same(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept, anew = report(capsys, how), report(capsys, how, "--once")
    assert {**anew[1], "replay": ""} == {**kept[1], "replay": ""}


def test_exploring_drives_a_program_and_ends_with_the_smallest_network(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as briefly:  # where nothing is found, all examples are tried
        briefly.setattr(explore, "QUIET", settings(explore.QUIET, max_examples=30))
        assert report(capsys, "is right", "--explore")[0] == 0
    for how, verdict in (("is wrong below -3", "wrong"), ("crashes below -3", "crash")):
        assert report(capsys, how)[0] == 0  # the ladder does not go there
        status, found = report(capsys, how, "--explore")
        assert (status, found["verdict"]) == (1, verdict)
        last = found["cases"][-1]
        assert (last["name"], last["sizes"], last["samples"]) == ("found by exploring", [1, 1], 1)
        assert "inputs [[-4]]" in found["smallest"]


def test_standard_error_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--", *program("writes a megabyte to stderr")]) == 0
    assert "x" * 1000 in capfd.readouterr().err


WORDS = str(ROOT / "tests" / "subjects" / "words.py")
ZEROS = """
import sys
next(sys.stdin)
print("hello 1 zeros", *sys.argv[1:], flush=True)
for line in sys.stdin:
    _, number, depth, *sizes = line.split()
    pairs = list(zip(sizes, sizes[1:]))[:int(depth)]
    print(number, "gradients", *["0"] * sum(int(n) * int(m) + int(m) for n, m in pairs), flush=True)
"""


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["check", "--report", "json", "--timeout", "30", "--", sys.executable, *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, found


@pytest.mark.parametrize(
    "hello",
    ["activations=sigmoid sizes=3,3", "activations=sigmoid,... sizes=3,3", "sizes=3,3", "activations=relu sizes=3,2,3"],
)
def test_widths_say_how_many_layers_a_program_has(hello: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = checked(capsys, "-S", "-c", ZEROS, "loss=half_sse", *hello.split())
    sizes = hello.partition("sizes=")[2]
    assert (status, found["verdict"]) == (1, "wrong")
    assert {",".join(map(str, case["sizes"])) for case in found["cases"]} == {sizes}
    status = main(["smoke", "--timeout", "30", "--", sys.executable, "-S", "-c", ZEROS, *hello.split()])
    assert status == 0, capsys.readouterr().out


def test_who_declares_in_out_and_reads_out_in_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = checked(capsys, WORDS, "right", "weights=in_out")
    assert (status, found["verdict"], found["conforms"]) == (1, "correct-under-convention", False)
    assert found["notes"][0].startswith("It declares weights=in_out, and reads the numbers, and writes them, as out_in")
    assert not any(tensor["wrong"] for tensor in found["tensors"])


@pytest.mark.parametrize("how", ["biases", "forgets"])
def test_who_has_another_mistake_beside_is_not_told_so(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = checked(capsys, WORDS, how, "weights=in_out")
    assert status == 1 and found["verdict"] == "wrong"
    assert not any("weights=in_out" in note for note in found["notes"])
