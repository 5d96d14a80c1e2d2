"""What a candidate does not take: the simplest case, and beside it what asks for one thing more.

A candidate that answers the simplest case, and refuses several outputs, several samples or other widths, is no wrong
one: it is asked for what it takes, and the report says what it does not.

>>> from purebp.oracle.asking.candidate import ask
>>> def mine(weights, biases, inputs, targets):
...     ((x,), (y,)) = inputs, targets  # one sample
...     error = [sum(w * a for w, a in zip(row, x)) - t for row, t in zip(weights[0], y)]
...     return [[[e * a for a in x] for e in error]]
>>> for limit in limits(lambda case, declared: ask(mine, case, declared), Declared(["identity"], biases=False)):
...     limit.options, limit.sentence
({'batch': 1}, 'It takes one sample at a time. With several it raises ValueError: too many values to unpack (expected 1).')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from purebp.oracle.answer import Answer
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case, asked_first
from purebp.textbook.text import counted

Ask = Callable[[Case, Declared], Answer]
LIMITED = ("sizes", "outputs", "batch")
REFUSALS = ("raises", "error", "crash", "wrong shape")  # kinds of findings that may say: not that


@dataclass(frozen=True, slots=True)
class Limit:
    """What holds for all cases that a candidate takes, as a declaration; and the sentence that says so, and why."""

    options: dict[str, Any]
    sentence: str


def refused(answer: Answer) -> str:
    """Why it gave no answer of the right shape, in a line; "" if it did, or if that says nothing of what it takes."""
    fatal = answer.fatal
    return fatal.sentence.partition("\n")[0] if fatal and fatal.kind in REFUSALS else ""


def limits(ask: Ask, declared: Declared) -> Iterator[Limit]:
    """What it does not take of what is not declared, where it takes the simplest case."""
    wanted = declared.wanted
    if not ask(first := asked_first(wanted), declared).claim:
        return
    free = declared.sizes is None
    one = "one output" if first.sizes[-1] == 1 else counted(first.sizes[-1], "output")
    widths = "-".join(map(str, first.sizes))
    if declared.batch is None and (why := refused(ask(asked_first(wanted, samples=2), declared))):
        yield Limit({"batch": 1}, f"It takes one sample at a time. With several {_ended(why)}")
    if free and (why := refused(ask(asked_first(wanted, n_in=1, hidden=1), declared))):
        yield Limit({"sizes": first.sizes}, f"It takes networks of the widths {widths}. With others {_ended(why)}")
    elif free and declared.outputs is None and (why := refused(ask(asked_first(wanted, outputs=1), declared))):
        yield Limit({"outputs": first.sizes[-1]}, f"It takes {one}. With more {_ended(why)}")


def _ended(why: str) -> str:
    return f"{why.rstrip('.'):.200}."
