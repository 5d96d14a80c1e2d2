"""The candidates that the documents show: each gets the report that stands beside it, right ones and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples import CANDIDATES, EXAMPLES, file_of, reported, shape

WRONG = {"two_layers_wrong": "squashed twice", "two_layers_with_biases_wrong": "bias gradient of one sample"}


@pytest.mark.parametrize("path", CANDIDATES, ids=lambda path: path.stem)
def test_the_example_gets_its_report(path: Path) -> None:
    try:
        report = reported(path)
    except ImportError as error:
        pytest.skip(str(error))
    assert shape(str(report)) == shape(file_of(path).read_text(encoding="utf-8"))
    assert report.conforms == (path.stem not in WRONG)
    if not report.conforms:
        assert report.verdict == "wrong"
        assert report.explanations[0].name == WRONG[path.stem]


def test_every_report_has_its_example() -> None:
    assert {path.stem for path in CANDIDATES} == {path.stem for path in (EXAMPLES / "reports").glob("*.txt")}


def test_every_wrong_example_differs_from_the_right_one_in_few_lines() -> None:
    for name in WRONG:
        right, wrong = (
            (EXAMPLES / f"{stem}.py").read_text().splitlines() for stem in (name.removesuffix("_wrong"), name)
        )
        assert len(right) == len(wrong)
        assert sum(a != b for a, b in zip(right, wrong)) <= 6
