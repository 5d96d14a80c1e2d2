"""`purebp check` as a user, a teacher and a grader meet it: every verdict in every format, and every way to fail."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
from collections.abc import Callable
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from purebp.cli import check, main
from purebp.oracle import ways
from purebp.oracle.asking.task import Outcome, Task
from purebp.oracle.examination import examine
from tests import ROOT
from tests.cli.running import PUREBP
from tests.subjects.files import (
    CLASSES,
    FLOAT32,
    HALF,
    MSE,
    NUMPY,
    ONE_LAYER,
    RIGHT,
    VECTOR,
    WRONG,
    at_last,
    at_once,
)

FORMATS = ("text", "json", "junit", "html")


VERDICTS: dict[str, tuple[str, list[str], str, int]] = {  # what it is: file, options, verdict, exit status
    "right": (RIGHT, MSE, "correct", 0),
    "right under a convention that was open": (HALF, MSE[:2], "correct-under-convention", 0),
    "right under another convention": (HALF, MSE, "correct-under-convention", 1),
    "rounded to single precision": (FLOAT32, MSE, "imprecise", 1),
    "wrong": (WRONG, MSE, "wrong", 1),
    "without an answer": (at_once("return helper(weights)"), MSE, "undecided", 5),
    "two layers for one": (at_last("gw, gb = gw * 2, gb * 2"), MSE, "wrong", 1),
    "undecided": (RIGHT, ["--activations", "sigmoid,sigmoid", *MSE[2:6], "--format", "bfloat16"], "undecided", 5),
    "crash": (at_once("import os; os._exit(len(inputs) + 5)"), MSE, "crash", 1),
    "timeout": (at_once("while len(inputs) == 2: pass"), [*MSE, "--timeout", "0.3"], "timeout", 1),
    "flaky": ("from random import random\n" + at_last("gb[0][0] *= random()"), MSE, "flaky", 1),
}
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `purebp check` in a folder with these files: exit status and stdout, or stderr if there is no report."""
    monkeypatch.chdir(tmp_path)

    def runs(*options: str, **files: str) -> tuple[int, str]:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        status = main(["check", *(["mine.py"] if "mine" in files else []), *options])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        if status in (2, 3, 4) and not out:
            assert err.startswith("purebp: ") and err.count("\n") == 1
            return status, err
        assert not err
        return status, out

    return runs


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every candidate judged once; what is printed and returned is then tested in every format."""
    folder = tmp_path_factory.mktemp("candidates")
    found: dict[str, Outcome] = {}
    for name, (text, options, _, _) in VERDICTS.items():
        (folder / "mine.py").write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(check, "examine", lambda *args, name=name: found.setdefault(name, examine(*args)))
            main(["check", str(folder / "mine.py"), *options, "--output", os.fspath(folder / "report")])
    return found


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_report_and_exit_status(
    name: str, format: str, outcomes: dict[str, Outcome], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, options, verdict, wanted = VERDICTS[name]
    monkeypatch.setattr(check, "examine", lambda *args: outcomes[name])
    status, shown = run(*options, "--report", format, mine=text)
    assert status == wanted
    conforms = wanted == 0
    if format == "text":
        report = outcomes[name].report
        assert report is not None
        assert shown.startswith(f"{report.headline}\n\n")
        again = shown.splitlines()[-1]
        assert again.startswith("Again: purebp check ") and "mine.py:backpropagation" in again
        for option in options:
            assert shlex.quote(option) in again
    elif format == "json":
        document = strict_json(shown)
        assert (document["verdict"], document["conforms"]) == (verdict, conforms)
        assert (document["score"] == 1.0) == conforms and 0 <= document["score"] <= 1
    elif format == "junit":
        (suite,) = ElementTree.fromstring(shown.encode())
        failures = suite.findall("testcase/failure")
        assert int(suite.attrib["failures"]) == len(failures) and bool(failures) != conforms
        assert all(failure.attrib["type"] == verdict for failure in failures)
    else:
        assert shown.startswith("<!doctype html>") and shown.rstrip().endswith("</html>")


def strict_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_a_crash_and_a_time_out_name_the_case(outcomes: dict[str, Outcome]) -> None:
    told = {
        name: str(outcomes[name].report) for name in ("crash", "timeout", "without an answer", "two layers for one")
    }
    assert "On the case “one sample” its process ends, with exit status 6." in told["crash"]
    assert "On the case “two samples” it has not answered after 0.3 seconds" in told["timeout"]
    assert "NameError: name 'helper' is not defined" in told["without an answer"]
    assert "\n  line 4, in backpropagation: return helper(weights)\n" in told["without an answer"]
    assert "2 layers, and is asked with 1" in told["two layers for one"]


def test_what_it_prints_stays_out_of_the_report(run: Run) -> None:
    noisy = at_once("print('inside'); os.write(1, b'C'); os.write(2, b'C'); sys.stderr.write('E')")
    noisy = f"import os, sys\nprint('outside')\nos.write(1, b'C')\nsys.stderr.write('E')\n{noisy}"
    status, shown = run(*MSE, "--report", "json", mine=noisy)
    assert status == 0
    assert [finding["kind"] for finding in strict_json(shown)["findings"]] == ["prints"]


REFUSED: dict[str, tuple[str, int, list[str]]] = {  # arguments: the file, the exit status, and what is said
    "missing.py": (RIGHT, 4, ["no file 'missing.py'"]),
    ".": (RIGHT, 4, ["'.' is a directory"]),
    "syntax.py": ("x = 1\ndef f(:\n    pass\n", 4, ["line 2", "def f(:"]),
    "indent.py": ("def f():\npass\n", 4, ["line 2", "indented"]),
    "nul.py": ("x = '\0'\n", 4, ["nul.py"]),
    "raises.py": ("x = 1\nraise ValueError('bad')\n", 4, ["line 2", "ValueError: bad"]),
    "lacks.py": ("import no_such_module\n", 4, ["line 1", "No module named 'no_such_module'"]),
    "exits.py": ("import sys\nsys.exit(3)\n", 4, ["line 2", "__main__"]),
    "dies.py": ("import os\nos._exit(3)\n", 4, ["'dies.py' cannot be loaded", "exit status 3"]),
    "asks.py": ("n = input()\n", 4, ["line 1", "EOFError"]),
    "hangs.py --timeout 0.3": ("while True: pass\n", 4, ["0.3 seconds", "__main__"]),
    "empty.py": ("", 4, ["no function", "(weights, biases, inputs, targets)"]),
    "short.py": ("def backprop(x, y): pass\n", 4, ["backprop(x, y)", "(weights, biases, inputs, targets)"]),
    "short.py:backprop": ("def backprop(x, y): pass\n", 4, ["takes (x, y)"]),
    "other.py:f": (RIGHT, 4, ["no function 'f'", "backpropagation(weights, biases, inputs, targets)"]),
    "value.py:f": ("f = 3\n", 4, ["'f'", "no function"]),
    "two.py": ("def f(a, b, c, d): pass\ndef g(a, b, c, d): pass\n", 4, ["two.py:f", "g(a, b, c, d)"]),
    "known.py": (f"{RIGHT}PUREBP = {{'activation': 'relu'}}\n", 4, ["PUREBP", "'activation'", "activations"]),
    "text.py": (f"{RIGHT}PUREBP = 'relu'\n", 4, ["PUREBP", "'relu'", "dictionary"]),
    "name.py": (f"{RIGHT}PUREBP = {{'activations': ['rellu']}}\n", 4, ["PUREBP", "'rellu'"]),
    "wide.py": (f"{RIGHT}PUREBP = {{'sizes': [2, 'x']}}\n", 4, ["PUREBP", "'x'"]),
    "odd.py": (f"{RIGHT}PUREBP = {{'batch': 'x'}}\n", 4, ["PUREBP", "'x'"]),
    "layout.py": (f"{RIGHT}PUREBP = {{'weights': 'x'}}\n", 2, ["layout.py", "weights='x'", "in_out"]),
    "a.py --activations sigmoid,rellu": (RIGHT, 2, ["--activations", "'rellu'", "relu"]),
    "a.py --loss frob": (RIGHT, 2, ["--loss", "'frob'", "mse"]),
    "a.py --sizes 2,x": (RIGHT, 2, ["--sizes", "'x'"]),
    "a.py --activations relu,relu --sizes 2,3": (RIGHT, 2, ["(2, 3)", "2 activations"]),
    "a.py --returns frob": (RIGHT, 2, ["--returns", "'frob'", "descent"]),
    "a.py --returns step": (RIGHT, 2, ["learning_rate"]),
    "a.py --samples vector --batch 2": (RIGHT, 2, ["vector", "batch"]),
    "a.py --timeout 0": (RIGHT, 2, ["--timeout", "'0'"]),
    "a.py --report pdf": (RIGHT, 2, ["--report", "'pdf'", "junit"]),
    "a.py --output a.py": (RIGHT, 2, ["--output", "overwrite", "a.py"]),
    "a.py --output no/where.txt": (RIGHT, 2, ["no/where.txt"]),
    "a.py --arrays jax": (RIGHT, 2, ["jax", "not installed"]),
    "": (RIGHT, 2, ["FILE.py"]),
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_one_sentence_says_why_there_is_nothing_to_check(arguments: str, run: Run) -> None:
    text, wanted, told = REFUSED[arguments]
    if "jax" in arguments and find_spec("jax"):
        pytest.skip("jax is installed")
    words = arguments.split()
    name = words[0].partition(".")[0] if words else ""
    files = {} if name in ("", "missing") else {name: text}
    status, said = run(*words, **files)
    assert status == wanted
    for part in told:
        assert part in said


GUESSED: dict[str, tuple[str, str]] = {  # what it is: the file, and the options that are found
    "columns": (NUMPY, "--activations tanh,identity --samples columns --arrays numpy"),
    "inputs × outputs": (CLASSES, "--activations relu,softmax --weights in_out --arrays numpy"),
    "one layer without biases": (ONE_LAYER, "--activations identity --no-biases"),
    "one sample": (VECTOR, "--activations sigmoid,sigmoid --samples vector"),
    "as assumed": (RIGHT, "--activations sigmoid,sigmoid"),
}


@pytest.mark.parametrize("name", GUESSED)
def test_a_file_is_enough(name: str, run: Run) -> None:
    text, options = GUESSED[name]
    if "numpy" in options and not find_spec("numpy"):
        pytest.skip("NumPy is not installed")
    status, shown = run(mine=text)
    assert status == 0
    (note,) = (line for line in shown.splitlines() if line.startswith("Not declared, and found by trying: "))
    assert sorted(note.partition(": ")[2].split()) == sorted(options.split())
    again = shlex.split(shown.splitlines()[-1])
    assert again[4:] == options.split()
    assert run(*again[3:])[0] == 0


def test_what_is_wrong_is_wrong_however_it_is_called(run: Run) -> None:
    status, shown = run(mine=WRONG)
    assert status == 1
    assert (
        "bias gradient of one sample" in shown
        and "--activations sigmoid,sigmoid. If that is not so, declare it." in shown
    )


@pytest.mark.skipif(find_spec("numpy") is None, reason="NumPy is not installed")
def test_a_wrong_one_is_taken_for_what_it_should_be(run: Run) -> None:
    status, shown = run(mine=CLASSES.replace(" * (z1 > 0)", ""))
    assert status == 1
    assert "activation derivative missing" in shown and "--weights in_out --activations relu,softmax. If" in shown


def test_a_candidate_that_keeps_something_is_not_confused_by_the_guess(run: Run) -> None:
    keeps = at_last(
        "old = kept.get(key := repr(weights)); kept[key] = gw = old and [[[a + b for a, b in zip(*rs)] "
        "for rs in zip(*ws)] for ws in zip(old, gw)] or gw"
    )
    status, shown = run(mine=f"kept = {{}}\n{keeps}")
    assert status == 1 and "not reset between calls" in shown


def test_the_file_declares_and_the_command_line_wins(run: Run) -> None:
    declared = f'{HALF}PUREBP = {{"activations": ["sigmoid"], "loss": "mse", "sizes": "2,2"}}\n'
    assert run(mine=declared)[0] == 1
    assert run("--loss", "half_sse", mine=declared)[0] == 0


def test_the_file_and_the_command_line_declare_together(run: Run) -> None:
    steps = at_last(
        "gw, gb = ([[[w - 0.5 * g for w, g in zip(*rows)] for rows in zip(*ws)] for ws in zip(weights, gw)], "
        "[[c - 0.5 * g for c, g in zip(*cs)] for cs in zip(biases, gb)])"
    )
    declared = steps + 'PUREBP = {"activations": ["sigmoid"], "loss": "mse", "learning_rate": 0.5}\n'
    assert run("--returns", "step", mine=declared)[0] == 0
    assert run("--returns", "step", "--learning-rate", "0.25", mine=declared)[0] == 1


def test_a_loss_of_the_file_itself_is_checked_and_reported(run: Run) -> None:
    own = (
        "from purebp.textbook.losses import Loss\n"
        'LOSS = Loss("mine", "sum", lambda p, t, on: (p - t) * (p - t) / 2, lambda p, t, on: p - t)\n'
        'PUREBP = {"activations": ["sigmoid"], "loss": LOSS, "sizes": [2, 3], "returns": "gradients"}\n'
    )
    status, shown = run(
        "right.py",
        "double.py",
        "--report",
        "json",
        right=HALF + own,
        double=RIGHT.replace("/ (len(y) * len(inputs))", "") + own,
    )
    right, double = strict_json(shown)
    assert (status, right["verdict"]) == (1, "correct")
    assert (double["verdict"], double["conforms"]) == ("correct-under-convention", False)
    assert double["explanations"][0]["name"] == "factor 2"
    assert double["convention"]["loss"] == "2 × mine"


def test_networks_of_any_depth(run: Run) -> None:
    status, shown = run("--activations", "sigmoid,...", "--report", "json", mine=RIGHT)
    assert status == 0
    assert max(len(case["sizes"]) for case in strict_json(shown)["cases"]) == 10
    assert run(mine=RIGHT + 'PUREBP = {"activations": "sigmoid"}\n')[1].count("over 20 cases") == 1


def test_modules_beside_it_are_found_and_nothing_is_left_there(run: Run, tmp_path: Path) -> None:
    assert run(*MSE, helper=RIGHT, mine="from helper import backpropagation\n")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["helper.py", "mine.py"]


def test_output_is_written_whole_and_the_verdict_shown(run: Run, tmp_path: Path) -> None:
    status, shown = run(*MSE, "--report", "html", "--output", "page.html", mine=WRONG)
    assert status == 1
    assert shown == "mine.py:backpropagation: wrong: bias gradient of one sample\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").endswith("</html>\n")


CLASS = {"a": RIGHT, "b": WRONG, "c": at_once("import os; os.abort()"), "d": at_once("while True: pass"), "e": "x =\n"}


@pytest.mark.parametrize("format", FORMATS)
def test_several_files(
    format: str, run: Run, class_outcomes: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = class_outcomes
    monkeypatch.setattr(check, "examine", lambda asked, watch: known[asked.file])
    names = [f"{name}.py" for name in CLASS]
    status, shown = run(*names, *MSE, "--timeout", "0.3", "--report", format, **CLASS)
    assert status == 1
    if format == "text":
        rows = [line.split()[:3] for line in shown.splitlines()]
        assert rows[1:6] == [
            ["a.py:backpropagation", "1.00", "correct"],
            ["b.py:backpropagation", "0.59", "wrong"],
            ["c.py:backpropagation", "0.00", "crash"],
            ["d.py:backpropagation", "0.00", "timeout"],
            ["e.py", "0.00", "not-loaded"],
        ]
        told = ["bias gradient of one sample", "SIGABRT", "0.3 seconds", "invalid syntax"]
        assert all(part in line for part, line in zip(told, shown.splitlines()[2:]))
        assert shown.endswith("1 of 5 candidates conforms\n")
    elif format == "json":
        verdicts = [report["verdict"] for report in strict_json(shown)]
        assert verdicts == ["correct", "wrong", "crash", "timeout", "not-loaded"]
    elif format == "junit":
        suites = ElementTree.fromstring(shown.encode())
        assert [int(suite.attrib["failures"]) > 0 for suite in suites] == [False, True, True, True, True]
    else:
        assert shown.count("<h1") == 5


@pytest.fixture(scope="module")
def class_outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    found = {}
    with chdir(tmp_path_factory.mktemp("class")):
        for name, text in CLASS.items():
            Path(file := f"{name}.py").write_text(text)
            declared = {"activations": ("sigmoid",), "loss": "mse"}
            found[file] = examine(Task(file, None, declared, timeout=0.3, alone=False, source=text))
    return found


@pytest.mark.parametrize(
    ("words", "text", "status", "told"),
    [
        (["-"], RIGHT, 0, "stdin:backpropagation: correct"),
        (["stdin:helper"], RIGHT, 4, "purebp: 'stdin' has no function 'helper': it has backpropagation("),
        (["stdin:backpropagation"], RIGHT, 0, "stdin:backpropagation: correct"),
        (["-"], at_once("return inputs[99]"), 5, "  line {line}, in backpropagation: return inputs[99]"),
        (["-"], "x = 1\ny = z\n", 4, "purebp: 'stdin' cannot be loaded: line 2: y = z: NameError"),
        (["-"], "x =\n", 4, "purebp: 'stdin' is not Python"),
        (["-"], "", 4, "purebp: 'stdin' has no function that can be called with"),
        (["-"], b"\xff", 4, "purebp: '-' is not UTF-8 text, line 1"),
    ],
)
def test_a_file_may_come_on_standard_input(
    words: list[str], text: str | bytes, status: int, told: str, tmp_path: Path
) -> None:
    content = text.encode() if isinstance(text, str) else text
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "CI": "1"}
    options = MSE if status in (0, 5) else []
    command = [*PUREBP, "check", *words, *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, input=content, capture_output=True, timeout=60)
    line = next((n for n, row in enumerate(content.splitlines(), 1) if b"inputs[99]" in row), 0)
    assert (done.returncode, told.format(line=line) in (done.stdout + done.stderr).decode()) == (status, True)
    if status in (0, 5):
        assert "Again: purebp check stdin:backpropagation --activations" in done.stdout.decode()


def test_exit_status_of_several_files(run: Run) -> None:
    assert run("a.py", "b.py", *MSE, a=RIGHT, b=RIGHT)[0] == 0
    status, shown = run("a.py", "b.py", a="x =\n", b="")
    assert status == 4 and "0 of 2 candidates conform\n" in shown
    assert run("a.py", "b.py", *MSE, a=RIGHT, b="")[0] == 1


def test_a_defect_of_purebp_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*args: Any, **more: Any) -> None:
        raise KeyError("what?")

    monkeypatch.setattr(ways, "within_limits", fails)
    Path("mine.py").write_text(RIGHT)
    assert main(["check", "mine.py"]) == 3
    assert "a defect of purebp" in (said := capfd.readouterr().err) and "KeyError: 'what?'" in said


def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(RIGHT)
    ours, theirs = pty.openpty()
    command = [*PUREBP, "check", "a.py", "a.py", *MSE]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0 and b"2 of 2 candidates conform" in done.stdout
    assert "2/2  a.py: one sample" in shown


def test_each_run_has_a_seed_of_its_own_that_its_last_line_repeats(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []
    for name in ("CI", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    for _ in range(2):
        text = run(mine=RIGHT)[1]
        found = re.search(r"Again: purebp check .* --seed (\d+)", text)
        assert found
        seeds.append(int(found[1]))
        assert f"--seed {seeds[-1]}" in run("--seed", str(seeds[-1]), mine=RIGHT)[1]
    assert seeds[0] != seeds[1]
    monkeypatch.setenv("CI", "1")
    assert "--seed" not in run(mine=RIGHT)[1]
