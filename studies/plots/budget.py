"""Draws docs/budget.svg: how much of its error budget each implementation of the conforming panel uses.

    python -m studies.plots.budget            says whether the committed picture is what this draws
    python -m studies.plots.budget --write    writes it

The same bytes everywhere: the elementary functions of the panel are computed in decimals here and rounded correctly,
since the last bit of `math.tanh` is not the same on every machine.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from statistics import median

from purebp import backpropagation
from purebp.number_systems.ball import ball
from purebp.number_systems.decimals import decimal
from studies.conforming import PANEL, Exercise, Implementation, Library, Machine, Recipe, shares, wild_case

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "budget.svg"
NETWORKS = 16

# Correctly rounded elementary functions.

ON = decimal(60)
ROOT_2 = ON.exp(ON.log(ON.ratio(2, 1)) / 2)
DECIMAL: dict[Callable[[float], float], Callable[[Decimal], Decimal]] = {
    math.exp: ON.exp,
    math.expm1: ON.expm1,
    math.log: ON.log,
    math.log1p: ON.log1p,
    math.tanh: ON.tanh,
    math.cosh: lambda x: (ON.exp(x) + ON.exp(-x)) / 2,
    math.erf: lambda x: 2 * ON.normal_cdf(x * ROOT_2) - 1,
    math.erfc: lambda x: 2 * ON.normal_cdf(-x * ROOT_2),
}


def rounded_correctly(f: Callable[[float], float]) -> Callable[[float], float]:
    """f, from 60 digits; where it overflows or is an elementary limit, as `math` has it on every machine."""

    @cache
    def compute(x: float) -> float:
        if not 1e-20 < abs(x) < 700:
            return f(x)
        return float(DECIMAL[f](ON.lift([[x]])[0][0]))

    return compute


PORTABLE = {f: rounded_correctly(f) for f in DECIMAL}


@dataclass(frozen=True)
class Portable(Machine):
    """The same machine, with elementary functions that round correctly."""

    def library(self, random: Random) -> Library:
        compute = super().library(random)
        return lambda f, x: compute(PORTABLE[f], x)


def portable(implementation: Implementation) -> Implementation:
    recipe = implementation.gradients
    assert isinstance(recipe, Recipe)
    fields = {name: getattr(recipe, name) for name in recipe.__dataclass_fields__}
    fields["machine"] = Portable(*(getattr(recipe.machine, name) for name in recipe.machine.__dataclass_fields__))
    return implementation._replace(gradients=Recipe(**fields))


# What is drawn: shares of entries that the budget can decide about.


@dataclass
class Strip:
    """The decided entries of one implementation: how many fall into each bin, and the largest share."""

    machine: str
    bins: Counter[int] = field(default_factory=Counter)
    largest: float = 0.0
    resolutions: list[float] = field(default_factory=list)


PER_DECADE, LOWEST, HIGHEST = 4, -5, 1  # bins, and the powers of ten of the axis


def bin_of(share: float) -> int:
    """From 1 on, in quarters of a decade; 0 is everything below the axis, and exact entries."""
    if not share:
        return 0
    place = math.floor((math.log10(share) - LOWEST) * PER_DECADE) + 1
    return max(0, min(place, (HIGHEST - LOWEST) * PER_DECADE))


def cases() -> Iterator[tuple[Exercise, list[bool]]]:
    """Random networks, and for every gradient whether it exists: at an exact kink there is an interval of them."""
    for seed in range(NETWORKS):
        case = wild_case(Random(seed), widest=6, deepest=4)
        exact = backpropagation(*case, ball(None)).parameters()
        yield case, [x.spread is not None and x.spread << 64 <= max(abs(x.mantissa), 1 << 64) for x in exact]


def measured() -> tuple[dict[str, Strip], int]:
    """A strip for each implementation, in the order of the panel, and the number of entries looked at."""
    panel, entries = list(map(portable, PANEL)), 0
    strips: dict[str, Strip] = {}
    for case, smooth in cases():
        for found in shares(*case, panel):
            strip = strips.setdefault(found.name, Strip(found.name.split(", ")[0]))
            for share, resolution, exists in zip(found.shares, found.resolutions, smooth):
                if exists and resolution <= 0.5:
                    entries += 1
                    strip.bins[bin_of(share)] += 1
                    strip.largest = max(strip.largest, share)
                    strip.resolutions.append(resolution)
    return strips, entries


# The drawing.

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .soft { fill: #59636e } .paper { fill: #ffffff } .cell { fill: #0969da } .grid { stroke: #d1d9e0 }
  .limit { stroke: #cf222e; stroke-width: 2 } .limit-text { fill: #cf222e }
  .end { text-anchor: end } .middle { text-anchor: middle } .title { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .soft { fill: #9198a1 } .paper { fill: #0d1117 } .cell { fill: #58a6ff } .grid { stroke: #3d444d }
    .limit { stroke: #ff7b72 } .limit-text { fill: #ff7b72 }
  }
"""
LEFT, TOP, CELL, HEIGHT, GAP, WIDTH = 220, 64, 18, 4, 12, 840
LEVELS = [0.02, 0.05, 0.1, 0.2, 1.0]  # a cell's opacity says which part of the strip's entries it holds
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def position(power: float) -> float:
    """Of a power of ten on the axis; one cell at its left end holds what is below."""
    return LEFT + CELL * (1 + (power - LOWEST) * PER_DECADE)


def power_of_ten(x: float) -> str:
    """2e-14 as 2·10⁻¹⁴."""
    digits, power = f"{x:.0e}".split("e")
    return f"{x:.2g}" if x >= 0.01 else f"{digits}·10{str(int(power)).translate(SUPERSCRIPT)}"


def text(x: float, y: float, content: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{content}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>'


def drawing() -> str:
    strips, entries = measured()
    machines: dict[str, list[Strip]] = {}
    for strip in strips.values():
        machines.setdefault(strip.machine, []).append(strip)
    drawn, y = [], float(TOP)
    paths: list[list[str]] = [[] for _ in LEVELS]
    for machine, group in machines.items():
        middle = y + HEIGHT * len(group) / 2 + 4
        drawn.append(text(LEFT - 10, middle, machine, "end"))
        resolutions = [r for strip in group for r in strip.resolutions]
        largest = max(strip.largest for strip in group)
        drawn.append(text(WIDTH - 112, middle, f"{largest:.2f}", "end"))
        drawn.append(text(WIDTH - 16, middle, power_of_ten(median(resolutions)), "end"))
        for strip in group:
            for place, count in strip.bins.items():
                level = next(i for i, limit in enumerate(LEVELS) if count <= limit * strip.bins.total())
                paths[level].append(f"M{LEFT + CELL * place} {y:g}h{CELL}v{HEIGHT}h-{CELL}z")
            y += HEIGHT
        y += GAP
    bottom = y - GAP + 6
    powers = range(LOWEST, HIGHEST + 1)
    axis = [line(position(p), TOP - 6, position(p), bottom, "grid") for p in powers]
    names = [f"10{str(p).translate(SUPERSCRIPT)}" if p else "1" for p in powers]
    ticks = [text(position(p), bottom + 18, name, "middle") for p, name in zip(powers, names)]
    opacities = [(i + 1) / len(LEVELS) for i in range(len(LEVELS))]
    cells = [
        f'<path class="cell" fill-opacity="{opacity:g}" d="{"".join(sorted(path))}"/>'
        for opacity, path in zip(opacities, paths)
        if path
    ]
    width_and_height = f'width="{WIDTH}" height="{bottom + 62:g}"'
    caption = f"{entries:,} gradient entries of {NETWORKS} random networks; each thin row is one implementation"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {width_and_height} viewBox="0 0 {WIDTH} {bottom + 62:g}" role="img">',
        "<title>Error divided by budget, for every implementation of the conforming panel: all below 1</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" {width_and_height} rx="6"/>',
        text(16, 24, "How much of its error budget a correct implementation uses", "title"),
        text(16, 42, caption, "soft"),
        text(WIDTH - 112, TOP - 10, "largest", "soft end"),
        text(WIDTH - 16, TOP - 10, "resolution", "soft end"),
        *axis,
        *cells,
        line(position(0), TOP - 6, position(0), bottom + 4, "limit"),
        text(position(0), TOP - 10, "budget", "limit-text middle"),
        *drawn,
        *ticks,
        text(LEFT - 2, bottom + 18, "smaller, or exact", "soft end"),
        text(position((LOWEST + HIGHEST) / 2), bottom + 40, "error / budget, on a logarithmic scale", "middle"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    found = drawing()
    if arguments == ["--write"]:
        PICTURE.write_text(found, encoding="utf-8", newline="\n")
        return 0
    same = PICTURE.is_file() and PICTURE.read_bytes() == found.encode()
    print(f"{PICTURE.name} is {'what this draws' if same else 'another picture: write it with --write'}")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
