"""Places: what is written is read back, in every layout."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from purebp.oracle.asking.leaves import leaves
from purebp.oracle.asking.placing import places
from purebp.textbook.linalg import transpose

WEIGHTS = [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]]
BIASES = [[0.1, 0.2, 0.3], [0.4, 0.5]]


class Kept:
    """Matrices in a layout."""

    def __init__(self, turned: bool, biases: str, listed: bool) -> None:
        sizes = (2, 3, 2)
        pairs = [(n_out, n_in + (biases == "inside")) for n_in, n_out in zip(sizes, sizes[1:])]
        rows = [[[0.0] * b for _ in range(a)] for a, b in pairs]
        matrices = [transpose(w) if turned else w for w in rows]
        offsets: Any = {"vector": lambda n: [0.0] * n, "column": lambda n: [[0.0]] * n, "row": lambda n: [[0.0] * n]}
        if listed:
            self.weights = matrices
            if biases in offsets:
                self.biases = [
                    list(map(list, offsets[biases](n))) if biases != "vector" else [0.0] * n for n in sizes[1:]
                ]
            return
        self.W2, self.W1 = matrices[1], matrices[0]  # in any order: the numbers tell
        if biases in offsets:
            for name, n in zip(("b1", "b2"), sizes[1:]):
                setattr(self, name, [list(x) if isinstance(x, list) else x for x in offsets[biases](n)])


@pytest.mark.parametrize(
    ("turned", "biases", "listed"),
    list(product([False, True], ["", "vector", "column", "row", "inside"], [False, True])),
)
def test_what_is_written_is_read_back(turned: bool, biases: str, listed: bool) -> None:
    kept = Kept(turned, biases, listed)
    found = [place for place in places(leaves(kept), (2, 3, 2)) if place.turned == turned]
    assert found and {place.biased for place in found} == {bool(biases)}
    for place in found:
        place.write(WEIGHTS, BIASES if biases else [])
        weights, offsets = place.read()
        assert weights == WEIGHTS and (offsets == BIASES if biases else not any(offsets))
