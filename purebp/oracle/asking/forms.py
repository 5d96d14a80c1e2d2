"""Code as it is: how a class, an object or functions can be asked for gradients or for a step, found by trying.

An object is made, its weights and biases are recognised by their shapes, a batch is handed over, the methods that go
forwards, backwards or train are called, and what comes back, or has changed, is read. Each way that works is a `Form`.

>>> from math import tanh
>>> class Net:
...     def __init__(self, n_in, n_out):
...         self.weights = [[0.0] * n_in for _ in range(n_out)]
...     def backprop(self, x, y):
...         a = [tanh(sum(w * v for w, v in zip(row, x))) for row in self.weights]
...         return [[2 * (p - t) * (1 - p * p) * v for v in x] for p, t in zip(a, y)]
>>> form = next(forms({"Net": Net}))
>>> form.sentence
'It is asked as a class: Net(n_in=2, n_out=2), weights weights (inputs × outputs), backprop(x, y) returns the gradients.'
>>> form.options["biases"], form.options["samples"]
(False, 'vector')
"""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from inspect import signature
from io import StringIO
from itertools import islice, product
from types import FrameType
from typing import Any
from warnings import catch_warnings, simplefilter

from purebp.oracle.answer import Key
from purebp.oracle.asking.calling import Bindings, Call, CannotCall, performed, returned_names
from purebp.oracle.asking.candidate import Candidate, NoAnswer, plain
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.asking.leaves import Leaf, leaves
from purebp.oracle.asking.making import Hints, Made, Owner, owners
from purebp.oracle.asking.placing import Pattern, Place, patterns, picked, places
from purebp.oracle.asking.roles import BACKWARDS, CHECKS, FORWARDS, TRAINS, kind_of, role
from purebp.oracle.asking.task import Way
from purebp.oracle.asking.wire import numbers
from purebp.oracle.cases import Case, asked_first
from purebp.textbook.network import Batch

MOST_FORMS = 40
MOST_PLACES = 6  # of the weights in what is kept
SECONDS = 2.0  # for a call while it is being found out
WIDTHS = (
    (2, 3, 2),
    (2, 3, 1),
    (2, 2),
    (3, 1),
    (2, 3, 4, 2),
    (2, 3, 4, 1),
    (3, 3, 3),
    (3, 3, 3, 3),
)  # of networks that are asked for
SQUARE = WIDTHS[6:]  # for those that raise wherever layers differ


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which code can be asked.

    name: of the function, the class, or the method. options: what is declared by it, as `Declared` has it. make: a
    fresh candidate. returns: "gradients" or "step".
    """

    name: str
    sentence: str
    options: dict[str, Any]
    make: Callable[[], Candidate]
    returns: str = "gradients"
    owner: str = ""  # the class
    origins: dict[Key, str] = field(default_factory=dict, repr=False)  # of each tensor: the variable or the attribute
    answer: str = field(default="", repr=False)  # to a simple case: two forms with the same one are the same

    def way(self, watched: Callable[[Candidate, Iterator[str]], Candidate]) -> Way:
        """The way of asking that it is, where a candidate that is told its cases is `watched`."""

        def candidate(declared: Declared, cases: Iterator[str]) -> Candidate:
            return watched(self.make(), cases)

        def anew(declared: Declared, cases: Iterator[str]) -> Candidate:
            return watched(lambda *given: self.make()(*given), cases)

        steps = self.returns == "step"
        return Way(
            self.name, candidate, lambda: None, self.sentence, self.options, steps, self.owner, anew, self.origins
        )


def forms(namespace: Mapping[str, Any], hints: Hints = Hints()) -> Iterator[Form]:
    """All ways that work, the likeliest first."""
    found = (form for owner in owners(namespace, hints) for form in _forms_of(owner, hints))
    yield from islice(_distinct(found), MOST_FORMS)


def _distinct(found: Iterator[Form]) -> Iterator[Form]:
    seen = set[str]()
    for form in found:
        if form.answer not in seen:
            seen.add(form.answer)
            yield form


@contextmanager
def _quietly() -> Iterator[None]:
    """Without output and warnings, and not for ever: where signals can end it."""
    ends = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("it takes too long")

    before = signal.signal(signal.SIGALRM, late) if ends else None
    left = signal.setitimer(signal.ITIMER_REAL, SECONDS)[0] if ends else 0.0
    try:
        with redirect_stdout(StringIO()), catch_warnings():
            simplefilter("ignore")
            yield
    except BaseException as error:
        of_a_person = isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_DFL
        if of_a_person or isinstance(error, (Exception, SystemExit)):
            raise
        raise CannotCall(f"it raises {type(error).__name__}") from None
    finally:
        if ends:
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, before)


def _forms_of(owner: Owner, hints: Hints) -> Iterator[Form]:
    """Its forms: gradients before steps."""
    if not owner.name and not any(_plans(owner, None, hints)):
        return
    later = list[Form]()
    taken: dict[str, Any]
    for taken in ({}, {"batch": 4}, {"inputs": "whole"}, {"inputs": "binary"}):  # some take nothing else
        found = False
        for made, way in product(owner.made, _ways()):
            if way["samples"] == "vector" and "batch" in taken:
                continue
            for form in _tried(owner, made, {**way, **taken}, hints):
                found = True
                if form.returns == "gradients":
                    yield form
                else:
                    later.append(form)
        if found:
            break
    yield from later


def _ways() -> Iterator[dict[str, Any]]:
    """How a batch is handed over."""
    arrays = ["numpy", None] if "numpy" in sys.modules else [None]
    for library, targets, samples in product(arrays, (None, "labels"), ("rows", "vector", "columns")):
        way = {"arrays": library, "samples": samples} | ({"batch": 1} if samples == "vector" else {})
        if targets is None or samples != "columns":
            yield way | ({"targets": targets} if targets else {})


def _tried(owner: Owner, made: Made, way: dict[str, Any], hints: Hints) -> Iterator[Form]:
    """The forms of one way to make it, and to hand over a batch."""
    seen = set[tuple[tuple[str, ...], str, bool, str]]()
    for sizes in WIDTHS:
        if way.get("targets") and sizes[-1] == 1:
            continue
        _, given = _probe(sizes, way)
        holder: Any = None
        found: list[tuple[Place, dict[str, Any]]]
        if owner.name:
            try:
                with _quietly():
                    holder = made.make(sizes, given[2], given[3])
                    own = hints.chosen(leaves(holder))
            except (Exception, SystemExit):
                continue
            found = [(place, {}) for place in places(own, None if made.fixed else sizes)]
        else:
            found = list(_as_arguments(sizes, way))
        asked = {plan[-1] for plan, *_ in seen}  # with smaller networks: nothing else is learnt of them
        for place, layout in found[:MOST_PLACES]:
            for plan in _plans(owner, holder, hints):
                key = plan, repr(layout), place.turned, place.inside
                if key in seen or plan[-1] in asked:
                    continue
                form = _form(_Asking(owner, made, {**way, **layout}, place.turned, place.inside, plan, hints), place)
                if form is not None:
                    seen.add(key)
                    yield form
        if (made.fixed and not made.batch and owner.name) or (seen and sizes[-1] == 1):
            return  # with several outputs, and with one, it was asked


def _probe(sizes: Sequence[int], way: dict[str, Any], samples: int | None = None) -> tuple[Case, list[Any]]:
    """A case of one sample, if not more are taken, and what is handed over for it."""
    samples = samples or way.get("batch", 1)
    declared = Declared(("identity",) * (len(sizes) - 1), sizes=sizes, **{**way, "batch": samples})
    case = _simplest(declared.sizes, declared.has_biases, samples, declared.inputs, declared.targets)
    return case, arguments(case, declared)


@lru_cache(maxsize=500)
def _simplest(sizes: tuple[int, ...], biases: Any, *called: Any) -> Case:
    """The case of `_probe`, which many ways share: no number is negative, so that no neuron is dead, and none saturates."""
    options = dict(zip(("batch", "inputs", "targets"), called))
    given = biases if isinstance(biases, bool) else list(biases)
    case = asked_first(Declared(("identity",) * (len(sizes) - 1), sizes=sizes, biases=given, **options).wanted)
    scale = 0.125 if "whole" in called else 1.0
    network = case.network.with_parameters([scale * abs(x) for x in case.network.parameters()])
    inputs = [[abs(x) for x in row] for row in case.batch.inputs]
    if "binary" in called and sizes[0] > 1:
        inputs[0][:2] = 1.0, 0.0  # an input that is not like a bias
    return replace(case, network=network, batch=Batch(inputs, case.batch.targets))


def _as_arguments(sizes: Sequence[int], way: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Where nothing holds the parameters, functions are handed them."""
    for turned, biases in product((False, True), (True, "columns", False)):
        if biases == "columns" and way["arrays"] is None:
            continue
        layout = {"weights": "in_out" if turned else "out_in", "biases": biases}
        _, given = _probe(sizes, {**way, **layout})
        held = {"weights": given[0], "biases": given[1] or []}
        for place in places(leaves(held), sizes):
            if place.turned == turned and place.biased == bool(biases):
                yield place, layout


def _plans(owner: Owner, holder: Any, hints: Hints) -> Iterator[tuple[str, ...]]:
    """Which functions to call, one after the other."""
    if hints.calls:
        yield tuple(name for name, _ in hints.calls)
        return
    functions = owner.functions(holder)
    own = [name for name in functions if owner.is_class or _takes_targets(functions[name]) or FORWARDS.fullmatch(name)]
    method = (hints.name or "").partition(".")[2] or (hints.name if hints.name in own else None)
    forwards = [name for name in own if FORWARDS.fullmatch(name)][:3]
    backwards = [
        name for name in own if BACKWARDS.fullmatch(name) and not TRAINS.fullmatch(name) and not CHECKS.search(name)
    ]
    backwards.sort(key=lambda name: "back" not in name.lower())
    trains = [name for name in own if TRAINS.fullmatch(name) and name not in forwards]
    for name in [method] if method else backwards:
        yield from [(first, name) for first in forwards if first != name]
        yield (name,)
    if not method:
        for name in trains:
            yield (name,)
            yield from [(first, back, name) for first in forwards for back in backwards[:2]]
            yield from [(back, name) for back in backwards[:2]]


def _takes_targets(function: Callable[..., Any]) -> bool:
    """Whether its parameters say that it is given targets, or what holds the parameters: others need not be tried."""
    try:
        said = [role(name) for name in signature(function).parameters]
    except (TypeError, ValueError):
        return False
    return bool({"targets", "pairs", "network"}.intersection(said)) or ("inputs" in said and "outputs" in said)


def _form(asking: _Asking, place: Place) -> Form | None:
    """The form, if it works."""
    some = tuple(leaf is not None for leaf in place.biases)
    biases = asking.way.get("biases", True if place.inside or all(some) else some)
    way, sizes = {**asking.way, "biases": biases if place.biased else False}, place.sizes
    try:
        _, given = _probe(sizes, way)
        with _quietly():
            asking.learn(given, sizes)
    except (Exception, SystemExit):
        return None
    if asking.pattern is None and not asking.steps:
        return None
    options: dict[str, Any] = {"weights": "out_in", **way}
    if asking.made.fixed or sizes in SQUARE:
        options["sizes"] = sizes
    if asking.steps and options.get("batch") is None and asking.online(sizes, way):
        options["batch"] = 1
    sentence = asking.sentence(place)
    try:
        with _quietly():
            said = plain(list(asking.fresh()(*given)))
    except (Exception, SystemExit):
        said = sentence
    answer = repr((asking.steps, way.get("targets"), sizes, _rounded(said)))
    returns, of = "step" if asking.steps else "gradients", asking.owner.name or "functions"
    return Form(asking.name, sentence, options, asking.fresh, returns, of, asking.origins(place), answer)


def _rounded(x: Any) -> Any:
    return [_rounded(each) for each in x] if isinstance(x, list) else f"{x:.9g}" if isinstance(x, float) else x


@dataclass
class _Asking:
    """A candidate that makes an object, or uses the one it has, and calls it; and what was learnt of its answers."""

    owner: Owner
    made: Made
    way: dict[str, Any]
    turned: bool
    inside: str
    plan: tuple[str, ...]
    hints: Hints
    pattern: Pattern | None = None
    where: str = ""  # the gradients are: "returned" or "kept"
    steps: bool = False
    made_of: tuple[list[Leaf], list[Leaf | None]] | None = None
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    objects: dict[Any, tuple[Any, Place]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        last = self.plan[-1]
        return f"{self.owner.name}.{last}" if self.owner.is_class else last

    def fresh(self) -> Candidate:
        """The same, with nothing kept."""
        return replace(self, objects={})

    def origins(self, place: Place) -> dict[Key, str]:
        """The name behind each tensor."""
        weights, biases = self.made_of or (list(place.weights), list(place.biases))
        named = [("weights", l, leaf) for l, leaf in enumerate(weights)] + [
            ("biases", l, leaf) for l, leaf in enumerate(biases) if leaf is not None
        ]
        return {(kind, l): re.split(r"[.\[]", leaf.name)[0].strip("'\"") or leaf.name for kind, l, leaf in named}

    def sentence(self, place: Place) -> str:
        calls = ", then ".join(f"{name}({', '.join(self._parameters(name))})" for name in self.plan)
        how = {"returned": " returns the gradients", "kept": ", which keeps the gradients"}.get(
            self.where, " changes them"
        )
        if not self.owner.name:
            return f"It is asked as functions: {calls}{how}."
        what = "a class" if self.owner.is_class else "functions"
        return f"It is asked as {what}: {self._shown(place)}, {place.sentence}, {calls}{how}."

    def _shown(self, place: Place) -> str:
        names = self.made.sentence.partition("(")[2].rstrip(")").split(", ") if "(" in self.made.sentence else []
        if self.made.batch or len(names) != len(place.sizes):
            return self.made.sentence
        told = ", ".join(f"{name}={n}" for name, n in zip(names, place.sizes))
        return f"{self.made.sentence.partition('(')[0]}({told})"

    def _parameters(self, name: str) -> list[str]:
        function = self.functions.get(name)
        with suppress(ValueError, TypeError):
            return list(signature(function).parameters) if function else []
        return []

    def __call__(self, weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        ws = [plain(w) for w in weights]
        if self.owner.name:
            return self._ask_holder(ws, biases, inputs, targets)
        result, _ = self._perform(None, inputs, targets, weights, biases or ())
        place = next(
            place
            for place in places(leaves({"weights": list(weights), "biases": list(biases or [])}), self._sizes(ws))
            if place.turned == self.turned
        )
        of_weights, of_biases = self._read(leaves(result), place)  # in the layout of what was handed over
        return (of_weights, of_biases) if self.way["biases"] else of_weights

    def _ask_holder(self, ws: list[Any], biases: Any, inputs: Any, targets: Any) -> Any:
        sizes = (len(ws[0][0]), *map(len, ws))
        holder, place = self._object(sizes, inputs, targets)
        place.write(ws, [None if b is None else plain(b) for b in biases or ()])
        result, holder = self._perform(holder, inputs, targets, (), ())
        if self.steps:
            return self._answer(place.read())
        if self.where == "kept":
            kept = [leaf for leaf in leaves(holder) if _is_gradient(leaf)]
            return self._answer(place.told(*self._read(kept, place)))
        return self._answer(place.told(*self._read(leaves(result), place)))

    def _sizes(self, ws: list[Any]) -> tuple[int, ...]:
        return (len(ws[0]), *(len(w[0]) for w in ws)) if self.turned else (len(ws[0][0]), *map(len, ws))

    def _answer(self, found: tuple[list[Any], list[Any]]) -> Any:
        weights, biases = found
        return (weights, biases) if any(b is not None for b in biases) else weights

    def _read(self, found: list[Leaf], place: Place) -> tuple[list[Any], list[Any]]:
        assert self.pattern is not None
        read = picked(found, place, self.pattern, sizes=self.pattern[0] != "named")
        if read is None:
            shown = ", ".join(f"{leaf.name} {leaf.shape}" for leaf in found[:6]) or "nothing"
            raise NoAnswer("wrong shape", f"what it returns has other shapes than its weights and biases: {shown}")
        weights, biases = read
        return [leaf.read() for leaf in weights], [leaf and leaf.read() for leaf in biases]

    def _object(self, sizes: tuple[int, ...], inputs: Any, targets: Any) -> tuple[Any, Place]:
        key = repr((plain(inputs), plain(targets))) if self.made.batch else sizes
        if key not in self.objects:
            holder = self.made.make(sizes, inputs, targets)
            found = places(self.hints.chosen(leaves(holder)), sizes)
            place = next((p for p in found if (p.turned, p.inside) == (self.turned, self.inside)), None)
            if place is None:
                raise NoAnswer("raises", f"it has no weights for the widths {'-'.join(map(str, sizes))}")
            self.objects[key] = holder, place
        return self.objects[key]

    def _perform(self, holder: Any, inputs: Any, targets: Any, weights: Any, biases: Any) -> tuple[Any, Any]:
        self.functions = self.owner.functions(holder)
        named = dict(self.hints.calls)
        calls = [Call(name, self.functions[name], named.get(name)) for name in self.plan]
        known = Bindings(inputs, targets, weights, biases, holder, _pairs(inputs, targets, self.way["samples"]))
        result = performed(calls, known)
        if not self.made.batch and known.used < {"inputs", "targets"}:
            raise CannotCall("it is not given the batch")
        return _holding(result, returned_names(calls[-1].function)), holder

    def learn(self, given: list[Any], sizes: tuple[int, ...]) -> None:
        """How what it says is to be read: it is called once."""
        weights, biases, inputs, targets = given
        if not self.owner.name:
            result, _ = self._perform(None, inputs, targets, weights, biases or ())
            held = {"weights": list(weights), "biases": list(biases or [])}
            self._read_so(
                "returned", leaves(result), next(p for p in places(leaves(held), sizes) if p.turned == self.turned)
            )
            return
        holder, place = self._object(sizes, inputs, targets)
        place.write([plain(w) for w in weights], [None if b is None else list(numbers(plain(b))) for b in biases or ()])
        before, old = place.read(), {leaf.name: leaf.read() for leaf in leaves(holder)}
        result, _ = self._perform(holder, inputs, targets, (), ())
        if place.read() != before:
            self.where, self.steps = "changed", True
            return
        self._read_so("returned", leaves(result), place)
        kept = [leaf for leaf in leaves(holder) if _is_gradient(leaf)]
        if self.pattern is None and any(old.get(leaf.name) != leaf.read() for leaf in kept):
            self._read_so("kept", kept, place)

    def _read_so(self, where: str, found: list[Leaf], place: Place) -> None:
        """From now on, if gradients are among these tensors."""
        self.where, self.pattern = where, next(patterns(found, place), None)
        if where == "returned":
            self.made_of = self.pattern and picked(found, place, self.pattern, sizes=False)

    def online(self, sizes: tuple[int, ...], way: dict[str, Any]) -> bool:
        """Whether its step on two samples is a step on one, and then on the other, and no step on both."""
        try:
            single = Declared(("identity",) * (len(sizes) - 1), sizes=sizes, **{**way, "batch": 1})
            case, given = _probe(sizes, way, samples=2)
            after: Any = given[:2]
            with _quietly():
                both = self.fresh()(*given)
                for sample in zip(case.batch.inputs, case.batch.targets):
                    _, _, x, y = arguments(replace(case, batch=Batch(*([row] for row in sample))), single)
                    stepped = self.fresh()(*after, x, y)
                    after = stepped if way["biases"] else (stepped, given[1])
        except (Exception, SystemExit):
            return False
        one, other = (list(numbers(plain(x))) for x in (both, after if way["biases"] else after[0]))
        return len(one) == len(other) and all(abs(a - b) <= 1e-9 * (abs(a) + abs(b)) for a, b in zip(one, other))


def _is_gradient(leaf: Leaf) -> bool:
    """Whether a name on the way to a tensor says so."""
    return any(kind_of(name) == "gradients" for name in leaf.said)


def _holding(result: Any, names: Sequence[str]) -> dict[str, Any]:
    """What was returned, by the names of its variables where they are known."""
    if isinstance(result, tuple):
        known = names if len(names) == len(result) else [""] * len(result)
        return {name or f"_{i}": part for i, (name, part) in enumerate(zip(known, result))}
    return {next(iter(names), "") or "_": result}


def _pairs(inputs: Any, targets: Any, samples: str) -> list[tuple[Any, Any]]:
    """One pair for each sample, in the layout."""
    if samples == "vector":
        return [(inputs, targets)]
    if samples == "rows":
        return list(zip(inputs, targets))
    if hasattr(inputs, "shape"):
        return [(inputs[:, i : i + 1], targets[:, i : i + 1]) for i in range(inputs.shape[1])]
    return [([[row[i]] for row in inputs], [[row[i]] for row in targets]) for i in range(len(inputs[0]))]
