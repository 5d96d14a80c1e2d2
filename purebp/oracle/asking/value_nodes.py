"""A class of values in the manner of micrograd: found by its operators and `backward()`, and tried operator by operator.

What an operator computes is said by Python; what a method without arguments computes is found by experiment. Gradients
that are added to those of an earlier backward pass are no mistake: each trial makes its values anew.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from purebp.graphs.nodes import Divide, Node
from purebp.graphs.tensors import Tensor
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.known import KNOWN, NUMBERS, Known, meant, named_otherwise, recognised
from purebp.oracle.asking.trials import (
    Feed,
    Trial,
    codes_of,
    leaf,
    method,
    numeric,
    plain,
    required,
    state,
    types_in,
    within,
)

DATA = ("data", "value", "val", "v", "x", "item", "number")
Expression = Callable[..., Any]  # of nodes of purebp or of values of the user, which have the same operators


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator or method: its name, and what it does to values and to nodes of purebp.

    refuses: it need not be there. how: in what form.
    """

    name: str
    arity: int
    yours: Expression
    mine: Expression
    computes: str
    refuses: bool = False
    how: str = ""


def _power(exponent: int) -> Operator:
    mine = (lambda x: Divide(1.0, x)) if exponent < 0 else (lambda x: x**exponent)
    return Operator("__pow__", 1, lambda x: x**exponent, mine, "power", exponent < 0, f"to the power of {exponent}")


def _both(name: str, arity: int, of: Expression, computes: str, **more: Any) -> Operator:
    return Operator(name, arity, of, of, computes, **more)


OPERATORS = (
    _both("__add__", 2, operator.add, "add"),
    _both("__mul__", 2, operator.mul, "multiply"),
    _power(2),
    _power(3),
    _power(-1),
    _both("__neg__", 1, operator.neg, "negative"),
    _both("__sub__", 2, operator.sub, "subtract"),
    _both("__truediv__", 2, operator.truediv, "divide"),
    _both("__add__", 1, lambda x: x + 2.0, "add", refuses=True, how="with a number"),
    _both("__mul__", 1, lambda x: x * 3.0, "multiply", refuses=True, how="with a number"),
    _both("__sub__", 1, lambda x: x - 2.0, "subtract", refuses=True, how="with a number"),
    _both("__truediv__", 1, lambda x: x / 4.0, "divide", refuses=True, how="with a number"),
    _both("__radd__", 1, lambda x: 2.0 + x, "add"),
    _both("__rmul__", 1, lambda x: 3.0 * x, "multiply"),
    _both("__rsub__", 1, lambda x: 2.0 - x, "subtract"),
    _both("__rtruediv__", 1, lambda x: 3.0 / x, "divide"),
)
OVERWRITTEN = (
    "overwritten instead of accumulated",
    "It is right where each value is used once, and wrong where one is used twice: its gradient is the sum over all uses, "
    "+= in place of =.",
)
LEFT_OUT = (
    "what comes back is left out",
    "It is right where 1 comes back to it, and wrong where another number does: multiply by the gradient of what was made.",
)
TOO_EARLY = (
    "wrong order",
    "Each operator is right by itself. Where a value is used twice, what comes back to it must be complete before it is "
    "passed on: visit the values in reverse topological order, each once.",
)
SQUASHING = ("tanh", "sigmoid", "relu", "softplus", "silu", "gelu")


@dataclass(frozen=True, slots=True)
class ValueClass:
    """A class of values, and what it can do."""

    cls: type
    data: str
    gradient: str
    operators: tuple[Operator, ...]
    unknown: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def told(self) -> list[str]:
        """The class with its operators."""
        names = dict.fromkeys(each.name for each in self.operators)
        return [f"{self.name} ({', '.join(names)})"]

    def trials(self) -> Iterator[Trial]:
        """From the simplest: a value alone, each operator alone, then in company, then several together."""
        back = self._label("backward")
        yield self._trial(
            back,
            "of a value alone",
            ("x",),
            _same,
            _same,
            (),
            ("it has no gradient of 1", f"After {back}() of a value, its gradient is 1."),
        )
        there = {each.name for each in self.operators}
        for each in self.operators:
            yield self._of(each, each.how if each.how else "alone", lambda f, *x: f(*x))
        for each in self.operators[:2]:
            if each.arity == 2 and each.name in ("__add__", "__mul__"):
                yield self._of(each, "of one value and itself", lambda f, x: f(x, x), names=("x",), mistake=OVERWRITTEN)
        add, mul = self._label("__add__"), self._label("__mul__")
        if {"__add__", "__mul__"} <= there:
            yield self._chain((add, mul))
        if "__mul__" in there:
            for each in sorted(self.operators, key=lambda each: each.name != "__mul__"):
                how = " ".join(filter(None, (each.how, "multiplied by another value")))
                yield self._of(each, how, lambda f, *x: f(*x[:-1]) * x[-1], mul, more=("g",), mistake=LEFT_OUT)
            for each in self.operators:
                how = " ".join(filter(None, (each.how, "of products" if each.arity > 1 else "of a product")))
                yield self._of(each, how, _of_products, mul, more=("g", "h")[: each.arity])
        if "__add__" in there:
            for each in self.operators:
                how = " ".join(filter(None, (each.how, "used twice")))
                yield self._of(each, how, lambda f, *x: f(*x) + f(*x), add, mistake=OVERWRITTEN)
        if {"__add__", "__mul__"} <= there:
            for how, names, expression in _together():
                yield self._trial(back, how, names, expression, expression, (add, mul), TOO_EARLY)
            yield self._network()

    def _label(self, name: str) -> str:
        return f"{self.name}.{name}"

    def _of(
        self,
        each: Operator,
        how: str,
        change: Expression,
        *needs: str,
        names: tuple[str, ...] | None = None,
        more: tuple[str, ...] = (),
        mistake: tuple[str, str] = ("", ""),
    ) -> Trial:
        label, back, yours, mine = self._label(each.name), self._label("backward"), each.yours, each.mine
        return self._trial(
            label,
            how,
            (("x", "y")[: each.arity] if names is None else names) + more,
            lambda *x: change(yours, *x),
            lambda *x: change(mine, *x),
            (back, *(need for need in needs if need != label)),
            mistake,
            refuses=each.refuses,
        )

    def _chain(self, needs: tuple[str, ...]) -> Trial:
        """(x + y) z: whether anything comes back to x and y at all, and not how much."""
        back = self._label("backward")

        def product(x: Any, y: Any, z: Any) -> Any:
            return (x + y) * z

        whole = self._trial(back, "of (x + y) z", ("x", "y", "z"), product, product, needs)

        def run(feed: Feed) -> dict[str, Any]:
            said = whole.run(feed)
            if not said["x"] and not said["y"]:
                told = "nothing comes back to x and y: a value passes on its gradient when it is complete, so visit each before those that it is made of"
                raise NoAnswer("order", f"{back}, of (x + y) z: {told}")
            return {name: said[name] for name in ("loss", "z")}

        return replace(whole, leaves=("z",), run=run)

    def _trial(
        self,
        subject: str,
        how: str,
        names: Sequence[str],
        yours: Expression,
        mine: Expression,
        needs: tuple[str, ...],
        mistake: tuple[str, str] = ("", ""),
        refuses: bool = False,
        is_network: bool = False,
    ) -> Trial:
        def graph(trained: Sequence[str]) -> Node:
            node: Node = mine(*[leaf(name, (), trained) for name in names])
            return node

        return Trial(
            subject,
            subject,
            subject,
            how,
            graph,
            tuple(names),
            lambda feed: self._played(subject, names, yours, feed),
            needs,
            mistake,
            refuses=refuses,
            is_network=is_network,
        )

    def _played(self, label: str, names: Sequence[str], expression: Expression, feed: Feed) -> dict[str, Any]:
        codes = codes_of(self.cls)
        values = [within(f"{self.name}()", lambda x=feed[name]: self.cls(x), codes) for name in names]  # type: ignore[misc]
        output = within(label, lambda: expression(*values), codes)
        if not isinstance(output, self.cls):
            raise NoAnswer("not understood", f"{label} gives {output!r:.60}: a {self.name} is wanted")
        within(f"{self.name}.backward" if len(names) > 1 else label, lambda: _backwards(output), codes)
        said: dict[str, Any] = {}
        if not any(output is value for value in values):
            said["loss"] = _number(label, "the value", getattr(output, self.data))
        for name, value in zip(names, values):
            said[name] = _number(label, f"the gradient of {name}", getattr(value, self.gradient))
        return said

    def _network(self) -> Trial:
        there = {each.name for each in self.operators}
        squash = next((each for name in SQUASHING for each in self.operators if each.computes == name), None)
        minus = "__sub__" in there
        names = ("x1", "x2", "w11", "w12", "b1", "w21", "w22", "b2", "v1", "v2", "c", "y")

        def of(f: Expression) -> Expression:
            def cost(x1: Any, x2: Any, w11: Any, w12: Any, b1: Any, w21: Any, w22: Any, b2: Any, *rest: Any) -> Any:
                v1, v2, c, y = rest
                h1, h2 = f(w11 * x1 + w12 * x2 + b1), f(w21 * x1 + w22 * x2 + b2)
                out = v1 * h1 + v2 * h2 + c
                error = out - y if minus else out + y
                return error * error

            return cost

        used = ["__add__", "__mul__", *["__sub__"] * minus, *([squash.name] if squash else [])]
        yours, mine = (squash.yours, squash.mine) if squash else (_same, _same)
        return self._trial(
            f"{self.name}.backward",
            "in a small network",
            names,
            of(yours),
            of(mine),
            tuple(self._label(name) for name in used),
            is_network=True,
        )


def _together() -> Iterator[tuple[str, tuple[str, ...], Expression]]:
    """Several operators, where a value on the way is used twice."""

    def diamond(x: Any, y: Any) -> Any:
        a = x * y
        b = a + x
        return a * b + a

    def ladder(x: Any, y: Any) -> Any:
        a = x + y
        b = a * y
        c = a + b
        return c * b + c * a

    yield "where a value on the way is used twice", ("x", "y"), diamond
    yield "where values on the way are used several times", ("x", "y"), ladder


def _of_products(f: Expression, *x: Any) -> Any:
    """f(x g), or f(x g, y h)."""
    half = len(x) // 2
    return f(*[a * b for a, b in zip(x[:half], x[half:])])


def _same(x: Any) -> Any:
    return x


def _backwards(output: Any) -> None:
    if required(output.backward)[0]:
        output.backward(1.0)
    else:
        output.backward()


def _number(label: str, what: str, x: Any) -> float:
    found = plain(x) if x is not None else None
    while isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, float):
        raise NoAnswer("not understood", f"{label}: {what} is {x!r:.60}: a number is wanted")
    return found


# Finding.


def find_values(namespace: Mapping[str, Any]) -> ValueClass | None:
    """The first class of values in a namespace.

    >>> find_values({"int": int}) is None
    True
    """
    for cls in types_in(namespace):
        if not method(cls, "backward") or not any(_defines(cls, name) for name in ("__add__", "__mul__")):
            continue
        try:
            data, gradient = _attributes(cls)
        except (Exception, SystemExit):
            continue
        if data and gradient:
            methods, unknown = _methods(cls, data)
            there = [each for each in OPERATORS if _defines(cls, each.name)]
            return ValueClass(cls, data, gradient, (*there, *methods), tuple(unknown))
    return None


def _defines(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__[:-1])


def _attributes(cls: type) -> tuple[str, str]:
    """Where its number and its gradient are."""
    x, y = cls(2.0), cls(3.0)
    held = [k for k, v in state(x).items() if numeric(v) and plain(v) in (2.0, [2.0], [[2.0]])]
    held.sort(key=lambda k: DATA.index(k) if k in DATA else len(DATA))
    if not held:
        return "", ""
    named = [k for k in state(x) if "grad" in k.lower() and not callable(getattr(x, k))]
    for f in (operator.add, operator.mul):
        try:
            before = {k: repr(v) for k, v in state(x).items()}
            output = f(x, y)
            if isinstance(output, cls):
                _backwards(output)
            changed = [k for k, v in state(x).items() if numeric(v) and k != held[0] and repr(v) != before.get(k)]
            if changed:
                return held[0], next((k for k in changed if k in named), changed[0])
        except (Exception, SystemExit):
            continue
    numbers = [k for k in named if numeric(getattr(x, k)) or getattr(x, k) is None]
    return held[0], next(iter(numbers), "")


def _methods(cls: type, data: str) -> tuple[list[Operator], list[str]]:
    """Methods without arguments that make a value of a value, and the names of those that nobody knows."""
    found, unknown = list[Operator](), list[str]()
    for name in dir(cls):
        function = getattr(cls, name)
        if name.startswith("_") or not callable(function) or name == "backward" or required(function, bound=False)[0]:
            continue
        if not isinstance(vars(next(b for b in cls.__mro__ if name in vars(b)))[name], type(_same)):
            continue  # a class method or the like

        def yours(x: Any, name: str = name) -> Any:
            return getattr(x, name)()

        def compute(given: Sequence[Tensor], name: str = name) -> Tensor:
            output = getattr(cls(given[0]), name)()
            return _number(name, "the value", getattr(output, data))

        try:
            x = cls(0.5)
            output = yours(x)
        except (Exception, SystemExit):
            output, x = None, None
        said = meant(name, 1)
        if output is x and output is not None or (output is not None and not isinstance(output, cls)):
            continue
        match = recognised(compute, 1, (NUMBERS,))
        known: Known | None = match.known if match else said
        if match and said and named_otherwise(match.known, said, name):
            known = said
        if known is None:
            unknown += [f"{cls.__name__}.{name}"] if output is not None else []
        elif NUMBERS in known.shapes:
            found.append(Operator(name, 1, yours, known.build, known.name))
    order = [row.name for row in KNOWN]
    return sorted(found, key=lambda each: order.index(each.computes)), unknown
