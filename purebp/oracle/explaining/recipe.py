"""Backpropagation as a recipe: one field for each line of the recurrence, and a mistake is another function in one of them.

A `Recipe` with every field at its default is `backpropagation`, bit by bit. Recipes run over every number system, so
that "your answer is what this mistake gives" is as strict as any other verdict.

>>> from purebp import FLOAT, Layer, backpropagation
>>> network = Network([Layer([[2.0]], None, "sigmoid"), Layer([[3.0]], None, "identity")])
>>> batch = Batch([[0.0]], [[0.5]])
>>> run(Recipe(), network, batch, "half_sse", FLOAT) == backpropagation(network, batch, "half_sse")
True
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from purebp.textbook import backprop, losses
from purebp.textbook.arithmetic import Arithmetic, Matrix, PurebpError
from purebp.textbook.backprop import Trace, error_below, forward, frozen, output_deltas, output_error
from purebp.textbook.linalg import inner, shape
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Gradients, Layer, LayerGradients, Network, lifted

Rows = Matrix[Any]


DERIVATIVE, BIASES, OPERANDS = "activation derivative", "biases", "operands"
STATE, LOSS = "order and state", "loss and scale"


class Inapplicable(PurebpError):
    """The mistake has no meaning for this network: shapes do not fit, or nothing would change."""


@dataclass(frozen=True, slots=True)
class Place:
    """Layer l on the way back, and all that a line of the recurrence could read there, by right or by mistake.

    error is ∂loss/∂aˡ; None at the output where the loss and the activation have a closed form such as ŷ − y.
    """

    arithmetic: Arithmetic[Any]
    network: Network[Any]
    trace: Trace[Any]
    loss: Loss
    targets: Rows
    l: int
    above: Place | None
    error: Rows | None = None
    deltas: Rows = ()

    @property
    def last(self) -> bool:
        return self.above is None

    @property
    def layer(self) -> Layer[Any]:
        return self.network.layers[self.l]

    @property
    def weights(self) -> Rows:
        return self.layer.weights

    @property
    def z(self) -> Rows:
        return self.trace.pre_activations[self.l]

    @property
    def a(self) -> Rows:
        return self.trace.activations[self.l]

    @property
    def below(self) -> Rows:
        return self.trace.activations[self.l - 1] if self.l else self.trace.inputs

    @property
    def samples(self) -> int:
        return len(self.targets)

    def product(self, a: Rows, b: Rows) -> list[list[Any]]:
        """Dot products of rows with rows."""
        return inner(a, b, arithmetic=self.arithmetic)

    def full_error(self) -> Rows:
        """∂loss/∂aˡ, also where the closed form does without."""
        return output_error(self.loss, self.a, self.targets, self.arithmetic) if self.error is None else self.error


def entries(rows: Rows, f: Callable[[Any], Any]) -> list[list[Any]]:
    """A function of every entry."""
    return [[f(x) for x in row] for row in rows]


# The lines of the recurrence, as they should be.


def above(p: Place) -> Place:
    if p.above is None:
        raise Inapplicable("nothing is passed down to the output layer")
    return p.above


def error_at_output(p: Place) -> Rows | None:
    """∂loss/∂ŷ."""
    return None if p.loss.fused_with(p.layer.activation) else output_error(p.loss, p.a, p.targets, p.arithmetic)


def deltas_of(p: Place) -> Rows:
    """δˡ = ∂loss/∂aˡ ⊙ f′(zˡ)."""
    if p.error is None:
        return output_deltas(p.loss, p.layer.activation, p.z, p.a, p.targets, p.arithmetic)
    return backprop.deltas_of(p.error, p.layer.activation, p.z, p.a, p.arithmetic)


def error_from_above(p: Place) -> Rows:
    """∂loss/∂aˡ = δˡ⁺¹ Wˡ⁺¹."""
    upper = above(p)
    return error_below(upper.deltas, upper.weights, p.arithmetic)


def weight_gradients(p: Place) -> Rows:
    """∂loss/∂Wˡ = δˡᵀ aˡ⁻¹."""
    return backprop.weight_gradients(p.deltas, p.below, p.arithmetic)


def bias_gradients(p: Place) -> list[Any]:
    """∂loss/∂bˡ = Σ over samples of δˡ."""
    return backprop.bias_gradients(p.deltas, p.arithmetic)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Backpropagation, one field for each step."""

    model: Callable[[Network[Any]], Network[Any]] = lambda network: network
    forward: Callable[[Network[Any], Rows, Arithmetic[Any]], Trace[Any]] = forward
    targets: Callable[[Rows, Arithmetic[Any]], Rows] = lambda y, arithmetic: y
    error: Callable[[Place], Rows | None] = error_at_output
    deltas: Callable[[Place], Rows] = deltas_of
    passed: Callable[[Place], Rows] = error_from_above
    weights: Callable[[Place], Rows] = weight_gradients
    biases: Callable[[Place], Sequence[Any]] = bias_gradients


LINES = {
    "model": "aˡ = f(zˡ)",
    "forward": "zˡ = aˡ⁻¹ Wˡᵀ + bˡ, aˡ = f(zˡ)",
    "targets": "∂loss/∂ŷ, from ŷ and y",
    "error": "∂loss/∂ŷ, from ŷ and y",
    "deltas": "δˡ = ∂loss/∂aˡ ⊙ f′(zˡ)",
    "passed": "∂loss/∂aˡ = δˡ⁺¹ Wˡ⁺¹",
    "weights": "∂loss/∂Wˡ = δˡᵀ aˡ⁻¹",
    "biases": "∂loss/∂bˡ = Σ δˡ over the samples",
}


def places(
    recipe: Recipe,
    network: Network[Any],
    batch: Batch[Any],
    loss: Loss | str,
    arithmetic: Arithmetic[Any],
    down_to: int = 0,
) -> list[Place]:
    """The way back, output layer first, down to a layer."""
    network = lifted(recipe.model(network), arithmetic)
    trace = recipe.forward(network, batch.inputs, arithmetic)
    targets = recipe.targets(arithmetic.lift(batch.targets), arithmetic)
    found, chosen = list[Place](), losses.loss(loss)
    for l in reversed(range(down_to, len(network.layers))):
        given = arithmetic, network, trace, chosen, targets, l, found[-1] if found else None
        place = Place(*given)
        error = recipe.error(place) if place.last else recipe.passed(place)
        if error is not None and shape(error) != shape(place.z):
            raise Inapplicable("the shapes do not fit")
        found.append(Place(*given, error, recipe.deltas(Place(*given, error))))
    return found


def run(
    recipe: Recipe, network: Network[Any], batch: Batch[Any], loss: Loss | str, arithmetic: Arithmetic[Any]
) -> Gradients[Any]:
    """The gradients that the recipe gives; `Inapplicable` if it cannot be followed for this network."""
    found = []
    for place in places(recipe, network, batch, loss, arithmetic):
        weights = recipe.weights(place)
        biases = None if place.layer.biases is None else tuple(recipe.biases(place))
        if not fits(place, "weights", weights) or (biases and not fits(place, "biases", biases)):
            raise Inapplicable("the shapes do not fit")
        found.append(LayerGradients(frozen(weights), biases, frozen(place.deltas)))
    return Gradients(tuple(reversed(found)))


@dataclass(frozen=True, slots=True)
class Mistake:
    """One step of a recipe changed.

    Its sentence says what is wrong and what to do, with {where} for the layers.
    """

    name: str
    family: str
    sentence: str
    step: str
    change: Callable[..., Any] = field(compare=False, repr=False)
    output: bool = True  # can be made at the output layer
    lowest: int = 0  # and in this layer at the lowest
    onto: bool = False  # it is done to what stands there, its second argument

    @property
    def line(self) -> str:
        """The line of the recurrence."""
        return LINES[self.step]

    @property
    def layerwise(self) -> bool:
        return self.step in ("deltas", "passed", "weights", "biases")

    def layers(self, depth: int) -> Iterator[frozenset[int]]:
        """Where it can be made in a network of that depth: everywhere, in all hidden layers, in a single one."""
        if not self.layerwise:
            yield frozenset()
            return
        able = [l for l in range(self.lowest, depth) if l < depth - 1 or self.output]
        hidden = [l for l in able if l < depth - 1]
        for layers in dict.fromkeys([frozenset(able), frozenset(hidden), *(frozenset({l}) for l in reversed(able))]):
            if layers:
                yield layers


Made = tuple[Mistake, frozenset[int]]  # and the layers, none for what is no matter of layers


def planted(mistake: Mistake, layers: Collection[int] = (), recipe: Recipe = Recipe()) -> Recipe:
    """The recipe with the mistake made in these layers (counted from 0); elsewhere it stays what it was."""
    default: Callable[..., Any] = getattr(recipe, mistake.step)
    if not mistake.layerwise:

        def whole(*given: Any) -> Any:
            try:
                return mistake.change(*given)
            except (PurebpError, ArithmeticError):  # it cannot be made here, in other cases perhaps it can
                return default(*given)

        return replace(recipe, **{mistake.step: whole})
    chosen = frozenset(layers)

    def step(p: Place) -> Any:
        if p.l not in chosen:
            return default(p)
        try:
            found = mistake.change(p, default(p)) if mistake.onto else mistake.change(p)
        except (PurebpError, ArithmeticError):  # here it cannot be made, in another layer perhaps it can
            return default(p)
        return found if fits(p, mistake.step, found) else default(p)

    return replace(recipe, **{mistake.step: step})  # type: ignore[arg-type]  # a step of places


def fits(p: Place, step: str, found: Any) -> bool:
    """Whether something in the place of a line of the recurrence has the shape that it should have."""
    if step == "biases":
        return len(found) == len(p.layer.weights)
    wanted = p.layer.weights if step == "weights" else p.z
    return list(map(len, found)) == list(map(len, wanted))


def where(mistake: Mistake, layers: frozenset[int], depth: int) -> str:
    """Layers in words.

    >>> from purebp.oracle.explaining.catalogue import CATALOGUE
    >>> where(CATALOGUE["squashed twice"], frozenset({1}), 2), where(CATALOGUE["squashed twice"], frozenset({0, 1}), 3)
    ('at the output layer', 'in the hidden layers')
    """
    if not mistake.layerwise:
        return ""
    at, into = ("to", "to") if mistake.step == "passed" else ("at", "in")  # what is passed down goes to a layer
    able = frozenset(range(mistake.lowest, depth if mistake.output else depth - 1))
    if layers == {depth - 1}:
        return f"{at} the output layer"
    if len(layers) == 1:
        return f"{into} layer {min(layers) + 1}"
    if layers >= able and mistake.output:
        return f"{into} every layer"
    if layers == set(range(depth - 1)):
        return f"{into} the hidden layers"
    return f"{into} layers " + ", ".join(str(l + 1) for l in sorted(layers))
