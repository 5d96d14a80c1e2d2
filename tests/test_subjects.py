"""Programs in eight languages, built with the real toolchains where they are here: checked, and reading vectors."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from purebp.cli import main
from purebp.oracle.asking.declared import declaration
from purebp.oracle.asking.wire import HELLO, Request, read_hello
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import Vector
from tests import ROOT

os.environ.pop("JAVA_TOOL_OPTIONS", None)  # which java repeats on its standard error
SUBJECTS = ROOT / "docs" / "examples" / "subjects"
RIGHT = (
    "backprop.c",
    "backprop.js",
    "backprop.rs",
    "Backprop.java",
    "backprop.cpp",
    "backprop.go",
    "Backprop.cs",
    "backprop.jl",
)
READERS = ("reader.c", "reader.js", "reader.rs", "Reader.java")
TOOLCHAINS = {
    ".c": "gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -o {stem} {stem}.c -lm",
    ".js": "node --check {stem}.js",
    ".rs": "rustc -D warnings {stem}.rs",
    ".java": "javac -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -Xlint:all -Werror {stem}.java",
    ".cpp": "g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -O2 -o {stem} {stem}.cpp",
    ".go": "go build -o {stem} {stem}.go",
    ".cs": "mcs -warn:4 -warnaserror -out:{stem}.exe {stem}.cs",
    ".jl": "julia --startup-file=no -e nothing",
}
RUN = {
    ".js": ["node", "{path}.js"],
    ".java": ["java", "-cp", "{directory}", "{stem}"],
    ".cs": ["mono", "{path}.exe"],
    ".jl": ["julia", "--startup-file=no", "{path}.jl"],
}
Built = Callable[..., list[str]]


def compiled(file: str, directory: Path) -> list[str]:
    """Build the file in that directory, without a warning, or skip; the command that runs it."""
    stem, suffix = Path(file).stem, Path(file).suffix
    words = TOOLCHAINS[suffix].format(stem=stem).split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    command = RUN.get(suffix, ["{path}"])
    return [word.format(path=directory / stem, directory=directory, stem=stem) for word in command]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The command that runs a program of docs/examples/subjects, built once; with one line of one file changed."""

    @cache
    def build(file: str, changed: str = "", old: str = "", new: str = "") -> list[str]:
        directory = tmp_path_factory.mktemp("subjects")
        shutil.copytree(SUBJECTS, directory, dirs_exist_ok=True)
        if changed:
            text = (directory / changed).read_text(encoding="utf-8")
            assert text.count(old) == 1
            (directory / changed).write_text(text.replace(old, new), encoding="utf-8")
        return compiled(file, directory)

    return build


def checked(command: list[str], capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of `purebp check`."""
    status = main(["check", "--report", "json", *options, "--", *command])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, report


def test_an_error_is_right_where_nothing_makes_sense(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["replay", "refused-inputs-too-narrow", "--"]
    assert main([*words, *built("backprop.js")]) == 0
    assert "refused: correct" in capsys.readouterr().out
    assert main(["replay", "forward-tanh-identity-mse-one-sample", "--", *built("backprop.js")]) == 5
    assert "it is asked for outputs, and does not give all of that" in " ".join(capsys.readouterr().out.split())
    assert main([*words, *built("backprop.c")]) == 2
    assert "cannot be asked in words" in capsys.readouterr().err


@pytest.mark.parametrize("file", RIGHT)
@pytest.mark.parametrize(
    "options",
    [
        "",
        "--activations relu,sigmoid",
        "--activations relu,... --loss sse",
        "--activations sigmoid,...",
        "--activations relu --no-biases",
    ],
)
def test_a_right_program_is_correct(file: str, options: str, built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = checked(built(file), capsys, *options.split())
    assert (status, report["verdict"], report["findings"]) == (0, "correct", [])


@pytest.mark.parametrize("file", ["backprop.c", "backprop.js"])
def test_it_may_be_started_for_every_case(file: str, built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(built(file), capsys, "--once")[1]["verdict"] == "correct"


@pytest.mark.parametrize("file", RIGHT)
def test_it_speaks_the_protocol(file: str, built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--", *built(file)]) == 0
    assert capsys.readouterr().out.endswith("backprop speaks the protocol\n")


@pytest.mark.parametrize("file", RIGHT)
@pytest.mark.parametrize("options", [["--activations", "tanh,gelu"], ["--loss", "mae"]], ids=" ".join)
def test_what_it_does_not_have_it_skips(
    file: str, options: list[str], built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = checked(built(file), capsys, *options)
    assert (status, report["verdict"]) == (5, "skipped")


@pytest.mark.parametrize(
    ("file", "verdict", "told"),
    [
        ("backprop_wrong.c", "imprecise", "in binary32 somewhere"),
        ("backprop_wrong.js", "wrong", "rows that share one list"),
    ],
)
def test_a_wrong_twin_is_caught_by_name(
    file: str, verdict: str, told: str, built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--", *built(file)]) == 1
    first, *rest = capsys.readouterr().out.splitlines()
    assert f": {verdict}" in first
    assert told in " ".join([first, *rest])
    right, wrong = ((SUBJECTS / name).read_text().splitlines() for name in (file.replace("_wrong", ""), file))
    assert sum(a != b for a, b in zip(right, wrong, strict=True)) <= 4  # the comment at its head, and the mistake


BIASES = "bias gradient of one sample"
MISTAKES = [  # a program, one of its lines, what people write in its place, and what the report calls that
    ("backprop.c", "layer->db[j] += delta", "layer->db[j] = delta", BIASES),
    ("backprop.c", "error_below[i] += ", "error_below[i] = ", "error overwritten instead of accumulated"),
    ("backprop.c", "2.0 / (given.samples", "2 / (given.samples", "all gradients are 0"),
    ("backprop.c", "layer->w[j][i] * delta", "layer->w[i][j] * delta", None),  # reads what is not of this matrix
    ("backprop.js", "gradient.biases[j] += delta", "gradient.biases[j] = delta", BIASES),
    ("backprop.js", "1 - a * a", "1 - a", "1 − a in place of a (1 − a)"),
    ("backprop.rs", "biases[j] += delta", "biases[j] = delta", BIASES),
    ("backprop.rs", "Self::Tanh => 1.0 - a * a", "Self::Tanh => 1.0 - a.tanh().powi(2)", "squashed twice"),
    ("Backprop.java", "gradient.biases[j] += delta", "gradient.biases[j] = delta", BIASES),
    ("Backprop.java", "[i] += delta * below", "[i] = delta * below", "weight gradient of the last sample"),
    ("backprop.cpp", "gradient.biases[j] += delta", "gradient.biases[j] = delta", BIASES),
    ("backprop.cpp", "Matrix a{inputs[s]}", "Matrix a{inputs[0]}", None),  # with the targets of every sample
    ("backprop.go", "gradient.Biases[j] += delta", "gradient.Biases[j] = delta", BIASES),
    ("backprop.go", "1 - a*a", "1 - a", "1 − a in place of a (1 − a)"),
    ("Backprop.cs", "gradient.Biases[j] += delta", "gradient.Biases[j] = delta", BIASES),
    ("Backprop.cs", "[i] += delta * below", "[i] = delta * below", "weight gradient of the last sample"),
    ("backprop.jl", "a -> 1 - a * a", "a -> 1 - a", "1 − a in place of a (1 − a)"),
]


@pytest.mark.parametrize(("file", "old", "new", "name"), MISTAKES)
def test_a_mistake_is_found_and_named(
    file: str, old: str, new: str, name: str | None, built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = checked(built(file, file, old, new), capsys)
    assert (status, report["verdict"]) == (1, "wrong")
    names = [explanation["name"] for explanation in report["explanations"]]
    assert names[:1] == ([name] if name else [])


def has(vector: Vector) -> bool:
    """What the programs have, as docs/any-language.md says."""
    given = vector.given
    functions = {layer["activation"] for layer in given["layers"]}
    return functions <= {"identity", "sigmoid", "tanh", "relu"} and given["loss"] in ("mse", "sse")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test vectors in both forms, as `purebp vectors export` writes them."""
    directory = tmp_path_factory.mktemp("vectors")
    assert main(["vectors", "export", str(directory)]) == main(["vectors", "export", str(directory), "--lines"]) == 0
    return directory


def read(command: list[str], vectors: Path) -> tuple[int, list[str]]:
    """The exit status and the lines of a reader."""
    done = subprocess.run([*command, vectors], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def gradients_for(reader: str) -> str:
    """The file that it reads."""
    return "gradients.txt" if reader.endswith(".c") else "gradients.json"


@pytest.mark.parametrize("file", READERS)
def test_a_reader_accepts_what_is_right(file: str, built: Built, exported: Path) -> None:
    tried = sum(map(has, load("gradients")))
    assert tried >= 15
    skipped = len(load("gradients")) - tried
    told = read(built(file), exported / gradients_for(file))
    assert told == (0, [f"{tried} of {tried} vectors right, {skipped} skipped"])


def test_a_reader_counts_refusals(built: Built, exported: Path) -> None:
    refused = len(load("refused"))
    told = read(built("reader.js"), exported / "refused.json")
    assert told == (0, [f"{refused} of {refused} vectors right, 0 skipped"])


@pytest.mark.parametrize(
    ("file", "changed", "old", "new"),
    [(reader, *change[:3]) for reader, change in zip(READERS, [m for m in MISTAKES if m[3] == BIASES])],
)
def test_a_reader_names_what_is_wrong(
    file: str, changed: str, old: str, new: str, built: Built, exported: Path
) -> None:
    """With biases of the last sample alone, vectors of several samples are wrong, and no others."""
    tried = [vector for vector in load("gradients") if has(vector)]
    ids = {vector.id for vector in tried if "SeveralSamples" in vector.flags and "NoBiases" not in vector.flags}
    status, (*wrong, last) = read(built(file, changed, old, new), exported / gradients_for(file))
    assert (status, {line.split(":")[0] for line in wrong}) == (1, ids)
    assert last.startswith(f"{len(tried) - len(ids)} of {len(tried)} vectors right")


@pytest.mark.parametrize("file", RIGHT)
def test_the_requests_of_a_replay_can_be_asked_by_hand(
    file: str, built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a debugger, say."""
    assert main(["replay", "two-samples", "--", *built(file)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line[:2] in ("> ", "< ")]
    requests = "".join(line[2:] + "\n" for line in said if line[0] == ">")
    done = subprocess.run(built(file), input=requests, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [line[2:] for line in said if line[0] == "<"]


@pytest.mark.parametrize("file", RIGHT)
def test_a_file_of_its_answers_is_judged_right(
    file: str, built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [vector for vector in load("gradients") if has(vector)]
    write = Request.in_json if file == "backprop.js" else Request.in_words
    requests = "\n".join([HELLO, *(write(vector.request, vector.id) for vector in asked), ""])
    done = subprocess.run(built(file), input=requests, capture_output=True, text=True)
    answers = tmp_path / "answers"
    answers.write_text(done.stdout, encoding="utf-8")
    assert main(["judge", str(answers)]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{len(asked)} test vectors of ") and first.endswith(f" answered, {len(asked)} right")


def pairs() -> list[tuple[str, str]]:
    """What may be said in a hello, in words and in JSON, as docs/any-language.md has it."""
    text = (SUBJECTS.parent.parent / "any-language.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| (`\w+=[^|]+) \| (`\"[^|]+) \|$", text, re.MULTILINE)
    assert len(rows) >= 9
    return [pair for row in rows for pair in zip(*(re.findall("`([^`]+)`", cell) for cell in row), strict=True)]


@pytest.mark.parametrize(("words", "json_text"), pairs())
def test_words_and_json_declare_the_same(words: str, json_text: str) -> None:
    hellos = [f"hello 1 mine {words}", f'{{"protocol": 1, "name": "mine", {json_text}}}']
    said = [{key: declaration(key, value) for key, value in read_hello(line).declares.items()} for line in hellos]
    assert said[0] == said[1] != {}


@pytest.mark.parametrize("file", READERS)
def test_a_reader_is_short(file: str) -> None:
    """As the document says of them: 80 lines, blank ones apart."""
    assert sum(bool(line.strip()) for line in (SUBJECTS / file).read_text(encoding="utf-8").splitlines()) <= 80
