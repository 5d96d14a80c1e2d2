"""Operations that the classes of a learner may compute: what they are called, how a graph is built of them, their shapes.

What a class computes is found by experiment: its output on some numbers beside that of every row of the table.

>>> from math import tanh
>>> found = recognised(lambda given: [[tanh(x) for x in row] for row in given[0]], 1, [MATRICES])
>>> found.known.name
'tanh'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import isclose, isfinite, prod
from random import Random
from typing import Any

from purebp.graphs.costs import Cost
from purebp.graphs.engine import forward_graph
from purebp.graphs.functions import Activate
from purebp.graphs.nodes import Add, Divide, Input, Multiply, Negative, Node, Subtract
from purebp.graphs.operations import Exp, Linear, Log, Mean, Sum
from purebp.graphs.tensors import Shape, Tensor, arranged, entries
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.linalg import transpose

MATRICES, VECTORS, NUMBERS = "matrices", "vectors", "numbers"  # what a class may hold
N_IN, N_OUT, SAMPLES = 3, 2, 4  # of the experiments: all different, and different from 1
OF_ONE = ("squares", "mae", "binary_cross_entropy")  # losses that one output suffices for
NEARLY = 1e-6  # roundoff, that of single precision too, is far below


@dataclass(frozen=True, slots=True)
class Known:
    """An operation: its name, how classes of it are called, the names of its parents, and its graph.

    shapes: of the parents, by what a class holds. group: what differs in a factor alone, or in a parameter. drawn: the
    numbers that it takes. weighed: the parent that is a matrix of weights, and may be the other way round.
    """

    name: str
    called: str
    parents: tuple[str, ...]
    build: Callable[..., Node]
    shapes: dict[str, tuple[Shape, ...]]
    group: str = ""
    loss: bool = False
    drawn: str = "signed"
    weighed: int | None = None

    @property
    def kin(self) -> str:
        """The group, or where there is none the name."""
        return self.group or self.name

    def sized(self, holds: str, n_in: int = N_IN, n_out: int = N_OUT) -> tuple[Shape, ...]:
        """The shapes of the parents, for these widths."""
        widths = {N_IN: n_in, N_OUT: n_out}
        return tuple(tuple(n if n is None else widths.get(n, n) for n in shape) for shape in self.shapes[holds])


SAME = {MATRICES: (None, N_IN), VECTORS: (N_IN,), NUMBERS: ()}


def _same(count: int, *holds: str) -> dict[str, tuple[Shape, ...]]:
    return {each: (SAME[each],) * count for each in holds or SAME}


def _rows() -> Iterator[Known]:
    functions = {"sigmoid": "sigmoid|logistic|sigma", "tanh": "tanh|tangent"}
    functions |= {"softplus": "softplus", "silu": "silu|swish", "gelu": "gelu"}
    for name, called in functions.items():
        yield Known(name, called, ("x",), lambda x, name="", f=name: Activate(x, f, name), _same(1))
    slopes = [f"leaky_relu({slope})" for slope in (0.01, 0.1, 0.2, 0.3, 0.05, 0.02, 0.001, 0.25, 0.5)]
    for f in ("relu", *slopes, "elu(1.0)"):
        called = "relu|rectif" if f == "relu" else "leaky|prelu" if f[0] == "l" else r"(?<!r)elu"
        yield Known(f, called, ("x",), lambda x, name="", f=f: Activate(x, f, name), _same(1), "relu")
    yield Known(
        "softmax", "softmax", ("x",), lambda x, name="": Activate(x, "softmax", name), _same(1, MATRICES, VECTORS)
    )
    yield Known("exp", "exp", ("x",), lambda x, name="": Exp(x, name=name), _same(1))
    yield Known("log", r"\blog|log\b|ln", ("x",), lambda x, name="": Log(x, name=name), _same(1), drawn="positive")
    yield Known("negative", "neg|minus", ("x",), lambda x, name="": Negative(x, name=name), _same(1))
    yield Known("square", "square", ("x",), lambda x, name="": Multiply(x, x, name=name), _same(1))
    yield Known("reciprocal", "recip|inv", ("x",), lambda x, name="": Divide(1.0, x, name=name), _same(1))
    yield Known("sum", r"\bsum|total", ("x",), lambda x, name="": Sum(x, name=name), _same(1, MATRICES, VECTORS))
    yield Known("mean", r"\bmean|average", ("x",), lambda x, name="": Mean(x, name=name), _same(1, MATRICES, VECTORS))
    two: tuple[tuple[str, str, Any], ...] = (
        ("add", "add|plus", Add),
        ("multiply", "mul|times|prod", Multiply),
        ("subtract", "sub|minus|diff", Subtract),
        ("divide", "div|quot", Divide),
    )
    for name, called, operation in two:
        yield Known(name, called, ("x", "y"), operation, _same(2))
    for name, operation in (("add", Add), ("multiply", Multiply)):
        yield Known(name, two[name == "multiply"][1], ("x", "y", "z"), operation, _same(3))
    yield Known(
        "linear",
        r"linear|dense|affine|\bfc|fully(_?connected)?|layer",
        ("x", "W", "b"),
        Linear,
        {MATRICES: ((None, N_IN), (N_OUT, N_IN), (N_OUT,)), VECTORS: ((N_IN,), (N_IN,), ())},
        weighed=1,
    )
    yield Known(
        "linear",
        "matmul|dot|linear|dense",
        ("x", "W"),
        Linear,
        {MATRICES: ((None, N_IN), (N_OUT, N_IN)), VECTORS: ((N_IN,), (N_IN,))},
        weighed=1,
    )
    for base in ("sse", "half_sse"):
        yield from _losses(
            base, "squares", r"mse|sse|(mean ?)?squared? ?errors?|square|quadratic|l2|error", "signed", 1
        )
    yield from _losses("mae", "mae", "mae|absolute|l1", "signed", 1)
    yield from _losses("binary_cross_entropy", "binary_cross_entropy", "bce|binary|log_?loss", "binary", 1)
    yield from _losses("cross_entropy", "cross_entropy", "cross|entropy|nll", "one_hot", 3)
    yield from _losses("cross_entropy", "cross_entropy", "cross|entropy|softmax", "one_hot", 3, "softmax")
    yield from _losses("binary_cross_entropy", "binary_cross_entropy", "bce|sigmoid", "binary", 1, "sigmoid")


def _losses(base: str, group: str, called: str, drawn: str, columns: int, after: str | None = None) -> Iterator[Known]:
    for reduction in ("entries", "samples", "sum", "outputs"):
        name = {"sse entries": "mse", "half_sse entries": "half_mse"}.get(
            f"{base} {reduction}", base if reduction == "sum" and "sse" in base else f"{base}/{reduction}"
        )
        shapes: dict[str, tuple[Shape, ...]] = {
            MATRICES: ((None, columns),) * 2,
            VECTORS: ((N_IN,),) * 2,
            NUMBERS: ((),) * 2,
        }
        if columns > 1:
            del shapes[NUMBERS]
        shown = name if after is None else f"{name} of {after}"
        yield Known(
            shown,
            called,
            ("y", "a"),
            lambda y, a, name="", loss=name, after=after: Cost(y, a, loss, after, name),
            shapes,
            group,
            loss=True,
            drawn=drawn,
        )


KNOWN = tuple(_rows())


@dataclass(frozen=True, slots=True)
class Match:
    """What a class computes: the operation, what it holds, and how it takes its parents.

    places: for each place of the class, which parent of the operation stands there. turned: the weights are
    n_in × n_out, as x W has them, and not n_out × n_in.
    """

    known: Known
    holds: str
    places: tuple[int, ...]
    turned: bool = False
    experiment: bool = True  # else by the name of the class alone

    def given(self, values: Sequence[Tensor]) -> list[Tensor]:
        """What the class is given, for the parents of the operation; `taken` is the way back."""
        turned = [_turn(v) if self.turned and i == self.known.weighed else v for i, v in enumerate(values)]
        return [turned[place] for place in self.places]

    def taken(self, values: Sequence[Tensor]) -> list[Tensor]:
        """What belongs to the parents of the operation, of what the class has in its places."""
        back = [values[self.places.index(i)] for i in range(len(values))]
        return [_turn(v) if self.turned and i == self.known.weighed else v for i, v in enumerate(back)]


def _turn(x: Tensor) -> Tensor:
    return transpose(x) if isinstance(x, list) and x and isinstance(x[0], list) else x


def recognised(
    compute: Callable[[list[Tensor]], Tensor],
    arity: int,
    holds: Sequence[str],
    rows: Iterable[Known] = KNOWN,
    targets: int | None = None,
) -> Match | None:
    """The operation of which it has the numbers, on some that are drawn; `None` if there is none in the table.

    compute: from plain lists to plain lists; where it raises, it does not compute these. targets: the place of them, in
    a loss, if that is known.
    """
    outputs: dict[str, Tensor] = {}

    def computed(given: list[Tensor]) -> Tensor:
        key = repr(given)
        if key not in outputs:
            try:
                outputs[key] = compute(given)
            except (Exception, SystemExit):
                outputs[key] = None
        return outputs[key]

    for each in holds:
        for widths in ((3, 1), (1,)):  # a loss may be meant for one output alone
            for known in rows:
                if (
                    len(known.parents) != arity
                    or each not in known.shapes
                    or (widths == (1,) and known.group not in OF_ONE)
                ):
                    continue
                for match in _ways(known, each, targets):
                    if all(_agrees(match, computed, columns) for columns in widths[: 2 if known.loss else 1]):
                        return match
    return None


def _ways(known: Known, holds: str, targets: int | None) -> Iterator[Match]:
    """The orders of parents, and both ways of weights."""
    for places in permutations(range(len(known.parents))):
        if known.loss and targets is not None and places[targets] != 0:
            continue
        for turned in (True, False) if known.weighed is not None and holds == MATRICES else (False,):
            yield Match(known, holds, places, turned)


def _agrees(match: Match, computed: Callable[[list[Tensor]], Tensor], columns: int) -> bool:
    """Whether it has the numbers of the operation, twice."""
    if columns == 1 and match.known.group not in OF_ONE:
        return True  # of one class a softmax is 1
    for seed in (1, 2):
        values = drawn(match, seed, columns)
        output = computed(match.given(values))
        try:
            if output is None or not near(output, reference(match.known, values)):
                return False
        except PurebpError:
            return False
    return True


def drawn(match: Match, seed: int, columns: int = 3) -> list[Tensor]:
    """Numbers for the parents of the operation, as it takes them.

    >>> drawn(Match(KNOWN[0], NUMBERS, (0,)), 1)
    [-1.375]
    """
    random, values = Random(f"known {seed}"), []
    for i, shape in enumerate(match.known.shapes[match.holds]):
        size = tuple(SAMPLES if n is None else n for n in shape)
        if match.known.loss and match.holds == MATRICES:
            size = SAMPLES, columns
        numbers = [random.choice((-1, 1)) * random.randint(1, 15) / 8 for _ in range(prod(size))]
        if match.known.drawn != "signed":
            numbers = [abs(x) / 2 for x in numbers]  # between 0 and 1
        if match.known.drawn == "binary" and i == 0:
            numbers = [float(random.randint(0, 1)) for _ in numbers]
        if match.known.drawn == "one_hot" and i == 0:
            width = (size or (1,))[-1]
            hot = [random.randrange(width) for _ in range(len(numbers) // width)]
            numbers = [float(j == k) for k in hot for j in range(width)]
        values.append(arranged(numbers, size))
    return values


def reference(known: Known, values: Sequence[Tensor]) -> Tensor:
    """What the operation makes of these numbers, in floats.

    >>> reference(next(row for row in KNOWN if row.name == "add"), [1.0, 2.0])
    3.0
    """
    leaves = [Input(name) for name in known.parents]
    node = known.build(*leaves)
    return forward_graph(node, dict(zip(leaves, values)))[node]


def near(one: Tensor, other: Tensor) -> bool:
    """Whether these are the same numbers but for rounding, whatever their shapes without dimensions of 1.

    >>> near([[1.0], [2.0]], [1.0, 2.0 + 1e-12]), near([1.0], [1.0, 2.0])
    (True, False)
    """
    a, b = entries(one), entries(other)
    return len(a) == len(b) and all(isfinite(x) and isclose(x, y, rel_tol=NEARLY, abs_tol=NEARLY) for x, y in zip(a, b))


def meant(name: str, arity: int | None = None, loss: bool | None = None) -> Known | None:
    """The operation that the name of a class says; the one that takes most of the name.

    >>> meant("MySigmoidNode").name, meant("LeakyReLU").name, meant("Thing")
    ('sigmoid', 'leaky_relu(0.01)', None)
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower()
    best: tuple[int, Known] | None = None
    for known in KNOWN:
        if arity not in (None, len(known.parents)) or loss not in (None, known.loss):
            continue
        length = max((len(m.group()) for m in re.finditer(known.called, words)), default=0)
        joined = max((len(m.group()) for m in re.finditer(known.called, words.replace(" ", ""))), default=0)
        if max(length, joined) > (best[0] if best else 0):
            best = max(length, joined), known
    return best[1] if best else None


STRICT = {"sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "relu": "relu"} | {
    word: name
    for name, words in {
        "add": ("add", "plus", "sum"),
        "multiply": ("mul", "multiply", "times", "product"),
        "subtract": ("sub", "subtract", "minus"),
    }.items()
    for word in words
}


def surely(name: str) -> Known | None:
    """The operation that the whole name of a class says, but for words such as layer.

    >>> surely("Tanh_Layer").name, surely("TanhNetwork")
    ('tanh', None)
    """
    whole = re.sub(r"(_|node|layer|activation|function|\(.*\))", "", name.lower())
    rows = (row for row in KNOWN if re.fullmatch(row.called, whole))
    return next((row for row in rows if not row.loss), None)


def named_otherwise(found: Known, said: Known, name: str) -> bool:
    """Whether a class computes an operation, and its whole name says another.

    >>> sigmoid, tanh = KNOWN[:2]
    >>> named_otherwise(tanh, sigmoid, "Sigmoid"), named_otherwise(tanh, sigmoid, "SigmoidLike")
    (True, False)
    """
    whole = re.sub("(_|node|layer|activation|function|value|op)", "", name.lower())
    return STRICT.get(whole) == said.kin and found.kin != said.kin
