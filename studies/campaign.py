"""A long attempt to find a conforming implementation outside its error budget (`make campaign`).

    python -m studies.campaign --entries 100000 --seed 0

Random networks of depth 1 to 6 and width 1 to 32 with every activation and loss, weights of any scale from 1e-3 to
1e3, zeros, exact kinks and saturated neurons. Each network is given to one row of the panel on every machine, and to
a recipe drawn at random. The exit status is 1 if an entry lies outside.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from random import Random
from statistics import median

from purebp import forward
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


@dataclass
class Tally:
    """What was seen of one format."""

    entries: int = 0
    undecided: int = 0
    violations: int = 0
    largest: float = 0.0
    resolutions: list[float] = field(default_factory=list)


@dataclass
class Campaign:
    """All formats, and how much of what the networks held."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in FORMATS})
    networks: int = 0
    entries: int = 0
    kinks: int = 0
    violations: list[str] = field(default_factory=list)


def panel(number: int, random: Random) -> Iterator[Implementation]:
    """One row of the panel on every machine, the rows taken in turn, and for one machine something new."""
    for place, machine in enumerate(MACHINES):
        yield implementation(Recipe(machine, **WAYS[(number + place) % len(WAYS)]))
    yield drawn(random, random.choice(MACHINES))


def run(entries: int, seed: int) -> Iterator[Campaign]:
    """The campaign after every network, until so many entries of gradients, outputs and losses have been judged."""
    campaign = Campaign()
    while campaign.entries < entries:
        name = f"{seed}/{campaign.networks}"
        random = Random(name)
        case = wild_case(random)
        seen = set()
        members = list(panel(campaign.networks, random))
        for found in chain(shares(*case, members), value_shares(*case, members)):
            tally = campaign.tallies[found.format.name]
            tally.entries += len(found.shares)
            tally.undecided += sum(resolution > 0.5 for resolution in found.resolutions)
            tally.largest = max(tally.largest, *found.shares)
            if (found.format.name, found.kind) not in seen:
                seen.add((found.format.name, found.kind))
                tally.resolutions += found.resolutions
            if outside := sum(not share <= 1 for share in found.shares):
                tally.violations += outside
                what = f"network {name}: {outside} {found.kind} of {found.name}, up to {max(found.shares):.3g}"
                campaign.violations.append(what)
        campaign.networks += 1
        campaign.entries += len(case.network.parameters()) + len(case.batch.targets) * case.network.sizes[-1] + 1
        campaign.kinks += kinks(case)
        yield campaign


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
        middle = f"{median(tally.resolutions or [inf]):.1e}"
        rows.append([name, f"{tally.entries:,}", f"{tally.violations:,}", undecided, f"{tally.largest:.3f}", middle])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.campaign", description=str(__doc__).splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000, help="of gradients, outputs and losses (100,000)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    start, campaign = time.monotonic(), Campaign()
    for campaign in run(given.entries, given.seed):
        if sys.stderr.isatty():
            seconds = time.monotonic() - start
            print(f"\r{campaign.entries:,} of {given.entries:,} entries, {seconds:.0f} s ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    kinked = f"{campaign.networks:,} networks, {campaign.kinks:,} of them at an exact kink"
    print(
        f"{kinked}, {campaign.entries:,} entries of gradients, outputs and losses, each of {len(MACHINES) + 1} implementations"
    )
    print(table(campaign))
    print("\n".join(campaign.violations) or "No conforming implementation left its budget.")
    return 1 if campaign.violations else 0


if __name__ == "__main__":
    sys.exit(main())
