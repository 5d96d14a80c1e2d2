"""The function that is meant, and what its file declares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from purebp import activation
from purebp.oracle.asking.loading import MODULE, USUAL_NAMES, CannotLoad, attribute, declarations, find, load

Loaded = Callable[[str], ModuleType]
FOUR = "(weights, biases, inputs, targets): pass\n"


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:
    """Loads a text as a file in a folder of its own; the interpreter is left as it was."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def loads(text: str) -> ModuleType:
        (tmp_path / "mine.py").write_text(text)
        return load(str(tmp_path / "mine.py"), text)

    yield loads
    for name in (MODULE, "beside_it"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", USUAL_NAMES)
def test_a_usual_name_is_found_among_others(name: str, loaded: Loaded) -> None:
    text = f"def helper{FOUR}def {name}{FOUR}def other{FOUR}"
    assert find(loaded(text), "mine.py", None) == name


@pytest.mark.parametrize(
    ("text", "wanted", "name"),
    [
        (f"def f{FOUR}def g(x): pass\n", None, "f"),
        (f"def _f{FOUR}def f{FOUR}", None, "f"),
        (f"def f{FOUR}def backprop(x): pass\n", None, "f"),
        (f"class Net:\n    @staticmethod\n    def backward{FOUR}", "Net.backward", "Net.backward"),
        ("from statistics import mean as backprop\ndef f(*given): pass\n", None, "f"),
        ("def f(w, b, x, y, rate=0.1): pass\n", None, "f"),
    ],
)
def test_the_only_one_that_fits_is_meant(text: str, wanted: str | None, name: str, loaded: Loaded) -> None:
    found = loaded(text)
    assert find(found, "mine.py", wanted) == name and callable(attribute(found, name))


@pytest.mark.parametrize(
    ("text", "wanted", "told"),
    [
        ("", None, "has no function that can be called with (weights, biases, inputs, targets): it has no functions"),
        (f"def f{FOUR}def g{FOUR}", None, "which function of 'mine.py' is meant? Say mine.py:f or another"),
        (f"def f{FOUR}", "g", "has no function 'g': it has f(weights, biases, inputs, targets)"),
        ("f = 3", "f", "'f' in 'mine.py' is no function"),
        ("def f(x): pass", "f", "takes (x): it is called with (weights, biases, inputs, targets)"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(text: str, wanted: str | None, told: str, loaded: Loaded) -> None:
    with pytest.raises(CannotLoad) as refused:
        find(loaded(text), "mine.py", wanted)
    assert told in str(refused.value) and refused.value.status == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ndef f(:\n", "is not Python: invalid syntax, line 2: def f(:"),
        ("import no_such_module\n", "line 1: import no_such_module: ModuleNotFoundError"),
        (
            "x = 1\nraise SystemExit(3)\n",
            "line 2: raise SystemExit(3): SystemExit: 3; put what it runs by itself under",
        ),
        ("exec('def f(:')\n", "line 1: exec('def f(:'): SyntaxError"),
    ],
)
def test_what_cannot_be_loaded_names_the_line(text: str, told: str, loaded: Loaded) -> None:
    with pytest.raises(CannotLoad) as refused:
        loaded(text)
    assert told in str(refused.value)


def test_the_module_is_as_if_it_were_run(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("x = 3\n")
    found = loaded("import sys\nfrom beside_it import x\nnamed, given, path = __name__, sys.argv, __file__\n")
    path = str(tmp_path / "mine.py")
    assert (found.x, found.named, found.given, found.path) == (3, "purebp_candidate", [path], path)


def test_a_file_declares_by_the_names_of_the_table(loaded: Loaded) -> None:
    text = 'PUREBP = {"activations": "tanh", "sizes": "2,3", "biases": "columns", "loss": None, "batch": 2}\n'
    declared = {"activations": activation("tanh"), "sizes": (2, 3), "biases": "columns", "batch": 2}
    assert declarations(loaded(text), "mine.py") == declared
    assert declarations(loaded(""), "mine.py") == {}


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("'relu'", "it is 'relu': a dictionary is wanted"),
        ("{'activation': 'relu'}", "'activation' is no declaration; known are activations, loss"),
        ("{'activations': ['rellu']}", "unknown activation 'rellu'"),
        ("{'batch': 'x'}", "'x' is not a whole number above 0"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_said(declared: str, told: str, loaded: Loaded) -> None:
    with pytest.raises(CannotLoad) as refused:
        declarations(loaded(f"PUREBP = {declared}\n"), "mine.py")
    assert f"PUREBP in 'mine.py' cannot be used: {told}" in str(refused.value)
