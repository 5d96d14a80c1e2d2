"""The campaign: any executor, in any order, stopped or not, the same is found; and what is outside is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from math import inf
from pathlib import Path

import pytest

from studies import campaign
from studies.campaign import STEPS, Campaign, Tally, block, main, run, table
from studies.conforming import MACHINES, Recipe, implementation


@pytest.fixture(autouse=True)
def one_network_for_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "NETWORKS", 1)
    monkeypatch.setattr(campaign, "MACHINES", MACHINES[:2])


def test_what_was_kept_is_not_judged_again_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, whole = tmp_path / "build" / "campaign", Campaign()
    for number in range(3):
        whole.add(block(1, number))
    with ThreadPoolExecutor(1) as pool:
        *_, first = run(1, 1, pool, kept, at_once=1)
        assert 0 < first.networks < 3 and len(kept.read_text().splitlines()) == first.networks
        *_, all_of_it = run(whole.entries, 1, pool, kept, at_once=1)
        assert asdict(all_of_it) == asdict(whole)
        monkeypatch.setattr(campaign, "block", None)
        *_, again = run(whole.entries, 1, pool, kept)
        assert asdict(again) == asdict(whole)
        (none,) = run(0, 2, pool, kept)
        assert none.networks == 0


def test_what_is_outside_is_counted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = implementation(Recipe(MACHINES[0]))
    wrong = right._replace(name="wrong", gradients=lambda *case: [1.001 * x + 1 for x in right.gradients(*case)])
    monkeypatch.setattr(campaign, "panel", lambda *given: [right, wrong])
    found = block(0, 5)
    assert found.violations and all(
        what.startswith("network 0/5: ") and "of wrong" in what for what in found.violations
    )
    assert found.tallies["binary64"].violations > 0 and found.tallies["binary64"].largest > 1
    assert f"{found.tallies['binary64'].violations:,}" in table(found)


def test_the_median_resolution_is_bounded_by_a_power_of_ten() -> None:
    for resolutions, told in (((3e-14, 2e-13, 5.0), "< 1e-12"), ((3e-14, 7.0, inf), "≥ 1"), ((0.2, 0.3), "< 1e+00")):
        tally = Tally(resolutions=[sum(x >= step for x in resolutions) for step in STEPS])
        assert tally.middle == told


def test_the_command_says_what_it_judged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--entries", "1", "--processes", "1", "--kept", str(tmp_path / "kept")]) == 0
    out, _ = capsys.readouterr()
    assert "No conforming implementation left its budget." in out and "binary64" in out


def test_what_was_torn_doubled_or_of_other_code_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "campaign"
    with ThreadPoolExecutor(1) as pool:
        *_, first = run(1, 1, pool, kept, at_once=1)
        text = kept.read_text()
        kept.write_text(text + text + text[:40])
        monkeypatch.setattr(campaign, "block", None)
        (again,) = run(0, 1, pool, kept)
        assert asdict(again) == asdict(first)
        monkeypatch.setattr(campaign, "code", lambda: "another")
        (none,) = run(0, 1, pool, kept)
        assert none.networks == 0


@pytest.mark.parametrize(("words", "told"), [(["--processes", "0"], "above 0"), (["--kept", "."], "a file is wanted")])
def test_what_cannot_be_is_refused(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert told in capsys.readouterr().err
