"""The lessons in docs/examples/lessons, as learners write them, and what mistakes.json says of each.

Five lessons, each right and in six wrong versions. An entry of mistakes.json holds

    right           is the file right?
    what            one sentence: the mistake, or what the right one does
    line            the lines that are not as in the right version; where one is missing, the line that took its place
    method          the method or function with the mistake; in a right file, the one that makes the derivatives
    activations, loss, biases, weights_layout    what the network is, in the words of a declaration
"""

from __future__ import annotations

import ast
import importlib.util
import json
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from purebp import activation, loss
from tests.examples import EXAMPLES

LESSONS = EXAMPLES / "lessons"
MISTAKES: dict[str, dict[str, Any]] = json.loads((LESSONS / "mistakes.json").read_text(encoding="utf-8"))
WRONG = [name for name, entry in MISTAKES.items() if not entry["right"]]

every_file = pytest.mark.parametrize("name", MISTAKES)
every_wrong_file = pytest.mark.parametrize("name", WRONG)


def source(name: str) -> str:
    return (LESSONS / name).read_text(encoding="utf-8")


def right_version(name: str) -> str:
    """The name of the right file of the same lesson."""
    return f"{Path(name).stem.partition('_wrong_')[0]}.py"


def functions(text: str) -> dict[str, range]:
    """The lines of every function, by its name, and of every method, by those of its class and its own."""
    found = {}
    for node in ast.parse(text).body:
        holder, owner = (node.body, f"{node.name}.") if isinstance(node, ast.ClassDef) else ([node], "")
        for each in holder:
            if isinstance(each, ast.FunctionDef):
                found[owner + each.name] = range(each.lineno, (each.end_lineno or 0) + 1)
    return found


def lines_that_differ(right: str, wrong: str) -> list[int]:
    """The lines of the wrong text that the right one lacks; where it lacks none, the first one after the gap."""
    pairs = SequenceMatcher(None, right.splitlines(), wrong.splitlines(), autojunk=False).get_opcodes()
    gaps = [(start, stop) for kind, _, _, start, stop in pairs if kind != "equal"]
    return [line + 1 for start, stop in gaps for line in range(start, stop)] or [start + 1 for start, _ in gaps]


def test_the_table_and_the_folder_name_the_same_files() -> None:
    assert set(MISTAKES) == {path.name for path in LESSONS.glob("*.py")}


def test_every_lesson_is_right_once_and_wrong_in_six_ways() -> None:
    assert all(entry["right"] == (right_version(name) == name) for name, entry in MISTAKES.items())
    assert Counter(map(right_version, WRONG)) == {name: 6 for name in MISTAKES if name not in WRONG}


def test_no_two_files_do_the_same() -> None:
    assert len({ast.dump(ast.parse(source(name))) for name in MISTAKES}) == len(MISTAKES)


@every_file
def test_an_entry_says_what_the_network_is(name: str) -> None:
    entry, right = MISTAKES[name], MISTAKES[right_version(name)]
    assert [activation(each).name for each in entry["activations"]] == entry["activations"]
    assert loss(entry["loss"]).name == entry["loss"]
    assert isinstance(entry["biases"], bool) and entry["weights_layout"] in ("out_in", "in_out")
    assert entry.keys() == right.keys()
    for what in ("activations", "loss", "biases", "weights_layout"):
        assert entry[what] == right[what]
    assert entry["what"].endswith(".") and ". " not in entry["what"]  # one sentence


@every_file
def test_the_named_method_and_the_named_lines_exist(name: str) -> None:
    entry, text = MISTAKES[name], source(name)
    method, lines = functions(text)[entry["method"]], text.splitlines()
    assert all(1 <= line <= len(lines) and lines[line - 1].strip() for line in entry["line"])
    assert bool(entry["line"]) != entry["right"]
    assert entry["right"] or any(line in method for line in entry["line"])


@every_wrong_file
def test_a_wrong_version_differs_from_the_right_one_in_the_named_lines(name: str) -> None:
    assert lines_that_differ(source(right_version(name)), source(name)) == MISTAKES[name]["line"]


@every_file
def test_a_lesson_is_short_and_stands_alone(name: str) -> None:
    text = source(name)
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert imported <= {"math", "random", "numpy"}
    assert 20 <= len(text.splitlines()) <= 90
    assert "purebp" not in text.lower()


@every_file
def test_a_lesson_is_imported_without_output(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location(Path(name).stem, LESSONS / name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    assert capfd.readouterr() == ("", "")
    assert hasattr(module, MISTAKES[name]["method"].partition(".")[0])
