"""A long attempt to find a conforming implementation outside its error budget (`make campaign`).

    python -m studies.campaign --entries 100000 --seed 0
    python -m studies.campaign --entries 10000000 --kept build/campaign --processes 8     for hours; again: it goes on

Random networks of depth 1 to 6 and width 1 to 32 with every activation and loss, weights of any scale from 1e-3 to
1e3, zeros, exact kinks and saturated neurons. Each network is given to one row of the panel on every machine, and to
a recipe drawn at random. The exit status is 1 if an entry lies outside.

A block of networks is a function of the seed and its number, so that blocks may be judged in any order, anywhere:
`run` takes any executor of concurrent.futures, and a file keeps what is done, a line for each block.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from random import Random
from typing import Any

from purebp import forward
from purebp.cli import options
from purebp.cli.terminal import Line
from purebp.number_systems.formats import FORMATS
from purebp.textbook.activations import Elementwise
from studies.conforming import (
    MACHINES,
    WAYS,
    Exercise,
    Implementation,
    Recipe,
    drawn,
    implementation,
    shares,
    value_shares,
    wild_case,
)

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = 20  # of a block
STEPS = [0.0, *(10.0**k for k in range(-17, 1))]  # between which resolutions are counted


@dataclass
class Tally:
    """What was seen of one format; of the resolutions, how many lie above each of `STEPS`."""

    entries: int = 0
    undecided: int = 0
    violations: int = 0
    largest: float = 0.0
    resolutions: list[int] = field(default_factory=lambda: [0] * len(STEPS))

    def add(self, other: Tally) -> None:
        self.entries += other.entries
        self.undecided += other.undecided
        self.violations += other.violations
        self.largest = max(self.largest, other.largest)
        self.resolutions = [a + b for a, b in zip(self.resolutions, other.resolutions)]

    @property
    def middle(self) -> str:
        """The median resolution, within a power of ten."""
        step = max(step for step, n in zip(STEPS, self.resolutions) if 2 * n >= self.resolutions[0])
        return f"< {10 * step:.0e}" if step < STEPS[-1] else f"≥ {step:g}"


@dataclass
class Campaign:
    """All formats, and how much of what the networks held."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in FORMATS})
    networks: int = 0
    entries: int = 0
    kinks: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: Campaign) -> None:
        for name, tally in other.tallies.items():
            self.tallies[name].add(tally)
        self.networks += other.networks
        self.entries += other.entries
        self.kinks += other.kinks
        self.violations += other.violations


def panel(number: int, random: Random) -> Iterator[Implementation]:
    """One row of the panel on every machine, the rows taken in turn, and for one machine something new."""
    for place, machine in enumerate(MACHINES):
        yield implementation(Recipe(machine, **WAYS[(number + place) % len(WAYS)]))
    yield drawn(random, random.choice(MACHINES))


def block(seed: int, number: int) -> Campaign:
    """What the networks of a block show."""
    campaign = Campaign()
    for k in range(number * NETWORKS, (number + 1) * NETWORKS):
        _judge(campaign, f"{seed}/{k}", k)
    return campaign


def _judge(campaign: Campaign, name: str, number: int) -> None:
    random = Random(name)
    case = wild_case(random)
    seen = set()
    members = list(panel(number, random))
    for found in chain(shares(*case, members), value_shares(*case, members)):
        tally = campaign.tallies[found.format.name]
        tally.entries += len(found.shares)
        tally.undecided += sum(resolution > 0.5 for resolution in found.resolutions)
        tally.largest = max(tally.largest, *found.shares)
        if (found.format.name, found.kind) not in seen:
            seen.add((found.format.name, found.kind))
            for i, step in enumerate(STEPS):
                tally.resolutions[i] += sum(resolution >= step for resolution in found.resolutions)
        if outside := sum(not share <= 1 for share in found.shares):
            tally.violations += outside
            what = f"network {name}: {outside} {found.kind} of {found.name}, up to {max(found.shares):.3g}"
            campaign.violations.append(what)
    campaign.networks += 1
    campaign.entries += len(case.network.parameters()) + len(case.batch.targets) * case.network.sizes[-1] + 1
    campaign.kinks += kinks(case)


def run(entries: int, seed: int, executor: Executor, kept: Path | None = None, at_once: int = 4) -> Iterator[Campaign]:
    """The campaign after every block, until so many entries of gradients, outputs and losses have been judged.

    Blocks that the file has of the same seed and of the same code are not judged again.
    """
    campaign, done = Campaign(), set[int]()
    for line in kept.read_text("utf-8").splitlines() if kept and kept.exists() else ():
        with suppress(json.JSONDecodeError):  # it was stopped while it wrote
            found = json.loads(line)
            if (found["seed"], found["code"]) == (seed, code()) and found["block"] not in done:
                done.add(found["block"])
                campaign.add(_read(found["campaign"]))
    yield campaign
    waiting = dict[Future[Campaign], int]()
    numbers = (number for number in count() if number not in done)
    while campaign.entries < entries:
        while len(waiting) < at_once:
            number = next(numbers)
            waiting[executor.submit(block, seed, number)] = number
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            number = waiting.pop(future)
            campaign.add(future.result())
            if kept:
                held = {"seed": seed, "code": code(), "block": number, "campaign": asdict(future.result())}
                kept.parent.mkdir(parents=True, exist_ok=True)
                with kept.open("a", encoding="utf-8") as file:
                    print(json.dumps(held), file=file)
            yield campaign
    for future in waiting:
        future.cancel()


@cache
def code() -> str:
    """A hash of what is judged, and of the judge."""
    paths = [
        *sorted((ROOT / "purebp").rglob("*.py")),
        *(ROOT / "studies" / f"{name}.py" for name in ("campaign", "conforming")),
    ]
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _read(found: dict[str, Any]) -> Campaign:
    return Campaign(**{**found, "tallies": {name: Tally(**tally) for name, tally in found["tallies"].items()}})


def kinks(case: Exercise) -> bool:
    """Whether a pre-activation meets a kink exactly."""
    for layer, z in zip(case.network.layers, forward(case.network, case.batch.inputs).pre_activations):
        if isinstance(layer.activation, Elementwise) and layer.activation.kinks and any(0.0 in row for row in z):
            return True
    return False


def table(campaign: Campaign) -> str:
    """One line for each format."""
    rows = [["format", "entries", "violations", "undecided", "largest err/budget", "median resolution"]]
    for name, tally in campaign.tallies.items():
        undecided = f"{tally.undecided / max(1, tally.entries):.1%}"
        rows.append(
            [
                name,
                f"{tally.entries:,}",
                f"{tally.violations:,}",
                undecided,
                f"{tally.largest:.3f}",
                tally.middle,
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)


def told(campaign: Campaign) -> str:
    """What was judged, a line for each format, and what was outside."""
    judged = sum(tally.entries for tally in campaign.tallies.values())
    return (
        f"{campaign.networks:,} networks, {campaign.kinks:,} of them at an exact kink: {campaign.entries:,} entries of gradients,\n"
        f"outputs and losses, each of {len(MACHINES) + 1} implementations, {judged:,} numbers in all\n\n"
        f"{table(campaign)}\n\n" + ("\n".join(campaign.violations) or "No conforming implementation left its budget.")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.campaign", description=str(__doc__).splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000, help="of gradients, outputs and losses (100,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=options.count, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="write docs/campaign.txt")
    parser.add_argument("--kept", type=Path, metavar="FILE", help="keeps what is done, and goes on from there")
    given = parser.parse_args(arguments)
    if given.kept and given.kept.is_dir():
        parser.error(f"--kept {given.kept}: that is a directory, and a file is wanted")
    campaign, line = Campaign(), Line()
    with ProcessPoolExecutor(given.processes) as pool:
        for campaign in run(given.entries, given.seed, pool, given.kept, 2 * given.processes):
            line.show(f"{campaign.entries:,} of {given.entries:,} entries, {len(campaign.violations)} outside")
    line.end()
    text = told(campaign)
    print(text)
    if given.write:
        (ROOT / "docs" / "campaign.txt").write_text(text + "\n", "utf-8")
    return 1 if campaign.violations else 0


if __name__ == "__main__":
    sys.exit(main())
