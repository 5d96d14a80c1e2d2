"""How many changes of the code the tests notice: what `make mutation` does.

    python -m studies.mutation --write              a sample of the mutants, and docs/mutation.md
    python -m studies.mutation --size 40 --seed 3   a smaller one, or another
    python -m studies.mutation --all --only oracle  every mutant of the modules that have `oracle` in their path
    python -m studies.mutation --known build/killed  again, after tests were added: what was killed before is not judged

What survives is shown on stderr at once. The exit status is 1 if fewer than 95 of a hundred mutants are killed, those
of equivalent.toml aside.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from purebp.cli.terminal import Line
from studies.mutation.judging import judge
from studies.mutation.known import Known
from studies.mutation.mutants import ROOT, sample
from studies.mutation.page import WANTED, change_of, equivalents, page, share_killed, shown

SIZE = 120  # about half an hour on two cores


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=SIZE, help="mutants in the sample (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="every mutant, in place of a sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", metavar="TEXT", help="modules with this in their path alone")
    parser.add_argument(
        "--known", type=Path, metavar="FILE", help="remembers which were killed, and goes on from there"
    )
    parser.add_argument("--write", action="store_true", help="write docs/mutation.md")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="mutants judged at a time")
    given = parser.parse_args(argv)
    chosen = sample(None if given.all else given.size, given.seed, given.only)
    known, line = Known(given.known), Line()
    judged = [known.judged(mutant) for mutant in chosen if mutant in known]
    rest = {mutant: known.judged(mutant, killed=False) for mutant in chosen if mutant not in known}
    judged += [one for one in rest.values() if change_of(one) in equivalents()]  # which no test can tell
    asked = [mutant for mutant, one in rest.items() if change_of(one) not in equivalents()]
    for mutant, result in zip(asked, judge(asked, given.processes)):
        judged.append(result)
        if result.killed:
            known.add(mutant)
        else:
            line.end()
            print(shown(result), end="\n\n", file=sys.stderr)
        line.show(f"{len(judged)} of {len(chosen)}, {sum(not one.killed for one in judged)} survived")
    line.end()
    judged.sort(key=lambda one: one.module)
    text = page(judged, equivalents(), None if given.all else given.seed)
    print(text)
    if given.write:
        (ROOT / "docs" / "mutation.md").write_text(text, "utf-8")
    return 0 if share_killed(judged, equivalents()) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
