"""Lines: what is wrong depends on them, and what is right does not."""

from __future__ import annotations

import pytest

from purebp.oracle.asking.lines import lines_of

NET = """\
class Net:
    def __init__(self):
        self.w1 = self.w2 = 0

    def backward(self, x, y):
        d2 = self.o - y
        self.g2 = d2 * self.h
        d1 = d2 * self.w2
        self.g1 = d1 * x

    def update(self):
        self.w2 -= self.g2
        self.w1 -= self.g2
"""


@pytest.mark.parametrize(
    ("function", "wrong", "right", "expected"),
    [
        ("Net.backward", {"g1"}, {"g2"}, ("Net.backward", (8, 9))),
        ("Net.backward", {"g2"}, {"g1"}, ("Net.backward", (7,))),
        ("Net.backward", {"g1", "g2"}, set(), ("Net.backward", (6, 7, 8, 9))),
        ("Net.train", {"w1"}, {"w2"}, ("Net.update", (13,))),
        ("Net.backward", {"spam"}, set(), ("", ())),
        ("Other.backward", {"g1"}, set(), ("", ())),
    ],
)
def test_the_lines_are_those_that_make_it(
    function: str, wrong: set[str], right: set[str], expected: tuple[str, tuple[int, ...]]
) -> None:
    assert lines_of(NET, function, wrong, right) == expected


def test_what_is_no_python_has_no_lines() -> None:
    assert lines_of("def f(:", "f", {"x"}, set()) == ("", ())
