"""Adapters: the text is Python, and says what was not found."""

from __future__ import annotations

import ast

import pytest

from purebp.oracle.asking.adapters import adapter
from tests.oracle.asking.test_scripts import PERCEPTRON
from tests.test_lesson_files import MISTAKES, source


@pytest.mark.parametrize("name", [name for name, entry in MISTAKES.items() if entry["right"]])
def test_an_adapter_of_a_lesson_is_python_and_asks_it(name: str) -> None:
    found = adapter(name.removesuffix(".py"), source(name))
    (function,) = [each for each in ast.parse(found.text).body if isinstance(each, ast.FunctionDef)]
    assert [each.arg for each in function.args.args] == ["weights", "biases", "inputs", "targets"]


def test_a_script_becomes_a_function() -> None:
    text = adapter("perceptron", PERCEPTRON).text
    assert "def step(weights, biases, inputs, targets):" in text and "print(" not in text and "for epoch" not in text


@pytest.mark.parametrize("text", ["", "x = 1", "def spam(): pass", "class Empty: pass"])
def test_where_nothing_is_found_that_is_said(text: str) -> None:
    found = adapter("mine", text)
    assert found.missing == ("a function or a class that goes backwards",) and ast.parse(found.text)


def test_what_is_no_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        adapter("mine", "def f(:")
