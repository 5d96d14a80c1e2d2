"""A penalty: ½ λ |w|² is added to the loss, and so λ w to the gradient of every weight w; or λ / n of each.

>>> read("0.01/n").share(4), read("0.01,all").name, read(0.5).words
(Fraction(1, 400), '0.01,all', 'a penalty of 0.5 on the weights')
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from purebp.oracle.answer import LOCAL
from purebp.textbook.arithmetic import PurebpError

WANTED = "a positive number is wanted, or one divided by the samples, such as 0.01/n; 0.01,all is on the biases too"


@dataclass(frozen=True, slots=True)
class Penalty:
    """λ, of the weights alone or of all parameters; for n samples λ / n, if it is divided by them."""

    rate: Fraction
    by_samples: bool = False
    on_all: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The parameters that have it."""
        return LOCAL if self.on_all else LOCAL[:1]

    @property
    def shown(self) -> str:
        """λ, or λ/n."""
        return f"{float(self.rate):.15g}" + "/n" * self.by_samples

    @property
    def name(self) -> str:
        """As it is declared."""
        return self.shown + ",all" * self.on_all

    @property
    def words(self) -> str:
        return f"a penalty of {self.shown} on {'all parameters' if self.on_all else 'the weights'}"

    def share(self, samples: int) -> Fraction:
        """What each parameter is multiplied by."""
        return self.rate / samples if self.by_samples else self.rate


def read(given: Any) -> Penalty:
    """A penalty from a number, from a text such as "0.01/n,all", or from its parts."""
    if isinstance(given, Penalty):
        return given
    parts = given if isinstance(given, (list, tuple)) else str(given).split(",")
    rate, *rest = (str(part).strip() for part in parts)
    number, _, by = rate.partition("/")
    try:
        found = Fraction(number)
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if (
        not Fraction(1, 10**30) <= found <= 10**30
        or by.strip() not in ("", "n")
        or rest not in ([], ["all"], ["weights"])
    ):
        raise PurebpError(f"{given!r:.40} is no penalty: {WANTED}")
    return Penalty(found, bool(by), rest == ["all"])
