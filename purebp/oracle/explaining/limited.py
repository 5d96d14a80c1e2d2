"""Gradients that are right, and were clipped, normalised or divided by their size: by how much is read off the answers.

>>> found = next(limits([({("weights", 0): [[3.0, -4.0, 0.5]]}, {("weights", 0): [[1.0, -1.0, 0.5]]})]))
>>> [mistake.name for mistake in found][:1]  # of weights; the same of biases
['gradients kept within ±1, each entry for itself']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import isclose
from typing import Any

from purebp.oracle.answer import Claim, as_claim
from purebp.oracle.conventions import shortest
from purebp.oracle.explaining.recipe import STATE, Mistake, Place, Recipe, run
from purebp.textbook.arithmetic import FLOAT, Arithmetic
from purebp.textbook.network import Batch

Entries = Sequence[Any]
EPSILONS = (0.0, 1e-8, 1e-6, 1e-7, 1e-10, 1e-12)  # added to what is divided by
KINDS = (("weights", "biases"), ("weights",), ("biases",))
OF = {
    ("weights", "biases"): "gradients",
    ("weights",): "gradients of the weights",
    ("biases",): "gradients of the biases",
}


def _norm(entries: Entries, arithmetic: Arithmetic[Any]) -> Any:
    """√Σ g²."""
    squares = arithmetic.inner([entries], [entries])[0][0]
    return arithmetic.exp(arithmetic.log(squares) / 2)


def _largest(entries: Entries, arithmetic: Arithmetic[Any]) -> Any:
    """max |g|."""
    best = arithmetic.zero
    for x in entries:
        for y in (x, -x):
            best = arithmetic.choose(best, y, below=lambda y=y: y, at=lambda b=best: b, above=lambda b=best: b)  # type: ignore[misc]
    return best


SIZES: dict[str, Callable[[Entries, Arithmetic[Any]], Any]] = {"norm": _norm, "largest entry": _largest}
SCOPES = {"entry": "each entry for itself", "tensor": "each tensor for itself", "all": "all together"}


@dataclass(frozen=True)
class Limit:
    """What is larger is brought down to a bound; if `always`, what is smaller is brought up to it as well."""

    size: str
    scope: str
    kinds: tuple[str, ...]
    always: bool
    bound: float
    epsilon: float

    def factor(self, size: Any, arithmetic: Arithmetic[Any]) -> Any:
        """By which something of that size is multiplied."""
        bound, more = arithmetic.number(self.bound), arithmetic.number(self.epsilon)

        def scaled() -> Any:
            return bound / (size + more) if self.epsilon else bound / size

        def as_it_is() -> Any:
            return arithmetic.one

        if self.always:
            return as_it_is() if arithmetic.order(size, 0) == 0 else scaled()
        return arithmetic.choose(size, bound, below=as_it_is, at=as_it_is, above=scaled)

    def factor_of(self, together: Entries, arithmetic: Arithmetic[Any]) -> Any:
        """By which entries that are limited together are multiplied."""
        if all(arithmetic.order(x, 0) == 0 for x in together):
            return arithmetic.one
        return self.factor(SIZES[self.size](together, arithmetic), arithmetic)

    def change(self, kind: str, p: Place, rows: Any) -> Any:
        """The gradient of one tensor, limited."""
        own = [rows] if kind == "biases" else rows
        if self.scope == "entry":
            found = [[self.factor_of([x], p.arithmetic) * x for x in row] for row in own]
        else:
            together = [x for row in own for x in row]
            if self.scope == "all":
                whole = as_claim(run(Recipe(), p.network, Batch(p.trace.inputs, p.targets), p.loss, p.arithmetic))
                together = [x for key, of in whole.items() if key[0] in self.kinds for row in of for x in row]
            factor = self.factor_of(together, p.arithmetic)
            found = [[factor * x for x in row] for row in own]
        return found[0] if kind == "biases" else found

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """One for each kind of gradient."""
        plus = f" + {self.epsilon:g}" if self.epsilon else ""
        of = "own size" if self.scope == "entry" else self.size
        if self.always:
            done = f"divided by their {of}{plus}" + ("" if self.bound == 1 else f", times {self.bound:.10g}")
        else:
            done = f"kept within {'±' if self.scope == 'entry' else of + ' '}{self.bound:.10g}"
            done += plus and f" (divided by the {of}{plus})"
        done += f", {SCOPES[self.scope]}"
        what = OF[self.kinds]
        right = "right" if not self.always else "of the right sign" if self.scope == "entry" else "right up to a factor"
        name, sentence = f"{what} {done}", f"The {what} are {right}, and then {done}: have them judged before that."
        return tuple(Mistake(name, STATE, sentence, kind, partial(self.change, kind), onto=True) for kind in self.kinds)


def limits(answers: Sequence[tuple[Claim, Claim]], tolerance: float = 1e-9) -> Iterator[tuple[Mistake, ...]]:
    """What may have been done to right gradients: of each case there are these, beside what was answered."""

    def near(a: float, b: float) -> bool:
        return isclose(a, b, rel_tol=tolerance)

    for kinds, scope, size in product(KINDS, SCOPES, SIZES):
        if scope == "entry" and size == "norm":
            continue
        pairs = [pair for right, given in answers for pair in _grouped(right, given, kinds, scope)]
        found = (tuple(SIZES[size](entries, FLOAT) for entries in pair) for pair in pairs)
        sizes = [(right, given) for right, given in found if right]
        moved = [(r, g) for r, g in sizes if not near(r, g)]
        for always, epsilon in product((False, True), EPSILONS) if moved else ():
            if not always and len(moved) == len(sizes):
                continue  # of what is always at its bound, only the direction is seen
            bounds = [g * (r + epsilon) / r for r, g in (sizes if always else moved)]
            bound = float(shortest(bounds[0], tolerance))
            limit = Limit(size, scope, kinds, always, bound, epsilon)
            if bound > 0 and all(near(g, r * limit.factor(r, FLOAT)) for r, g in sizes):
                yield limit.mistakes


def _grouped(right: Claim, given: Claim, kinds: Sequence[str], scope: str) -> Iterator[tuple[list[float], list[float]]]:
    """Entries that are limited together, right and as they were given."""
    keys = [key for key in given if key[0] in kinds and key in right]
    tensors = [[[x for row in claim[key] for x in row] for claim in (right, given)] for key in keys]
    if scope == "all":
        yield [x for r, _ in tensors for x in r], [x for _, g in tensors for x in g]
    for r, g in tensors if scope != "all" else ():
        if scope == "tensor":
            yield r, g
        else:
            yield from (([x], [y]) for x, y in zip(r, g))
