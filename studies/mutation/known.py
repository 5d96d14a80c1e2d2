"""Mutants that were killed once: while their module is the same, and tests are only added, they stay so.

>>> mutant = Mutant("purebp/textbook/linalg.py", "x - y")
>>> known = Known(None)
>>> known.add(mutant)
>>> mutant in known, Mutant("purebp/textbook/linalg.py", "x * y") in known
(True, False)
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from studies.mutation.judging import Judged
from studies.mutation.mutants import Mutant, change, original


class Known:
    """A file with a line for each, its module and text as a hash; None keeps nothing beyond the run."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.killed = set(path.read_text("utf-8").split()) if path and path.exists() else set[str]()

    def __contains__(self, mutant: Mutant) -> bool:
        return _named(mutant) in self.killed

    def add(self, mutant: Mutant) -> None:
        """At once in the file as well, for a run may be cut off."""
        self.killed.add(_named(mutant))
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                print(_named(mutant), file=file)

    def judged(self, mutant: Mutant, killed: bool = True) -> Judged:
        """As it was judged."""
        return Judged(mutant.module, *change(original(mutant.module), mutant.text), killed=killed)


def _named(mutant: Mutant) -> str:
    return sha256(f"{mutant.module}\n{mutant.text}".encode()).hexdigest()
