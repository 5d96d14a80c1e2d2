"""`make mutation`: which mutants count, what the page says, and that a mutant is judged where nothing else is touched."""

from __future__ import annotations

from pathlib import Path

from studies.mutation.judging import Copy, Judged, judge
from studies.mutation.known import Known
from studies.mutation.mutants import Mutant, modules, original
from studies.mutation.page import WANTED, equivalents, page, share_killed

LINALG = "purebp/textbook/linalg.py"
KILLED = Judged(LINALG, "a + b", "a - b", True)
EQUAL, SURVIVED = (Judged(LINALG, "a > 0", f"a > {n}", False) for n in (1, 2))
REASONS = {(LINALG, "a > 0", "a > 1"): "It is never 1."}


def test_equivalent_mutants_are_not_counted() -> None:
    assert share_killed([KILLED, EQUAL], REASONS) == 1
    assert share_killed([KILLED, EQUAL, SURVIVED], REASONS) == 1 / 2 < WANTED
    assert share_killed([], REASONS) == 0


def test_the_page_shows_survivors_with_their_reasons() -> None:
    text = page([KILLED, EQUAL, SURVIVED], REASONS, seed=3)
    survivors, equal = text.split("## Survivors")[1].split("## Equivalent mutants")
    assert f"# {LINALG}\n- a > 0\n+ a > 2\n" in survivors and "a > 1" not in survivors
    assert f"It is never 1.\n\n```text\n# {LINALG}\n- a > 0\n+ a > 1\n" in equal and "a > 2" not in equal
    assert f"| `{LINALG}` | 3 | 1 | 1 | 1 |" in text and "a sample of 3, seed 3" in text
    assert "every mutant" in page([KILLED], {}, seed=None)


def test_what_is_listed_as_equivalent_is_still_there() -> None:
    lines = {module: {line.strip() for line in original(module).splitlines()} for module in modules()}
    assert [change for change in equivalents() if not set(change[1].splitlines()) <= lines.get(change[0], set())] == []


def test_a_mutant_is_killed_and_the_same_program_survives() -> None:
    """In copies, while the repository stays what it is."""
    before = original(LINALG)
    wrong, same = before.replace("map(sub, row, other)", "map(sub, other, row)"), before + "# no more\n"
    mutants = [Mutant(LINALG, wrong), Mutant(LINALG, same)]
    killed, survived = judge(mutants, 1, lambda module: [(module, "tests/textbook/test_linalg.py")])
    assert (killed.gone, killed.killed) == ("return [list(map(sub, row, other)) for row, other in zip(a, b)]", True)
    assert (survived.new, survived.killed) == ("# no more", False)
    assert original(LINALG) == before


def test_a_copy_holds_a_mutant_for_a_while(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    with copy.holding(Mutant(LINALG, "1 / 0\n")):
        assert (copy.place / LINALG).read_text("utf-8") == "1 / 0\n"
    assert (copy.place / LINALG).read_text("utf-8") == original(LINALG)


def test_what_was_killed_is_known_in_another_run(tmp_path: Path) -> None:
    path, mutant = tmp_path / "build" / "killed", Mutant(LINALG, original(LINALG).replace("sub, row", "add, row"))
    assert mutant not in Known(path)
    Known(path).add(mutant)
    known = Known(path)
    assert mutant in known and Mutant(LINALG, mutant.text + "# another module\n") not in known
    assert known.judged(mutant).killed and "map(add, row, other)" in known.judged(mutant).new
