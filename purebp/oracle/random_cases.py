"""Cases at random: of the kinds of the ladder with any sizes, and independent ones, of which a mean can be said.

>>> from purebp.oracle.cases import wanted
>>> case = another(wanted("tanh"), kind=17, widths=[3, 7, 30], samples=40)
>>> case.name, case.sizes, case.samples
('many samples, many neurons', (3, 7, 30), 40)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from purebp.oracle.cases import MOST_SLOW, Case, Rung, Wanted, drawn, kept, rungs_of, widths_of

LARGEST = 2_000  # weights of a network that many cases are drawn for
INDEPENDENT = Rung("independent numbers", 3, (4,), 2, 1, 0)


def kinds(chosen: Wanted) -> int:
    """How many kinds of cases the ladder has for an architecture.

    >>> from purebp.oracle.cases import wanted
    >>> kinds(wanted("tanh"))
    21
    """
    return len(list(rungs_of(chosen)))


def another(chosen: Wanted, kind: int, widths: Sequence[int], samples: int, seed: int = 0) -> Case:
    """A case of one of the kinds, with other numbers than in the ladder; what is free has these widths and samples.

    There are fewer samples where that would take long. The outputs of a distribution are two at least.
    """
    rung, names = list(rungs_of(chosen))[kind]
    wide = tuple(chosen.sizes or widths[: len(names) + 1])
    if chosen.sizes is None and (chosen.outputs or chosen.classes):
        wide = (*wide[:-1], chosen.outputs or max(2, wide[-1]))
    many = chosen.batch or max(1, min(samples, MOST_SLOW // sum(a * b for a, b in pairwise(wide))))
    case = drawn(rung, names, replace(chosen, sizes=wide, batch=many), Random(f"another {seed}"))
    return kept(case, chosen.format)


def independent(chosen: Wanted, count: int, seed: int = 0) -> Iterator[Case]:
    """So many cases of one sample, drawn one without the other, with numbers that have all digits of the format.

    There are none for networks so large that it would take more than a minute or so.

    >>> from purebp.oracle.cases import wanted
    >>> [case.sizes for case in independent(wanted("tanh"), 2)]
    [(3, 4, 2), (3, 4, 2)]
    """
    widths = widths_of(INDEPENDENT, chosen.names, chosen)
    held = replace(chosen, sizes=widths, batch=1)
    for n in range(count if sum(a * b for a, b in pairwise(widths)) <= LARGEST else 0):
        case = drawn(INDEPENDENT, chosen.names, held, Random(f"independent {seed} {n}"))
        yield replace(kept(case, chosen.format), long=False)
