"""Node classes in the manner of MiniFlow: found by their shape, and tried one by one, then as a network.

A node is made of the nodes that come into it, computes its value in `forward()`, and in `backward()` the gradients by
them: in a dictionary from these nodes (of what the nodes that it goes out to have for it), or added to an attribute of
each. No name but those of the two methods is taken for granted: what holds nodes, values and gradients is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import SimpleNamespace
from typing import Any

from purebp.graphs.nodes import Constant, Multiply, Node
from purebp.graphs.tensors import Shape, Tensor, arranged, dimensions, entries, entrywise
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.known import (
    MATRICES,
    N_IN,
    N_OUT,
    NUMBERS,
    VECTORS,
    Known,
    Match,
    drawn,
    meant,
    named_otherwise,
    recognised,
)
from purebp.oracle.asking.trials import (
    NOT_CHANGED,
    Arrays,
    Feed,
    Trial,
    arrays_of,
    codes_of,
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

VALUES = ("value", "val", "data", "output", "out", "result", "state", "activation", "a")
GRADIENTS = ("gradients", "gradient", "grads", "grad", "derivatives", "deltas", "d")
LEAF = re.compile("input|placeholder|variable|param|leaf|const|weight", re.IGNORECASE)
LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Attributes:
    """Where nodes keep what they have: the value, the nodes that they go out to, and gradients; keyed by node, or added."""

    value: str = ""
    children: str = ""
    gradients: str = ""
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """A class of nodes, how it is made, and what it computes; given: the parents whose gradients it gives."""

    cls: type
    match: Match
    listed: bool  # its parents are given as one list
    given: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.cls.__name__

    def made(self, parents: Sequence[Any]) -> Any:
        """A node, of parents in the order of the operation."""
        ordered = [parents[place] for place in self.match.places]
        return self.cls(ordered) if self.listed else self.cls(*ordered)


@dataclass(frozen=True, slots=True)
class Drivers:
    """Functions that put nodes in order, run them, and change parameters; and whether the first takes a feed."""

    sort: Any = None
    by_feed: bool = True
    run: Any = None
    update: Any = None


@dataclass(frozen=True, slots=True)
class Flow:
    """All that was found of node classes."""

    arrays: Arrays
    leaf: Callable[[], Any]
    leaf_class: type
    own: bool  # an input has a gradient of its own
    attributes: Attributes
    forward: str
    backward: str
    found: tuple[Found, ...]
    unknown: tuple[str, ...]
    drivers: Drivers

    @property
    def told(self) -> list[str]:
        """Each class, and what it computes."""
        inputs = [f"{self.leaf_class.__name__} (input)"]
        drivers = [d.__name__ for d in (self.drivers.sort, self.drivers.run, self.drivers.update) if d]
        return inputs + [f"{each.name} ({each.match.known.name})" for each in self.found] + drivers

    # How nodes are played.

    def leaf_of(self, value: Tensor) -> Any:
        """An input that holds a value."""
        made = within(f"{self.leaf_class.__name__}()", self.leaf, codes_of(self.leaf_class))
        setattr(made, self.attributes.value, self.arrays(value))
        return made

    def forwards(self, node: Any) -> None:
        label = f"{type(node).__name__}.{self.forward}"
        within(label, getattr(node, self.forward), codes_of(type(node)))

    def backwards(self, node: Any) -> None:
        label = f"{type(node).__name__}.{self.backward}"
        within(label, getattr(node, self.backward), codes_of(type(node)))

    def asks_back(self, node: Any, upstreams: Sequence[Tensor]) -> None:
        """Let these come back to the node, each from a node of its own that it goes out to."""
        if not self.attributes.keyed:
            total = upstreams[0] if len(upstreams) == 1 else entrywise(lambda *x: sum(x), *upstreams)
            setattr(node, self.attributes.gradients, self.arrays(total))
            return
        children = getattr(node, self.attributes.children, None)
        if children is None:
            raise NoAnswer("not understood", f"{type(node).__name__} does not say where it goes out to")
        children[:] = [_probe(self.attributes.gradients, {node: self.arrays(g)}) for g in upstreams]

    def value_of(self, node: Any, wanted: Sequence[int]) -> Tensor:
        label = f"{type(node).__name__}.{self.forward}"
        return shaped(label, "the value", getattr(node, self.attributes.value), wanted)

    def gradient_of(self, parent: Any, nodes: Sequence[Any]) -> Any:
        """What these nodes have for the parent, as it stands there; the sum, if there are several."""
        if not self.attributes.keyed:
            return getattr(parent, self.attributes.gradients)
        parts = [getattr(node, self.attributes.gradients, {}).get(parent) for node in nodes]
        return reduce(add, parts)

    def played(self, found: Found, feed: Feed, uses: int, twice: bool = False) -> dict[str, Any]:
        """The value and the gradients of one node alone; twice: run with other numbers before."""
        known = found.match.known
        values = [feed[name] for name in known.parents]
        given = found.match.given(values)
        parents = [self.leaf_of(value) for value in given]
        by_operation = [parents[found.match.places.index(i)] for i in range(len(parents))]
        node = within(f"{found.name}()", lambda: found.made(by_operation), codes_of(found.cls))
        ups = [] if known.loss else [feed[upstream(k)] for k in range(uses)]
        for scale in (0.5, 1.0) if twice else (1.0,):
            for parent, value in zip(parents, given):
                setattr(parent, self.attributes.value, self.arrays(entrywise(lambda x: scale * x, value)))
                if not self.attributes.keyed:
                    setattr(parent, self.attributes.gradients, self.arrays(entrywise(lambda x: 0.0, value)))
            self.forwards(node)
            if ups or not self.attributes.keyed:
                self.asks_back(node, ups or [1.0])
            self.backwards(node)
        label = f"{found.name}.{self.backward}"
        samples = len(values[0]) if isinstance(values[0], list) else 0
        said: dict[str, Any] = {}
        sizes = [dimensions(value) for value in given]
        slots: list[Any] = [None] * len(parents)
        for i, (parent, size) in enumerate(zip(parents, sizes)):
            name = known.parents[found.match.places[i]]
            if name in found.given:
                got = self.gradient_of(parent, [node])
                slots[i] = shaped(label, f"the gradient of {name}", got, size, samples)
        back = found.match.taken([s if s is not None else v for s, v in zip(slots, given)])
        said |= {name: back[i] for i, name in enumerate(known.parents) if name in found.given}
        output = getattr(node, self.attributes.value)
        said[LOSS if known.loss else node_name(found)] = _value(f"{found.name}.{self.forward}", output)
        return said

    # Trials.

    def trials(self) -> Iterator[Trial]:
        """From the simplest: inputs, each class alone and used twice, then a network of them."""
        if self.own and self.attributes.keyed:
            yield from self._of_inputs()
        for found in self.found:
            yield from self._of_class(found)
        yield from self._of_networks()

    def _of_inputs(self) -> Iterator[Trial]:
        name = self.leaf_class.__name__
        for uses, how in ((1, "alone"), (2, "used twice")):

            def run(feed: Feed, uses: int = uses) -> dict[str, Any]:
                made = self.leaf_of(feed["x"])
                self.asks_back(made, [feed[upstream(k)] for k in range(uses)])
                self.forwards(made)
                self.backwards(made)
                got = self.gradient_of(made, [made])
                return {"x": shaped(f"{name}.{self.backward}", "its gradient", got, dimensions(feed["x"]))}

            holds = self.found[0].match.holds if self.found else MATRICES
            shape: Shape = {MATRICES: (None, N_IN), VECTORS: (N_IN,), NUMBERS: ()}[holds]
            yield Trial(
                name,
                f"{name}.{self.forward}",
                f"{name}.{self.backward}",
                how,
                lambda trained, uses=uses, shape=shape: weighed(leaf("x", shape, trained), uses),  # type: ignore[misc]
                ("x",),
                run,
            )

    def _of_class(self, found: Found) -> Iterator[Trial]:
        known, holds = found.match.known, found.match.holds
        square = known.weighed is not None and holds == MATRICES
        widths = [(N_IN, N_IN)] * square + [(N_IN, N_OUT)]  # a matrix that is transposed shows itself in a square one
        circumstances: list[tuple[str, int, bool]] = [("alone", 1, False)]
        if not known.loss:
            circumstances.append(("used twice", 2, False))
        circumstances.append(("run a second time", 1, True))
        for how, uses, twice in circumstances:
            for n_in, n_out in widths if how == "alone" else widths[:1]:
                shapes = known.sized(holds, n_in, n_out)
                yield self._trial(found, how, shapes, uses, twice)
        if known.loss and holds == MATRICES and self.arrays.library and known.group in ("squares", "mae"):
            yield from self._of_shapes(found)

    def _of_shapes(self, found: Found) -> Iterator[Trial]:
        """A loss of (n,) and (n, 1); and of several outputs, which is said only."""
        told = (
            f"{found.name}.{self.forward} compares every target with every output where targets are (n,) and outputs "
            "(n, 1): Reshape both to the same shape."
        )
        yield self._trial(
            found,
            "with targets of shape (n,) and outputs of shape (n, 1)",
            ((None,), (None, 1)),
            1,
            False,
            mistake=("(n,) minus (n, 1)", told.replace("Reshape", "reshape")),
            refuses=True,
        )
        note = f"{found.name}: with several outputs, {self.backward} is not the gradient of {self.forward}; with one it is."
        yield self._trial(found, "with two outputs", ((None, 2), (None, 2)), 1, False, note=note, refuses=True)

    def _trial(self, found: Found, how: str, shapes: Sequence[Shape], uses: int, twice: bool, **more: Any) -> Trial:
        known = found.match.known
        of_state = (
            "not reset between calls",
            f"{found.name} is right when it is run once, and wrong when it is run again, as in training: something of "
            "the run before is kept. Begin with gradients of 0 in every backward pass.",
        )
        return Trial(
            found.name,
            f"{found.name}.{self.forward}",
            f"{found.name}.{self.backward}",
            how,
            lambda trained: graph_of(found.match.known, shapes, node_name(found), uses, trained),
            found.given or known.parents[-1:],
            lambda feed: self.played(found, feed, uses, twice),
            **{"mistake": of_state if twice else ("", ""), **more},
        )

    # Networks.

    def _of_networks(self) -> Iterator[Trial]:
        for net in networks(self.found):
            classes = tuple(dict.fromkeys([step.found.name for step in net.steps] + [self.leaf_class.__name__]))
            title = "a network of " + ", ".join(dict.fromkeys(step.found.name for step in net.steps))
            drivers = self.drivers
            yield self._network(net, title, title, classes, Drivers())
            if drivers.sort:
                name = drivers.sort.__name__
                yield self._network(net, name, title, (*classes, title), Drivers(drivers.sort, drivers.by_feed))
            if drivers.run and self.attributes.keyed and net.is_cost:
                name = drivers.run.__name__
                yield self._network(net, name, title, (*classes, title), Drivers(run=drivers.run))
                yield self._network(net, name, title, (*classes, title), Drivers(run=drivers.run), twice=True)
            if drivers.update and net.is_cost:
                name = drivers.update.__name__
                only = Drivers(update=drivers.update)
                yield self._network(net, name, title, (*classes, title), only, learning_rate=0.5)

    def _network(
        self,
        net: Net,
        subject: str,
        title: str,
        needs: tuple[str, ...],
        drivers: Drivers,
        twice: bool = False,
        learning_rate: float | None = None,
    ) -> Trial:
        def run(feed: Feed) -> dict[str, Any]:
            objects, cost = self._built(net, feed, set_values=drivers.sort is None)
            order = list(objects.values())
            if drivers.sort:
                order = self._sorted(drivers, net, objects, feed)
            for _ in range(2 if twice else 1):
                if drivers.run:
                    within(drivers.run.__name__, lambda: drivers.run(order), codes_of(drivers.run))
                    continue
                for node in order:
                    self.forwards(node)
                if not net.is_cost or not self.attributes.keyed:
                    self.asks_back(objects[net.steps[-1].name], [feed[upstream(0)]] if not net.is_cost else [1.0])
                for node in order[::-1]:
                    if type(node) is not self.leaf_class or self.own:
                        self.backwards(node)
            said: dict[str, Any] = {}
            trained = [objects[name] for name in net.trained]
            if drivers.update:
                update = drivers.update
                within(update.__name__, lambda: update(trained, learning_rate), codes_of(update))
            else:
                said[LOSS if net.is_cost else net.steps[-1].name] = _value(
                    f"{type(cost).__name__}.{self.forward}", getattr(cost, self.attributes.value)
                )
            for name in net.trained:
                said[name] = self._of_leaf(net, name, objects, feed, subject, bool(drivers.update))
            return said

        told = ("", "")
        if twice:
            told = (
                "not reset between calls",
                f"{subject} is right when it is called once, and wrong when it is called again, as in training.",
            )
        return Trial(
            subject,
            subject,
            subject,
            f"in {title}" if subject != title else "together",
            net.graph,
            net.trained,
            run,
            needs,
            told,
            learning_rate,
            is_network=subject == title,
            otherwise=tuple((name, _times(net.graph, factor)) for name, factor in FACTORS if learning_rate),
        )

    def _built(self, net: Net, feed: Feed, set_values: bool) -> tuple[dict[str, Any], Any]:
        objects: dict[str, Any] = {}
        for name in net.leaves:
            value = net.given(name, feed[name])
            objects[name] = self.leaf_of(value) if set_values else self.leaf()
        for step in net.steps:
            parents = [objects[p] for p in step.parents]
            objects[step.name] = within(f"{step.found.name}()", lambda: step.found.made(parents))
        return objects, objects[net.steps[-1].name]

    def _sorted(self, drivers: Drivers, net: Net, objects: dict[str, Any], feed: Feed) -> list[Any]:
        name, value = drivers.sort.__name__, self.attributes.value
        values = {objects[each]: self.arrays(net.given(each, feed[each])) for each in net.leaves}
        cost = objects[net.steps[-1].name]
        given = values if drivers.by_feed else cost
        order = within(name, lambda: list(drivers.sort(given)), codes_of(drivers.sort))
        for each, x in values.items():
            if getattr(each, value, None) is None or not drivers.by_feed:
                setattr(each, value, x)
        known = {id(node): key for key, node in objects.items()}
        places = [known[id(node)] for node in order if id(node) in known]
        for step in net.steps:
            for parent in (*step.parents, step.name):
                times = places.count(parent)
                if times != 1:
                    how = "leaves out" if not times else f"gives {times} times"
                    raise NoAnswer("order", f"{name} {how} {net.words(parent)}: every node comes once")
            for parent in step.parents:
                if places.index(parent) > places.index(step.name):
                    told = f"{name} puts {net.words(step.name)} before {net.words(parent)}, which it is computed of"
                    raise NoAnswer("order", told)
        return [objects[place] for place in places]

    def _of_leaf(self, net: Net, name: str, objects: dict[str, Any], feed: Feed, subject: str, updated: bool) -> Tensor:
        value = net.given(name, feed[name])
        if updated:
            got = getattr(objects[name], self.attributes.value)
        elif self.own or not self.attributes.keyed:
            got = self.gradient_of(objects[name], [objects[name]])
        else:
            got = self.gradient_of(objects[name], [objects[s.name] for s in net.steps if name in s.parents])
        what = f"the {'value' if updated else 'gradient'} of {name}"
        return net.given(name, shaped(subject, what, got, dimensions(value)))


FACTORS = (
    ("sign turned", -1.0),
    ("factor 2", 2.0),
    ("factor ½", 0.5),
    ("factor −2", -2.0),
    (NOT_CHANGED, 0.0),
)  # of a step


def _times(graph: Callable[[Sequence[str]], Node], factor: float) -> Callable[[Sequence[str]], Node]:
    return lambda trained: Multiply(Constant(factor), graph(trained))


def node_name(found: Found) -> str:
    """What the node of a class is called in the graph.

    >>> from purebp.oracle.asking.known import KNOWN
    >>> node_name(Found(int, Match(KNOWN[0], MATRICES, (0,)), False))
    'int'
    """
    return found.name if found.name not in (*found.match.known.parents, LOSS) else f"{found.name}()"


def graph_of(known: Known, shapes: Sequence[Shape], name: str, uses: int, trained: Sequence[str]) -> Node:
    """One operation, made a cost by what comes back to it.

    >>> from purebp.oracle.asking.known import KNOWN
    >>> graph_of(KNOWN[0], [(None, 3)], "Squash", 1, ["x"])
    Sum(Multiply)
    """
    leaves = [leaf(each, shape, trained) for each, shape in zip(known.parents, shapes)]
    return known.build(*leaves) if known.loss else weighed(known.build(*leaves, name=name), uses)


@dataclass(frozen=True, slots=True)
class Step:
    """A node of a network: its class, the names of its parents in the order of the operation, and its name."""

    found: Found
    parents: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Net:
    """A small network: shapes of its leaves, its nodes in order, and what is trained."""

    leaves: dict[str, Shape]
    steps: tuple[Step, ...]
    trained: tuple[str, ...]
    turned: frozenset[str] = frozenset()

    @property
    def is_cost(self) -> bool:
        """Whether the last node is a cost."""
        return self.steps[-1].found.match.known.loss

    def given(self, name: str, value: Tensor) -> Tensor:
        """A leaf as the classes have it, or back."""
        return [list(row) for row in zip(*value)] if name in self.turned else value

    def words(self, name: str) -> str:
        """A node, in a sentence."""
        step = next((step for step in self.steps if step.name == name), None)
        return f"the input {name}" if step is None else f"the {step.found.name} {name}"

    def graph(self, trained: Sequence[str]) -> Node:
        """The same, in purebp."""
        nodes = {name: leaf(name, shape, trained) for name, shape in self.leaves.items()}
        for step in self.steps:
            parents = [nodes[p] for p in step.parents]
            known = step.found.match.known
            nodes[step.name] = known.build(*parents) if known.loss else known.build(*parents, name=step.name)
        last = nodes[self.steps[-1].name]
        return last if self.is_cost else weighed(last)


def networks(found: Sequence[Found]) -> Iterator[Net]:
    """A small network of what is there: linear, activation, linear, loss; or else one with a node that is used twice.

    >>> list(networks(()))
    []
    """
    for holds in (MATRICES, VECTORS):
        linear = next((f for f in found if f.match.known.name == "linear" and f.match.holds == holds), None)
        inner = NUMBERS if holds == VECTORS else MATRICES
        losses = [f for f in found if f.match.known.loss and (f.match.holds == inner or holds == MATRICES)]
        squashes = [f for f in found if _entrywise(f) and (f.match.holds == inner or holds == MATRICES)]
        if linear is None:
            continue
        loss, squash = next(iter(losses), None), next(iter(squashes), None)
        yield _layers(linear, squash, loss, holds)
        break
    else:
        two = {f.match.known.name: f for f in found if f.match.known.name in ("add", "multiply")}
        if len(two) == 2 and all(len(f.match.known.parents) == 2 for f in two.values()):
            shape: Shape = () if any(f.match.holds == NUMBERS for f in two.values()) else (None, N_IN)
            steps = (Step(two["add"], ("x", "y"), "s"), Step(two["multiply"], ("s", "x"), "f"))
            yield Net({"x": shape, "y": shape}, steps, ("x", "y"))


def _entrywise(found: Found) -> bool:
    known = found.match.known
    return (
        known.parents == ("x",)
        and known.name in ("sigmoid", "tanh", "softplus", "silu", "gelu")
        or known.group == "relu"
    )


def _layers(linear: Found, squash: Found | None, loss: Found | None, holds: str) -> Net:
    biased = len(linear.match.known.parents) == 3
    leaves: dict[str, Shape] = {"X": (None, N_IN) if holds == MATRICES else (N_IN,)}
    steps: list[Step] = []
    trained: list[str] = []
    last, wide = "X", loss.match.known.group == "cross_entropy" if loss else False
    sizes = [(N_IN, 3), (3, 3 if wide else 1)] if holds == MATRICES else [(N_IN, 1)]
    for number, (n_in, n_out) in enumerate(sizes, start=1):
        w, b = f"W{number}", f"b{number}"
        leaves[w] = (n_out, n_in) if holds == MATRICES else (n_in,)
        if biased:
            leaves[b] = (n_out,) if holds == MATRICES else ()
        trained += [w] + [b] * biased
        steps.append(Step(linear, (last, w, b) if biased else (last, w), f"z{number}"))
        last = f"z{number}"
        probabilities = (
            loss is not None and loss.match.known.drawn in ("binary", "one_hot") and "of" not in loss.match.known.name
        )
        if squash and (number < len(sizes) or probabilities or holds != MATRICES):
            steps.append(Step(squash, (last,), f"a{number}"))
            last = f"a{number}"
    if loss:
        leaves["y"] = (None, sizes[-1][1]) if holds == MATRICES else ()
        steps.append(Step(loss, ("y", last), "cost"))
    turned = frozenset(w for w in trained if w[0] == "W" and linear.match.turned)
    return Net(leaves, tuple(steps), tuple(trained), turned)


# Finding.


def find_flow(namespace: Mapping[str, Any]) -> Flow | None:
    """The node classes of a namespace, if it has some.

    >>> find_flow({"int": int}) is None
    True
    """
    classes = [c for c in types_in(namespace) if _is_node(c)]
    if len(classes) < 2:
        return None
    arrays = arrays_of(namespace)
    for leaf_class, make in _leaves(classes):
        forward, backward = method(leaf_class, "forward"), method(leaf_class, "backward", "backprop", "back_prop")
        seen = _attributes([c for c in classes if c is not leaf_class], make, arrays, forward, backward)
        if seen is None:
            continue
        flow = Flow(arrays, make, leaf_class, False, seen, forward, backward, (), (), Drivers())
        found, unknown = list[Found](), list[str]()
        bases = {base for c in classes for base in c.__mro__[1:]}
        for cls in classes:
            if cls is leaf_class or LEAF.search(cls.__name__) and cls in [c for c, _ in _leaves(classes)]:
                continue
            one = _found(cls, flow, is_base=cls in bases)
            if one:
                found.append(one)
            elif cls not in bases:
                unknown.append(cls.__name__)
        found.sort(key=lambda f: (f.match.known.loss, len(f.match.known.parents), f.match.known.weighed is not None))
        if not found:
            continue
        return Flow(
            arrays, make, leaf_class, _own(flow), seen, forward, backward,
            tuple(found), tuple(unknown), _drivers(namespace, flow, found),
        )  # fmt: skip
    return None


def _is_node(cls: type) -> bool:
    names = method(cls, "forward"), method(cls, "backward", "backprop", "back_prop")
    return all(names) and all(required(getattr(cls, name), bound=False)[0] == 0 for name in names)


def _leaves(classes: Sequence[type]) -> list[tuple[type, Callable[[], Any]]]:
    """The classes of which an instance is made of no node, those called like inputs first."""
    made = []
    for cls in classes:
        for arguments in ((), (0.0,), ("x",)):
            try:
                cls(*arguments)
            except Exception:
                continue
            made.append((cls, lambda cls=cls, arguments=arguments: cls(*arguments)))
            break
    bases = {base for c in classes for base in c.__mro__[1:]}
    return sorted(made, key=lambda pair: (not LEAF.search(pair[0].__name__), pair[0] in bases))


def _constructions(cls: type) -> Iterator[tuple[int, bool]]:
    """How many parents, and whether in one list."""
    least, most, several = required(cls)
    for count in (1, 2, 3):
        if several or least <= count <= most:
            yield count, False
    if least <= 1:
        for count in (1, 2, 3):
            yield count, True


def _attributes(
    classes: Sequence[type], make: Callable[[], Any], arrays: Arrays, forward: str, backward: str
) -> Attributes | None:
    """Where nodes keep values, the nodes that they go out to, and gradients: as one class after the other shows it."""
    best: Attributes | None = None
    for cls in classes:
        for count, listed in _constructions(cls):
            try:
                parents = [make() for _ in range(count)]
                node = cls(parents) if listed else cls(*parents)
            except Exception:
                continue
            children = next((k for k, v in state(parents[0]).items() if isinstance(v, list) and node in v), "")
            for value, size in ((v, s) for v in _value_names(node, parents[0]) for s in ((2, 2), ())):
                try:
                    for parent in parents:
                        setattr(parent, value, arrays(arranged([0.5, 0.25, 0.75, 0.5], size) if size else 0.5))
                    before = state(node).get(value)
                    getattr(node, forward)()
                except Exception:
                    continue
                after = state(node).get(value)
                if not numeric(after) or after is before:
                    continue
                found = _gradients(node, parents, arrays, Attributes(value, children), backward)
                if found.gradients and (found.children or not found.keyed):
                    return found
                best = best or found
    return best and Attributes(best.value, best.children, best.gradients or GRADIENTS[0], True)


def _value_names(node: Any, parent: Any) -> list[str]:
    there = [k for k, v in state(parent).items() if k in state(node) and (v is None or numeric(v))]
    return sorted(there, key=lambda k: VALUES.index(k) if k in VALUES else len(VALUES))


def _gradients(node: Any, parents: Sequence[Any], arrays: Arrays, seen: Attributes, backward: str) -> Attributes:
    """With the attribute of the gradients, after a backward pass from ones."""
    ones = entrywise(lambda x: 1.0, plain(getattr(node, seen.value)))
    names = [k for k, v in state(node).items() if isinstance(v, dict)] or list(GRADIENTS)
    grads = [k for k, v in state(parents[0]).items() if k in GRADIENTS and (v is None or numeric(v))]
    before = {k: repr(getattr(parents[0], k)) for k in grads}
    try:
        if seen.children:
            getattr(node, seen.children)[:] = [
                SimpleNamespace(**{name: {node: arrays(ones)} for name in dict.fromkeys((*names, *GRADIENTS))})
            ]
        for name in grads:
            setattr(node, name, arrays(ones))
        getattr(node, backward)()
    except Exception:
        keyed = names[0] if names[0] not in GRADIENTS or not grads else ""
        return Attributes(seen.value, seen.children, keyed)
    for name, x in state(node).items():
        if isinstance(x, dict) and any(parent in x for parent in parents):
            return Attributes(seen.value, seen.children, name)
    for name in grads:
        if repr(getattr(parents[0], name)) != before[name]:
            return Attributes(seen.value, seen.children, name, keyed=False)
    return seen


def _probe(gradients: str, held: dict[Any, Any]) -> SimpleNamespace:
    """What stands for a node further on: it has the gradients alone."""
    return SimpleNamespace(**{gradients: held})


def _found(cls: type, flow: Flow, is_base: bool) -> Found | None:
    """What the class computes, by experiment or else by its name."""
    match, style = None, False
    for count, listed in _constructions(cls):
        targets = place_of_targets(names_of(cls)) if not listed else None
        match = recognised(
            lambda given: _computed(flow, cls, listed, given), count, (MATRICES, VECTORS, NUMBERS), targets=targets
        )
        if match:
            style = listed
            break
    known = meant(cls.__name__, len(match.known.parents) if match else None)
    if (match is None and known and not is_base) or (
        match and known and named_otherwise(match.known, known, cls.__name__)
    ):
        assert known is not None
        ways = [style for count, style in _constructions(cls) if count == len(known.parents)]
        if not ways:
            return None
        style = ways[0]
        holds = (
            match.holds
            if match
            else next((h for h in known.shapes if _runs(flow, cls, style, known, h)), next(iter(known.shapes)))
        )
        match = Match(known, holds, tuple(range(len(known.parents))), known.weighed is not None, experiment=False)
    if match is None:
        return None
    return Found(cls, match, style, _given(flow, Found(cls, match, style)))


def _computed(flow: Flow, cls: type, listed: bool, given: Sequence[Tensor]) -> Tensor:
    parents = [flow.leaf() for _ in given]
    for parent, value in zip(parents, given):
        setattr(parent, flow.attributes.value, flow.arrays(value))
    node = cls(parents) if listed else cls(*parents)
    getattr(node, flow.forward)()
    return plain(getattr(node, flow.attributes.value))


def _runs(flow: Flow, cls: type, listed: bool, known: Known, holds: str) -> bool:
    match = Match(known, holds, tuple(range(len(known.parents))), known.weighed is not None)
    try:
        _computed(flow, cls, listed, match.given(drawn(match, 1, 1)))
    except (Exception, SystemExit):
        return False
    return True


def _given(flow: Flow, found: Found) -> tuple[str, ...]:
    """The parents whose gradients it gives; all of them, where it cannot be seen. Targets need none."""
    known, match = found.match.known, found.match
    if not flow.attributes.keyed:
        return known.parents[-1:] if known.loss else known.parents
    try:
        values = drawn(match, 1, 1)
        given = match.given(values)
        parents = []
        for value in given:
            parents.append(flow.leaf())
            setattr(parents[-1], flow.attributes.value, flow.arrays(value))
        by_operation = [parents[match.places.index(i)] for i in range(len(parents))]
        node = found.made(by_operation)
        getattr(node, flow.forward)()
        ones = entrywise(lambda x: 1.0, plain(getattr(node, flow.attributes.value)))
        if not known.loss and flow.attributes.children:
            getattr(node, flow.attributes.children)[:] = [_probe(flow.attributes.gradients, {node: flow.arrays(ones)})]
        getattr(node, flow.backward)()
        held = getattr(node, flow.attributes.gradients)
        names = []
        for i, name in enumerate(known.parents):
            x = held.get(by_operation[i])
            targets = known.loss and i == 0
            if numeric(x) and not (targets and not any(entries(plain(x)))) or not targets:
                names.append(name)
    except (Exception, SystemExit):
        return known.parents[-1:] if known.loss else known.parents
    return tuple(names)


def _own(flow: Flow) -> bool:
    """Whether an input has its own gradient after its `backward`."""
    if not flow.attributes.keyed:
        return False
    try:
        made = flow.leaf()
        setattr(made, flow.attributes.value, 0.5)
        getattr(made, flow.attributes.children)[:] = [_probe(flow.attributes.gradients, {made: 1.0})]
        getattr(made, flow.backward)()
    except Exception:
        return True  # to be told
    held = getattr(made, flow.attributes.gradients, None)
    return isinstance(held, dict) and made in held


def _drivers(namespace: Mapping[str, Any], flow: Flow, found: Sequence[Found]) -> Drivers:
    """Functions of the module, by their names and what they take."""
    functions = [f for f in list(namespace.values()) if hasattr(f, "__code__") and hasattr(f, "__name__")]

    def first(pattern: str, *counts: int) -> Any:
        named = [f for f in functions if re.search(pattern, f.__name__, re.IGNORECASE)]
        return next((f for f in named if any(required(f)[0] <= n <= required(f)[1] for n in counts)), None)

    sort = first("topo|sort", 1)
    run = first("forward.*back|train_?step|run|propagat", 1)
    update = first("sgd|update|descent|step", 2)
    run = run if run not in (sort, update) else None
    update = update if update is not sort and required(update or (lambda: 0))[0] in (1, 2) else None
    by_feed = True
    for net in networks(found):
        if sort is None:
            break
        for mode in (True, False):
            try:
                objects = {name: flow.leaf() for name in net.leaves}
                for step in net.steps:
                    objects[step.name] = step.found.made([objects[p] for p in step.parents])
                feed = {objects[name]: 0.5 for name in net.leaves}
                order = list(sort(feed if mode else objects[net.steps[-1].name]))
                if any(each is node for each in order for node in objects.values()):
                    by_feed = mode
                    break
            except (Exception, SystemExit):
                continue
    return Drivers(sort, by_feed, run, update)


def _value(label: str, x: Any) -> Tensor:
    if x is None:
        raise NoAnswer("not given", f"{label} leaves no value")
    return plain(x)
