"""docs/mutation.md: how many mutants of each module were killed, and which were not, and why."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from studies.mutation.judging import Judged

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
WANTED = 0.95
Change = tuple[str, str, str]  # the module, the line, and what the mutant has in its place

HEAD = """# Mutation, measured

A test suite is as good as what it notices. Mutants are the modules of the textbook, the graphs, the number systems and the oracle's core with one operator, number or condition changed; each is judged by the doctests and the test file of its module, and if these pass, by the tests of its room and by the laws. A mutant is *killed* when a test fails. This page is written by `make mutation` ({which}); `python -m studies.mutation --help` tells more.
"""


def equivalents() -> dict[Change, str]:
    """The mutants that no test can kill, each with the reason.

    They are known by their lines, not by the numbers of these.
    """
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(row["module"], row["line"], row["mutant"]): row["reason"] for row in listed}


def change_of(judged: Judged) -> Change:
    return judged.module, judged.gone, judged.new


def share_killed(judged: Sequence[Judged], reasons: Mapping[Change, str]) -> float:
    """How many of the mutants that are not equivalent were killed, between 0 and 1."""
    counted = [one for one in judged if one.killed or change_of(one) not in reasons]
    return sum(one.killed for one in counted) / len(counted) if counted else 0.0


def page(judged: Sequence[Judged], reasons: Mapping[Change, str], seed: int | None) -> str:
    """The whole page; the seed of the sample, None if these are all mutants."""
    which = "every mutant" if seed is None else f"a sample of {len(judged)}, seed {seed}"
    survivors = [one for one in judged if not one.killed]
    equal = [one for one in survivors if change_of(one) in reasons]
    others = [one for one in survivors if change_of(one) not in reasons]
    parts = [HEAD.format(which=which), *_table(judged, reasons)]
    parts += ["", "## Survivors", "", *(_shown(others) or ["None."])]
    parts += ["", "## Equivalent mutants", "", "Changes that change no result, so that no test can notice them.", ""]
    for reason in dict.fromkeys(reasons[change_of(one)] for one in equal):
        parts += [f"{reason}", "", *_shown(one for one in equal if reasons[change_of(one)] == reason)]
    return "\n".join(parts).rstrip() + "\n"


def _table(judged: Sequence[Judged], reasons: Mapping[Change, str]) -> list[str]:
    rows = ["| module | mutants | killed | equivalent | survived |", "| --- | --- | --- | --- | --- |"]
    for module in sorted({one.module for one in judged}):
        rows.append(_row(f"`{module}`", [one for one in judged if one.module == module], reasons))
    together = f"**together**, {100 * share_killed(judged, reasons):.1f} % of those not equivalent killed"
    return [*rows, _row(together, judged, reasons)]


def _row(title: str, judged: Sequence[Judged], reasons: Mapping[Change, str]) -> str:
    killed = sum(one.killed for one in judged)
    equal = sum(not one.killed and change_of(one) in reasons for one in judged)
    return f"| {title} | {len(judged)} | {killed} | {equal} | {len(judged) - killed - equal} |"


def _shown(judged: Iterable[Judged]) -> list[str]:
    """As differences, module by module."""
    lines = list(map(shown, judged))
    return ["```text", *lines, "```", ""] if lines else []


def shown(judged: Judged) -> str:
    """The mutant as a difference.

    >>> print(shown(Judged("purebp/textbook/linalg.py", "x + y", "x - y", killed=False)))
    # purebp/textbook/linalg.py
    - x + y
    + x - y
    """
    signed = [f"{sign} {line}" for sign, lines in zip("-+", (judged.gone, judged.new)) for line in lines.splitlines()]
    return "\n".join([f"# {judged.module}", *signed])
