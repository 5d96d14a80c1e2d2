"""The plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from textwrap import dedent
from typing import Any

import pytest

from purebp.oracle import check
from purebp.testing import plugin
from tests import ROOT

pytest_plugins = ["pytester"]


TEST_FILE = """
from hypothesis import given, strategies as st

def slope(weights, biases, inputs, targets):  # of half the squared error of y = w x, for a single sample
    (((w,),),), ((x,),), ((y,),) = weights, inputs, targets
    return [[[(w * x - y) * x]]]

def forgetful(weights, biases, inputs, targets):
    (((w,),),), ((x,),), ((y,),) = weights, inputs, targets
    return [[[w * x - y]]]

DECLARED = dict(activations=["identity"], loss="half_sse", sizes=[1, 1], biases=False, batch=1)
"""


def run_file(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    """Run a file of tests with the plugin, installed or not."""
    pytester.makepyfile(TEST_FILE + dedent(body))
    return pytester.runpytest_inprocess("-p", "no:purebp", "-p", "purebp.testing.plugin", "-p", "no:cacheprovider")


def test_conforming_gradients_pass_and_give_the_report(pytester: pytest.Pytester) -> None:
    result = run_file(
        pytester,
        """
        def test_it(assert_gradients_correct):
            assert assert_gradients_correct(slope, **DECLARED).verdict == "correct"

        @given(st.sampled_from([None, "gradients"]))
        def test_it_within_a_property(assert_gradients_correct, returns):
            assert_gradients_correct(slope, **DECLARED, returns=returns)
        """,
    )
    result.assert_outcomes(passed=2)


def test_the_message_of_a_failure_is_the_report_and_nothing_else(pytester: pytest.Pytester) -> None:
    result = run_file(
        pytester,
        """
        def test_it(assert_gradients_correct):
            assert_gradients_correct(forgetful, **DECLARED)
        """,
    )
    result.assert_outcomes(failed=1)
    names: dict[str, Any] = {}
    exec(TEST_FILE, names)
    report = check(names["forgetful"], **names["DECLARED"])
    shown = [line[1:].removeprefix(" " * 7) for line in result.outlines if line.startswith("E")]
    assert "\n".join(shown) == f"AssertionError: {report}"
    assert "wrong" in report.headline and "inputs" in report.smallest
    assert not [line for line in result.outlines if "assertions.py" in line or "check.py" in line]


def test_the_plugin_is_declared_as_an_entry_point() -> None:
    with open(ROOT / "pyproject.toml", "rb") as file:
        assert tomllib.load(file)["project"]["entry-points"]["pytest11"] == {"purebp": plugin.__name__}


def test_the_plugin_loads_neither_hypothesis_nor_numpy_nor_the_oracle() -> None:
    """It is loaded in every session of pytest, whatever is tested there."""
    program = "import sys, purebp.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = ("hypothesis", "numpy", "purebp.oracle", "purebp.number_systems")
    assert [name for name in loaded.stdout.split() if name.startswith(heavy)] == []
