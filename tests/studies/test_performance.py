"""docs/performance.md is what docs/performance.json says, and what `make bench` compares with it."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest

from studies.benchmarks.measuring import ROOT
from studies.benchmarks.page import PAGE, differences, facts_table, other_interpreters, page, read
from studies.benchmarks.scaling import judged


def test_the_page_is_generated() -> None:
    """`make bench-write` writes it."""
    assert page(read()).encode() == PAGE.read_bytes()


def test_the_readme_shows_what_the_page_shows() -> None:
    assert facts_table(read()["facts"]["at extremes"], "checker") in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("factor", [1 / 3, 3])
def test_a_ratio_beyond_noise_is_noticed(factor: float) -> None:
    changed = deepcopy(read())
    changed["seconds"]["warm"]["2-3-1, 13 parameters"]["torch gradcheck"] *= factor
    (line,) = differences(read(), changed)
    assert line.startswith("warm, 2-3-1, 13 parameters, torch gradcheck / ")


def test_a_machine_twice_as_slow_is_no_difference() -> None:
    slower = deepcopy(read())
    for table in slower["seconds"].values():
        for cells in table.values():
            for column in cells:
                cells[column] *= 2
    assert list(differences(read(), slower)) == []


def test_an_interpreter_that_is_not_here_is_named_and_no_difference() -> None:
    fewer, name = deepcopy(read()), "training, CPython 3.12"
    del fewer["seconds"][name]
    assert list(differences(read(), fewer)) == list(differences(fewer, read())) == []
    assert list(other_interpreters(read(), fewer)) == [f"{name}: on the page alone"]
    assert list(other_interpreters(fewer, read())) == [f"{name}: here alone"]


def test_interpreters_go_by_their_minor_version() -> None:
    names = [name for name in read()["seconds"] if name.startswith("training")]
    assert names and all(re.fullmatch(r"training, \w+ 3\.\d+", name) for name in names)


def test_another_fact_is_noticed() -> None:
    changed = deepcopy(read())
    changed["facts"]["what is caught"]["purebp"]["right ones accused"] = "1 of 101"
    assert len(list(differences(read(), changed))) == 1


def test_what_is_spread_over_a_cluster_is_a_check_with_a_seed() -> None:
    assert [judged((name, seed))[0] for name in ("", "biases never updated") for seed in (0, 1)] == ["correct"] * 2 + [
        "wrong"
    ] * 2
