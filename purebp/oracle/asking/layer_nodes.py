"""Layer objects with `forward(x)` and `backward(grad)`: found by their shape, and tried one by one, then as a network.

A layer gives the gradient of its input, and those of its parameters: in attributes, in what it returns, or as the step
that it takes with a learning rate. A loss is a class with `forward` of two, or a pair of functions. Samples may be rows
or columns, or there is only one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from purebp.graphs.functions import Activate
from purebp.graphs.nodes import Constant, Multiply, Node
from purebp.graphs.operations import Linear
from purebp.graphs.tensors import Shape, Tensor, arranged, dimensions, entries, entrywise
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.known import (
    KNOWN,
    MATRICES,
    VECTORS,
    Known,
    Match,
    meant,
    named_otherwise,
    near,
    recognised,
    reference,
    surely,
)
from purebp.oracle.asking.trials import (
    NOT_CHANGED,
    Arrays,
    Feed,
    Trial,
    arrays_of,
    codes_of,
    is_targets,
    leaf,
    method,
    names_of,
    numeric,
    place_of_targets,
    plain,
    required,
    shaped,
    state,
    types_in,
    upstream,
    weighed,
    within,
)

RATE = 0.5
RATED = re.compile("rate|lr|eta|alpha|step|learn|gamma|epsilon|mu$", re.I)  # names of a learning rate
UPDATED_FIRST = (
    "updated weights used",
    "The gradient of the input is made of the weights after their step: compute it before they are changed.",
)
BACKWARD = ("backward", "backprop", "back_prop")
WEIGHTS, BIASES = re.compile(r"^_*(w|kernel|theta)|weight", re.I), re.compile(r"^_*b(?!atch|ack)|bias|intercept", re.I)
GRADIENT = re.compile(r"^_*(d|grad|delta|nabla)|grad|deriv|error|delta", re.I)
LAYOUTS = ("rows", "columns", "row", "column", "vector")  # of samples; of one alone the last three
LINEAR = next(row for row in KNOWN if row.name == "linear" and len(row.parents) == 3)
UNBIASED = next(row for row in KNOWN if row.name == "linear" and len(row.parents) == 2)
Path = tuple[str, ...]  # an attribute, or a key in one


def to_user(rows: Tensor, layout: str) -> Tensor:
    """Samples as rows, in another layout.

    >>> to_user([[1.0, 2.0]], "column"), to_user([[1.0, 2.0]], "vector")
    ([[1.0], [2.0]], [1.0, 2.0])
    """
    if layout in ("columns", "column"):
        return [list(row) for row in zip(*rows)]
    return list(rows[0]) if layout == "vector" else rows


def from_user(x: Tensor, layout: str) -> Tensor:
    """The way back.

    >>> from_user([[1.0], [2.0]], "column"), from_user([1.0, 2.0], "vector")
    ([[1.0, 2.0]], [[1.0, 2.0]])
    """
    if layout in ("columns", "column"):
        return [list(row) for row in zip(*x)]
    return [x] if layout == "vector" else x


@dataclass(frozen=True, slots=True)
class Tensors:
    """Where a parameter is, in what shape, and where its gradient is found; no place: it is updated in a step."""

    held: Path
    turned: bool  # weights n_in × n_out, or biases as a column
    rank: int
    gradient: tuple[str, Any] = ("", None)  # "attribute" and its path, or "returned" and its place

    def shaped(self, value: Tensor) -> Tensor:
        """From the layout of purebp, weights n_out × n_in and biases as a vector."""
        if dimensions(value) and len(dimensions(value)) == 2:
            return [list(row) for row in zip(*value)] if self.turned else value
        column = [[x] for x in value]
        return value if self.rank == 1 else column if self.turned else [list(value)]

    def back(self, value: Tensor, size: tuple[int, ...]) -> Tensor:
        """To the layout of purebp."""
        turned = len(size) == 2 and self.turned
        return arranged(entries([list(row) for row in zip(*value)] if turned else value), size)


@dataclass(frozen=True, slots=True)
class Layer:
    """A class of layers: how one is made for two widths, what it computes, and how it takes and gives numbers."""

    name: str
    cls: type
    made: Callable[[int, int], Any]
    known: Known
    layout: str
    forward: str
    backward: str
    rated: bool  # backward takes a learning rate
    weights: Tensors | None = None
    biases: Tensors | None = None
    inputs: tuple[str, Any] = ("returned", None)  # where the gradient of its input is found
    update: str = ""  # a method that takes the step, with a learning rate

    @property
    def stepped(self) -> bool:
        """Whether it takes a step itself, in the place of giving gradients of its parameters."""
        return (self.rated or bool(self.update)) and self.weights is not None and not self.weights.gradient[0]

    @property
    def one(self) -> bool:
        """Whether it takes one sample at a time."""
        return self.layout not in ("rows", "columns")


@dataclass(frozen=True, slots=True)
class LossPair:
    """A loss: two functions, or two methods of an object that `made` makes; places: which argument is the targets."""

    name: str
    forward: str
    backward: str
    of: Any
    match: Match
    layout: str
    arguments: int  # of backward
    targets: int
    prime: Any = None  # the second function, where there is no class
    given: str = ""  # the attribute of the gradient, where backward returns nothing

    def values(self, arrays: Arrays, y: Tensor, a: Tensor) -> tuple[Any, Callable[[], Any]]:
        """The loss, and what asks it for its gradient."""
        thing = None if self.prime else within(f"{self.name}()", self.of, codes_of(self.of))
        pair = [arrays(to_user(x, self.layout)) for x in (y, a)]
        pair = pair if self.targets == 0 else pair[::-1]
        function = self.of if self.prime else getattr(thing, self.forward.rpartition(".")[2])
        codes = codes_of(self.of)
        value = within(self.forward, lambda: function(*pair), codes)
        back = self.prime or getattr(thing, self.backward.rpartition(".")[2])
        arguments = pair if self.arguments == 2 else [1.0] if self.arguments == 1 else []

        def ask() -> Any:
            said = within(self.backward, lambda: back(*arguments), codes + codes_of(self.prime))
            return getattr(thing, self.given) if said is None and self.given else said

        return value, ask


@dataclass(frozen=True, slots=True)
class Layers:
    """All layers and losses that were found."""

    arrays: Arrays
    layers: tuple[Layer, ...]
    losses: tuple[LossPair, ...]
    unknown: tuple[str, ...]
    resets: bool  # there is something that sets gradients to 0

    @property
    def told(self) -> list[str]:
        """Each with what it computes."""
        said = [
            f"{each.name} ({each.known.name}{', one sample at a time' if each.one else ''})" for each in self.layers
        ]
        return said + [f"{each.name} ({each.match.known.name})" for each in self.losses]

    def trials(self) -> Iterator[Trial]:
        """From the simplest: each activation, each layer with parameters, each loss, then a network."""
        for layer in self.layers:
            yield from self._of_layer(layer)
        for loss in self.losses:
            yield from self._of_loss(loss)
        yield from self._of_network()

    # Playing.

    def passed(self, layer: Layer, thing: Any, x: Tensor) -> Tensor:
        """The output of a layer for samples as rows; a copy."""
        given = self.arrays(to_user(x, layer.layout))
        said = within(
            f"{layer.name}.{layer.forward}", lambda: getattr(thing, layer.forward)(given), codes_of(layer.cls)
        )
        if said is None:
            raise NoAnswer("not given", f"{layer.name}.{layer.forward} returns nothing")
        return from_user(plain(said), layer.layout)

    def back(self, layer: Layer, thing: Any, g: Tensor, x: Tensor, rate: float = RATE) -> tuple[Tensor, Any]:
        """The gradient of the input as rows, and all that was returned."""
        label = f"{layer.name}.{layer.backward}"
        arguments = [self.arrays(to_user(g, layer.layout)), *[rate] * layer.rated]
        said = within(label, lambda: getattr(thing, layer.backward)(*arguments), codes_of(layer.cls))
        if layer.update and layer.stepped:
            within(f"{layer.name}.{layer.update}", lambda: getattr(thing, layer.update)(rate), codes_of(layer.cls))
        kind, place = layer.inputs
        got = _get(thing, place) if kind == "attribute" else said if place is None else _item(said, place)
        size = dimensions(to_user(x, layer.layout))
        return from_user(shaped(label, "the gradient of its input", got, size), layer.layout), said

    def with_parameters(self, layer: Layer, weights: Tensor, biases: Tensor | None) -> Any:
        """A layer that has these."""
        n_out, n_in = dimensions(weights)
        thing = within(f"{layer.name}()", lambda: layer.made(n_in, n_out), codes_of(layer.cls))
        if layer.weights:
            _set(thing, layer.weights.held, self.arrays(layer.weights.shaped(weights)))
        if layer.biases and biases is not None:
            _set(thing, layer.biases.held, self.arrays(layer.biases.shaped(biases)))
        return thing

    def parameters(
        self, layer: Layer, thing: Any, said: Any, weights: Tensor, biases: Tensor | None, n: int
    ) -> list[Tensor]:
        """The gradients of weights and biases, or these after a step."""
        found = []
        for tensors, value, name in ((layer.weights, weights, "W"), (layer.biases, biases, "b")):
            if tensors is None or value is None:
                continue
            kind, place = tensors.gradient
            if not kind and not layer.stepped:
                told = f"where {layer.name}.{layer.backward} keeps the gradient of {name} is not seen"
                raise NoAnswer("not given", told, fatal=False)
            got = (
                _get(thing, tensors.held)
                if not kind
                else _get(thing, place)
                if kind == "attribute"
                else _item(said, place)
            )
            size = dimensions(tensors.shaped(value))
            what = f"the gradient of {name}" if kind else f"{name} after the step"
            found.append(tensors.back(shaped(f"{layer.name}.{layer.backward}", what, got, size, n), dimensions(value)))
        return found

    # Trials.

    def _of_layer(self, layer: Layer) -> Iterator[Trial]:
        widths = [(3, 3), (3, 2)] if layer.weights else [(3, 3)]
        has = ("W", "b") if layer.biases else ("W",) if layer.weights else ()
        for n_in, n_out in widths:
            yield self._trial(layer, "alone", n_in, n_out, ("x",))
            if has:
                yield self._trial(layer, "alone", n_in, n_out, has)
        told = (
            "not reset between calls",
            f"{layer.name} is right when it is run once, and wrong when it is run again: something of the run before is kept.",
        )
        if not self.resets:
            if has and not layer.stepped and layer.weights and layer.weights.gradient[0]:
                yield self._trial(layer, "run a second time", *widths[0], has, twice=True, mistake=told)
            yield self._trial(layer, "run a second time", *widths[0], ("x",), twice=True, mistake=told)

    def _trial(
        self, layer: Layer, how: str, n_in: int, n_out: int, leaves: tuple[str, ...], twice: bool = False, **more: Any
    ) -> Trial:
        known, name = layer.known, layer.name.partition("(")[0] + " "
        samples = 1 if layer.one else None

        def graph(trained: Sequence[str], samples: int | None = samples, factor: float = 1.0) -> Node:
            sizes: dict[str, Shape] = {"x": (samples, n_in), "W": (n_out, n_in), "b": (n_out,)}
            nodes = [leaf(each, sizes[each], trained) for each in known.parents]
            cost = weighed(known.build(*nodes, name=name.strip()))
            return cost if factor == 1 else Multiply(Constant(factor), cost)

        def run(feed: Feed, rate: float = RATE) -> dict[str, Any]:
            weights = feed.get("W", [[0.0] * n_in] * n_out)
            biases, x, g = feed.get("b"), feed["x"], feed[upstream(0)]
            thing = self.with_parameters(layer, weights, biases)
            if twice:
                self.passed(layer, thing, entrywise(lambda v: v / 2, x))
                self.back(layer, thing, entrywise(lambda v: v / 4, g), x)
                if layer.stepped:
                    thing2 = self.with_parameters(layer, weights, biases)
                    for tensors in (layer.weights, layer.biases):
                        if tensors:
                            _set(thing, tensors.held, _get(thing2, tensors.held))
            value = self.passed(layer, thing, x)
            dx, said = self.back(layer, thing, g, x, rate)
            if "x" in leaves:
                return {"x": dx, name.strip(): value}
            return dict(zip(leaves, self.parameters(layer, thing, said, weights, biases, len(x))))

        stepped = layer.stepped and "x" not in leaves
        otherwise = []
        if stepped:
            factors = [("sign turned", -1.0), (NOT_CHANGED, 0.0), ("factor 2", 2.0), ("factor ½", 0.5)]
            factors += [("factor 1/n", 0.25), ("factor −1/n", -0.25)] * (samples is None)
            otherwise = [(each, lambda trained, f=f: graph(trained, 1 if layer.one else 4, f)) for each, f in factors]
        return Trial(
            layer.name,
            f"{layer.name}.{layer.forward}",
            f"{layer.name}.{layer.backward}",
            how,
            graph,
            leaves,
            run,
            learning_rate=RATE if stepped else None,
            shared="x" not in leaves,
            otherwise=tuple(otherwise),
            cured=((UPDATED_FIRST[0], UPDATED_FIRST[1], lambda feed: run(feed, 0.0)),)
            * (layer.stepped and not stepped),
            **more,
        )

    def _of_loss(self, loss: LossPair) -> Iterator[Trial]:
        known, wide = loss.match.known, loss.match.known.group == "cross_entropy"
        samples = 1 if loss.layout in ("row", "column", "vector") else None
        one = 3 if wide or samples == 1 else 1
        note = (
            f"{loss.name}: with several outputs, {loss.backward} is not the gradient of {loss.forward}; with one it is."
        )
        yield self._trial_of_loss(loss, "alone", (samples, one))
        if not wide and samples is None:
            yield self._trial_of_loss(loss, "with two outputs", (None, 2), note=note, refuses=True)
        if samples is None and loss.layout == "rows" and self.arrays.library and known.group in ("squares", "mae"):
            told = f"{loss.name}: of targets (n,) and outputs (n, 1), it compares every target with every output: give both the same shape."
            yield self._trial_of_loss(loss, "(n,)", (None, 1), flat=True, note=told, refuses=True)

    def _trial_of_loss(self, loss: LossPair, how: str, shape: Shape, flat: bool = False, **more: Any) -> Trial:
        def run(feed: Feed) -> dict[str, Any]:
            y = feed["y"]
            pair = replace(loss, layout="rows") if flat else loss
            value, ask = pair.values(self.arrays, [x for (x,) in y] if flat else y, feed["a"])
            got = ask()
            size = dimensions(to_user(feed["a"], loss.layout))
            said = {"a": from_user(shaped(loss.backward, "the gradient", got, size), loss.layout)}
            return said | {"loss": plain(value)}

        return Trial(
            loss.name,
            loss.forward,
            loss.backward,
            how,
            lambda trained: loss.match.known.build(leaf("y", shape, trained), leaf("a", shape, trained)),
            ("a",),
            run,
            shared=not more,
            **more,
        )

    def _of_network(self) -> Iterator[Trial]:
        dense = next((l for l in self.layers if l.weights), None)
        if dense is None or not (dense.stepped or (dense.weights and dense.weights.gradient[0])):
            return
        bounded = [each for each in self.losses if each.layout == dense.layout]
        loss = next(iter(bounded), None)
        plain_ones = [
            l for l in self.layers if not l.weights and l.known.kin != "softmax" and l.known.parents == ("x",)
        ]
        squash = next(iter(plain_ones), None) if dense.known.name == "linear" else None
        last = squash
        if loss is not None and loss.match.known.group == "cross_entropy" and "of" not in loss.match.known.name:
            last = next((l for l in self.layers if l.known.name == "softmax" and l.layout == dense.layout), None)
        elif (
            loss is not None and loss.match.known.group == "binary_cross_entropy" and "of" not in loss.match.known.name
        ):
            last = next((l for l in self.layers if l.known.name == "sigmoid"), None)
        elif loss is not None:
            last = None
        if (
            loss is not None
            and loss.match.known.drawn != "signed"
            and last is None
            and "of" not in loss.match.known.name
        ):
            loss = None
        squash, last = (replace(each, layout=dense.layout) if each else None for each in (squash, last))
        wide = 3 if loss is not None and (loss.match.known.group == "cross_entropy" or dense.one) else 1
        yield self._network(dense, squash, last, loss, wide)

    def _network(
        self, dense: Layer, squash: Layer | None, last: Layer | None, loss: LossPair | None, wide: int
    ) -> Trial:
        parts = [each.name for each in (dense, squash, last, loss) if each]
        title = "a network of " + ", ".join(dict.fromkeys(parts))
        samples = 1 if dense.one else None
        has = ("W1", "b1", "W2", "b2") if dense.biases else ("W1", "W2")
        sizes: dict[str, Shape] = {"W1": (3, 3), "b1": (3,), "W2": (wide, 3), "b2": (wide,)}

        def graph(trained: Sequence[str]) -> Node:
            node = leaf("x", (samples, 3), trained)
            for number, after in ((1, squash), (2, last)):
                own = [leaf(n + str(number), sizes[n + str(number)], trained) for n in ("W", "b")[: len(has) // 2]]
                node = dense.known.build(node, *own)
                node = after.known.build(node) if after else node
            return loss.match.known.build(leaf("y", (samples, wide), trained), node) if loss else weighed(node)

        def run(feed: Feed) -> dict[str, Any]:
            denses = [self.with_parameters(dense, feed[f"W{k}"], feed.get(f"b{k}")) for k in (1, 2)]
            between = [each and self.with_parameters(each, [[0.0] * 3] * 3, None) for each in (squash, last)]
            x, stack = feed["x"], list[tuple[Layer, Any, Tensor]]()
            for one, after, kind in zip(denses, between, (squash, last)):
                stack.append((dense, one, x))
                x = self.passed(dense, one, x)
                if kind:
                    stack.append((kind, after, x))
                    x = self.passed(kind, after, x)
            said: dict[str, Any] = {}
            if loss:
                value, ask = loss.values(self.arrays, feed["y"], x)
                got = shaped(loss.backward, "the gradient", ask(), dimensions(to_user(x, loss.layout)))
                g = from_user(got, loss.layout)
                said["loss"] = plain(value)
            else:
                g = feed[upstream(0)]
            for layer, thing, given in reversed(stack):
                g, returned = self.back(layer, thing, g, given)
                if layer is dense:
                    k = 1 + [thing is one for one in denses].index(True)
                    names = (f"W{k}", f"b{k}")
                    values = self.parameters(layer, thing, returned, feed[names[0]], feed.get(names[1]), len(given))
                    said |= dict(zip(names, values))
            return {name: x for name, x in said.items() if name != "loss" or not dense.stepped}

        return Trial(
            title,
            title,
            title,
            "together",
            graph,
            has,
            run,
            tuple(parts),
            learning_rate=RATE if dense.stepped else None,
            is_network=True,
        )


def _get(thing: Any, path: Path) -> Any:
    found = thing
    for name in path:
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    return found


def _set(thing: Any, path: Path, value: Any) -> None:
    *first, last = path
    held = _get(thing, tuple(first))
    if isinstance(held, dict):
        held[last] = value
    else:
        setattr(held, last, value)


def _item(said: Any, place: Any) -> Any:
    try:
        return said[place]
    except (LookupError, TypeError):
        return None


# Finding.


def find_layers(namespace: Mapping[str, Any]) -> Layers | None:
    """The layers and losses of a namespace; at least one layer with parameters, or an activation and a loss.

    >>> find_layers({"int": int}) is None
    True
    """
    arrays, layers, losses, unknown = arrays_of(namespace), list[Layer](), list[LossPair](), list[str]()
    classes = types_in(namespace)
    bases = {base for c in classes for base in c.__mro__[1:]}
    for cls in classes:
        forward, backward = method(cls, "forward", "feed_forward", "feedforward"), method(cls, *BACKWARD)
        if not forward or not backward:
            continue
        arguments = required(getattr(cls, forward), bound=False)[0], required(getattr(cls, backward), bound=False)[0]
        if arguments[0] == 1 and arguments[1] in (1, 2):
            names = names_of(getattr(cls, backward), bound=False)
            if is_targets(names[0]) or (arguments[1] == 2 and not RATED.search(names[1])):
                continue  # a network, which is given targets
            found = list(_layers_of(cls, forward, backward, arguments[1] == 2, arrays, namespace))
            layers += found
            unknown += [cls.__name__] if not found and cls not in bases else []
        elif arguments[0] == 2 and arguments[1] in (0, 1, 2):
            pair = _loss_class(cls, forward, backward, arguments[1], arrays, layers)
            losses += [pair] if pair else []
            unknown += [cls.__name__] if not pair and cls not in bases else []
    if not layers:
        return None
    losses += _loss_functions(namespace, arrays, layers)
    layers.sort(key=lambda layer: (layer.weights is not None, layer.known.name))
    if not any(layer.weights for layer in layers) and not losses and len(layers) < 2:
        return None
    words = [name for cls in classes for name in dir(cls)] + [name for name in namespace if isinstance(name, str)]
    resets = any(re.search("zero_?grad|reset_?grad|clear_?grad|zero_gradients", word, re.I) for word in words)
    return Layers(arrays, tuple(layers), tuple(losses), tuple(unknown), resets)


def _makers(cls: type, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[int, int], Any], str]]:
    """Ways to make one for two widths, each with the name it gets; and whether it has widths."""
    least, most, several = required(cls)
    name = cls.__name__
    if least == 0 and not any("size" in n or n.startswith("n_") for n in names_of(cls)[:2]):
        yield name, lambda n_in, n_out: cls(), "plain"
    if least <= 2 <= most or (several and least == 0):
        for pair in _pairs(namespace):
            yield f"{name}({pair[0].__name__}, {pair[1].__name__})", _always(cls, *pair), "plain"
        yield name, lambda n_in, n_out: cls(n_in, n_out), "sized"
        yield name, lambda n_in, n_out: cls(n_out, n_in), "sized"
    if least <= 1 <= most:
        for word in ("sigmoid", "tanh", "relu"):
            yield f'{name}("{word}")', _always(cls, word), "plain"


def _always(cls: type, *arguments: Any) -> Callable[[int, int], Any]:
    return lambda n_in, n_out: cls(*arguments)


def _pairs(namespace: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Functions of one argument, each with its derivative, by their names."""
    functions = {n: f for n, f in namespace.items() if isinstance(f, FunctionType) and required(f)[0] == 1}
    return [
        (f, g)
        for n, f in functions.items()
        for m, g in functions.items()
        if m != n and re.fullmatch(rf"d_?{re.escape(n)}|{re.escape(n)}_?(prime|deriv\w*|grad\w*|backward|d|der)", m)
    ]


def _layers_of(
    cls: type, forward: str, backward: str, rated: bool, arrays: Arrays, namespace: Mapping[str, Any]
) -> Iterator[Layer]:
    for name, make, kind in _makers(cls, namespace):
        try:
            thing = make(3, 2)
        except (Exception, SystemExit):
            continue
        tensors = _held(thing)
        if kind == "sized" and tensors:
            found = _dense(name, cls, make, forward, backward, rated, arrays)
        elif kind == "plain" and not tensors:
            found = _activation(name, cls, make, forward, backward, rated, arrays)
        else:
            continue
        if found:
            yield found
            if kind == "sized" or "(" not in name:
                return


def _held(thing: Any) -> dict[Path, tuple[int, ...]]:
    """Attributes, and entries of dictionaries in attributes, that hold vectors or matrices of widths 3 and 2."""
    found: dict[Path, tuple[int, ...]] = {}
    for name, x in state(thing).items():
        inner = {(name, k): v for k, v in x.items()} if isinstance(x, dict) else {(name,): x}
        for path, value in inner.items():
            if numeric(value) and dimensions(plain(value)) and set(dimensions(plain(value))) <= {1, 2, 3}:
                found[path] = dimensions(plain(value))
    return found


def _chosen(held: dict[Path, tuple[int, ...]], sizes: Sequence[tuple[int, ...]], named: re.Pattern[str]) -> Path | None:
    there = [path for path, size in held.items() if size in sizes]
    there = [path for path in there if not GRADIENT.search(str(path[-1]))] or there
    return min(there, key=lambda path: not named.search(str(path[-1])), default=None)


def _dense(
    name: str, cls: type, make: Callable[[int, int], Any], forward: str, backward: str, rated: bool, arrays: Arrays
) -> Layer | None:
    held = _held(make(3, 2))
    weights = _chosen(held, [(3, 2), (2, 3)], WEIGHTS)
    biases = _chosen(held, [(2,), (1, 2), (2, 1)], BIASES)
    if weights is None:
        return None
    of_weights = Tensors(weights, held[weights] == (3, 2), 2)
    of_biases = biases and Tensors(biases, held[biases] == (2, 1), len(held[biases]))
    known, composite = (LINEAR if of_biases else UNBIASED), list(_with_activation(bool(of_biases)))
    said = surely(cls.__name__)
    fallback: Layer | None = None
    for layout in LAYOUTS:
        for each in (known, *composite):
            tried = Layer(name, cls, make, each, layout, forward, backward, rated, of_weights, of_biases or None)
            ok = _agrees(tried, arrays)
            if ok is None:
                break
            seen = _seen(tried, arrays)
            if ok and seen:
                return seen
            if ok:
                fallback = fallback or tried
            if not ok and each is known and said and said.name == "linear" and fallback is None:
                fallback = seen
    return fallback


def _with_activation(biased: bool) -> Iterator[Known]:
    for f in ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "softmax"):
        yield replace(
            LINEAR if biased else UNBIASED,
            name=f"{f} of linear",
            build=lambda *x, name="", f=f: Activate(Linear(*x), f, name),
        )


SAMPLE = [[0.5, -1.25, 0.75], [1.5, 0.25, -0.5], [-0.75, 1.0, 0.375], [0.25, -0.625, 1.125]]
W, B = [[0.5, -0.75, 0.25], [1.0, 0.375, -0.5]], [0.25, -0.625]


def _agrees(layer: Layer, arrays: Arrays) -> bool | None:
    """Whether its output is that of the operation; `None` if it takes no samples in this layout."""
    all_ = Layers(arrays, (), (), (), False)
    x = SAMPLE[:1] if layer.one else SAMPLE
    try:
        output = all_.passed(layer, all_.with_parameters(layer, W, B), x)
        values = [x, W, B][: len(layer.known.parents)]
        size = dimensions(output)
        return None if size != (len(x), 2) else near(output, reference(layer.known, values))
    except (Exception, SystemExit):
        return None


def _seen(layer: Layer, arrays: Arrays) -> Layer | None:
    """With where it gives gradients, after a backward pass; `None` if that raises."""
    all_ = Layers(arrays, (), (), (), False)
    x = SAMPLE[:1] if layer.one else SAMPLE
    try:
        thing = all_.with_parameters(layer, W, B)
        output = all_.passed(layer, thing, x)
        before = _snapshot(thing)
        g = arrays(to_user(entrywise(lambda v: 0.5 + v, output), layer.layout))
        said = getattr(thing, layer.backward)(g, *[RATE] * layer.rated)
        after = _snapshot(thing)
    except (Exception, SystemExit):
        return None
    changed = {path: x for path, x in after.items() if before.get(path) != x}
    returned = dict(enumerate(said)) if isinstance(said, tuple) else dict(said) if isinstance(said, dict) else {}
    size = dimensions(to_user(x, layer.layout))
    inputs: tuple[str, Any] = ("returned", None)
    if returned:
        place = next((k for k, v in returned.items() if numeric(v) and dimensions(plain(v)) == size), None)
        inputs = ("returned", next(iter(returned)) if place is None else place)
    elif said is None:
        there = [p for p, v in changed.items() if dimensions(v) == size and p not in _paths(layer)]
        if there:
            inputs = ("attribute", there[0])
    pieces = list[Tensors | None]()
    for tensors, value, named in ((layer.weights, W, WEIGHTS), (layer.biases, B, BIASES)):
        if tensors is None:
            pieces.append(None)
            continue
        size = dimensions(tensors.shaped(value))
        pieces.append(replace(tensors, gradient=_place(tensors, size, named, changed, returned, inputs, layer)))
    update = method(layer.cls, "update", "step", "apply", "optimi", "learn")
    update = update if update and required(getattr(layer.cls, update), bound=False)[0] == 1 else ""
    return replace(layer, inputs=inputs, weights=pieces[0], biases=pieces[1], update=update)


def _paths(layer: Layer) -> list[Path]:
    return [t.held for t in (layer.weights, layer.biases) if t]


def _place(
    tensors: Tensors,
    size: tuple[int, ...],
    named: re.Pattern[str],
    changed: Mapping[Path, Tensor],
    returned: Mapping[Any, Any],
    inputs: tuple[str, Any],
    layer: Layer,
) -> tuple[str, Any]:
    """Where the gradient of a parameter is found: by its shape, or else by its name."""
    if tensors.held in changed and layer.rated:
        return "", None
    own = [p for p in changed if p not in _paths(layer) and inputs != ("attribute", p)]
    fits = [p for p in own if dimensions(changed[p]) == size]
    called = [p for p in own if named.search(re.sub(r"^_*(d|grad|delta|nabla)_?", "", str(p[-1]), flags=re.I))]
    both = [p for p in called if p in fits]
    if both or called or fits:
        return "attribute", (both or called or fits)[0]
    places = [k for k, v in returned.items() if inputs != ("returned", k) and numeric(v)]
    right = [k for k in places if dimensions(plain(returned[k])) == size]
    word = [k for k in places if isinstance(k, str) and named.search(k)]
    order = places[0 if named is WEIGHTS else -1 :][:1] if len(places) > 1 else []
    if right or word or order:
        return "returned", (right or word or order)[0]
    return "", None


def _snapshot(thing: Any) -> dict[Path, Tensor]:
    found: dict[Path, Tensor] = {}
    for name, x in state(thing).items():
        inner = {(name, k): v for k, v in x.items()} if isinstance(x, dict) else {(name,): x}
        found |= {path: plain(value) for path, value in inner.items() if numeric(value)}
    return found


def _activation(
    name: str, cls: type, make: Callable[[int, int], Any], forward: str, backward: str, rated: bool, arrays: Arrays
) -> Layer | None:
    """What it computes, on samples as rows, as columns, or one alone."""
    for layout, holds in (("rows", MATRICES), ("columns", MATRICES), ("column", VECTORS), ("vector", VECTORS)):

        def compute(given: Sequence[Tensor], layout: str = layout) -> Tensor:
            rows = given[0] if dimensions(given[0])[1:] else [given[0]]
            said = plain(getattr(make(3, 3), forward)(arrays(to_user(rows, layout))))
            return from_user(said, layout)

        match = recognised(compute, 1, (holds,))
        said = surely(cls.__name__)
        if match and said and named_otherwise(match.known, said, cls.__name__):
            match = Match(said, holds, (0,), experiment=False)
        if match is None and layout == "vector" and said and "x" in said.parents:
            layout, match = "rows", Match(said, MATRICES, (0,), experiment=False)
        if match:
            layer = Layer(name, cls, make, match.known, layout, forward, backward, rated)
            return _seen_activation(layer, arrays)
    return None


def _seen_activation(layer: Layer, arrays: Arrays) -> Layer:
    all_ = Layers(arrays, (), (), (), False)
    x = SAMPLE[:1] if layer.one else SAMPLE
    try:
        thing = layer.made(3, 3)
        all_.passed(layer, thing, x)
        before = _snapshot(thing)
        given = arrays(to_user(entrywise(lambda v: 1 + v / 4, x), layer.layout))
        said = getattr(thing, layer.backward)(given, *[RATE] * layer.rated)
        if said is None:
            changed = [p for p, v in _snapshot(thing).items() if before.get(p) != v]
            return replace(layer, inputs=("attribute", changed[0]))
    except (Exception, SystemExit):
        pass
    return layer


def _loss_class(
    cls: type, forward: str, backward: str, arguments: int, arrays: Arrays, layers: Sequence[Layer]
) -> LossPair | None:
    if required(cls)[0]:
        return None
    names = names_of(getattr(cls, forward), bound=False)
    pair = _loss(cls.__name__, lambda *x: getattr(cls(), forward)(*x), names, arrays, layers)
    if pair is None:
        return None
    match, layout, targets = pair
    given = ""
    try:
        thing = cls()
        two = [arrays(to_user([[0.5], [0.25]] if layout in ("rows", "columns") else [[0.5, 0.25]], layout))] * 2
        getattr(thing, forward)(*two)
        before = _snapshot(thing)
        said = getattr(thing, backward)(*(two if arguments == 2 else [1.0] * arguments))
        if said is None:
            given = next((str(p[0]) for p, v in _snapshot(thing).items() if before.get(p) != v), "")
    except (Exception, SystemExit):
        pass
    name = cls.__name__
    return LossPair(
        name, f"{name}.{forward}", f"{name}.{backward}", cls, match, layout, arguments, targets, given=given
    )


def _loss(
    name: str, compute: Callable[..., Any], names: Sequence[str], arrays: Arrays, layers: Sequence[Layer]
) -> tuple[Match, str, int] | None:
    """What a loss computes, in the layout of the layers, and which argument is the targets."""
    dense = next((layer for layer in layers if layer.weights), None)
    layout = dense.layout if dense else "rows"
    holds = MATRICES if layout in ("rows", "columns") else VECTORS

    def of(given: Sequence[Tensor]) -> Tensor:
        rows = [x if dimensions(x)[1:] else [x] for x in given]
        return plain(compute(*[arrays(to_user(x, layout)) for x in rows]))

    known = [row for row in KNOWN if row.loss]
    targets = place_of_targets(names)
    match = recognised(of, 2, (holds,), known, targets)
    if match is None:
        said = meant(name, 2, loss=True)
        if said is None:
            return None
        place = targets or 0
        match = Match(said, holds, (0, 1) if place == 0 else (1, 0), experiment=False)
    return match, layout, match.places.index(0)


def _loss_functions(namespace: Mapping[str, Any], arrays: Arrays, layers: Sequence[Layer]) -> Iterator[LossPair]:
    """Pairs of functions of two: one gives a number, and the other is called like its derivative."""
    functions = {n: f for n, f in namespace.items() if isinstance(f, FunctionType) and required(f)[0] == 2}
    for name, f in functions.items():
        wanted = rf"d_?{re.escape(name)}|{re.escape(name)}_?(prime|deriv\w*|grad\w*|backward|d|der)"
        prime = next((g for n, g in functions.items() if re.fullmatch(wanted, n)), None)
        if prime is None:
            continue
        pair = _loss(name, f, names_of(f), arrays, layers)
        if pair:
            match, layout, targets = pair
            yield LossPair(name, f.__name__, prime.__name__, f, match, layout, 2, targets, prime)
