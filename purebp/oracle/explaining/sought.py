"""The numbers in which mistakes show first, so that the line that makes them can be looked for.

>>> from purebp import Batch, Network
>>> from purebp.oracle.explaining.catalogue import CATALOGUE
>>> from purebp.textbook import losses
>>> network, batch = Network.random([2, 2, 1], seed=4), Batch([[0.5, -1.0]], [[1.0]])
>>> made = ((CATALOGUE["squashed twice"], frozenset({0})),)
>>> [len(one.forms[0]) for one in sought(made, Case("", network, batch), losses.mse)]
[2]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from purebp.oracle.answer import LOCAL, Claim, Key, as_claim
from purebp.oracle.asking.watching import FACTORS, Quantity, Vector
from purebp.oracle.cases import Case
from purebp.oracle.explaining.equations import Question, own_activations
from purebp.oracle.explaining.recipe import Made, Place, Recipe, places, planted
from purebp.textbook.arithmetic import FLOAT, Matrix, PurebpError
from purebp.textbook.backprop import frozen
from purebp.textbook.losses import Loss


def sought(made: Sequence[Made], case: Case, loss: Loss, returned: Claim | None = None) -> Iterator[Quantity]:
    """Of each mistake, in each layer, what it makes, and that of which it is made; nothing where nothing changes.

    δ that is right but for its sign, or 2 or ½, is nothing that could be looked for. returned: updated weights, made of gradients.
    """
    recipe = Recipe()
    for mistake, layers in made:
        recipe = planted(mistake, layers, recipe)
    try:
        ways = [places(each, case.network, case.batch, loss, FLOAT) for each in (recipe, Recipe())]
    except (PurebpError, ArithmeticError):
        return
    depth = len(ways[0])
    for mistake, layers in made:
        everywhere = range(depth) if mistake.step in ("forward", "model") else {depth - 1}
        for l in sorted(layers or everywhere):
            wrong, right = (way[depth - 1 - l] for way in ways)
            forms = [
                form
                for rows, other in zip(_made(recipe, wrong, mistake.step), _made(Recipe(), right, mistake.step))
                if not (rows == other if mistake.step in LOCAL else _in_proportion(rows, other, FACTORS))
                for form in _forms(rows, mistake.step)
            ]
            if forms:
                key = mistake.step, l
                if returned and key in returned and frozen(returned[key]) != frozen(as_claim(case.network)[key]):
                    forms += _forms(returned[key], mistake.step)
                made_of = [
                    form
                    for rows in _made_of(wrong, mistake.step)
                    for form in _forms(rows, "")
                    if mistake.step in LOCAL or not any(_like(form, other) for other in forms)  # f′ is missing
                ]
                yield Quantity(forms, made_of, sized=mistake.step in LOCAL)
                if mistake.step in ("forward", "model"):
                    break  # what comes after follows from it


def given_in(case: Case) -> set[tuple[float, ...]]:
    """What the candidate is given: weights, biases, inputs and targets, whole and row by row, in either layout."""
    found = set[tuple[float, ...]]()
    for rows in (*as_claim(case.network).values(), case.batch.inputs, case.batch.targets):
        for matrix in (rows, list(zip(*rows))):
            found.add(tuple(x for row in matrix for x in row))
            found.update(tuple(row) for row in matrix if len(row) > 1)
    return found


def as_answered(unexplained: Sequence[Key], case: Case, claim: Claim) -> Iterator[Quantity]:
    """What lines make that nothing explains: as it was returned; δ as ∂loss/∂b of one sample."""
    for step, l in unexplained:
        if (
            step == "forward"
            and case.samples == 1
            and (own := own_activations(Question(case.network, case.batch, claim), l))
        ):
            yield Quantity([own], sized=True)
            continue
        deltas = step == "deltas"
        rows = claim.get(("biases" if deltas else step, l))
        if rows and (case.samples == 1 or not deltas):
            yield Quantity(list(_forms(rows, step)), sized=not deltas)


def _made(recipe: Recipe, p: Place, step: str) -> list[Matrix]:
    """What a step makes at a place, and what follows from it there."""
    if step == "weights":
        return [recipe.weights(p)]
    if step == "biases":
        return [[list(recipe.biases(p))]] if p.layer.biases else []
    if step in ("forward", "model"):
        return [p.z, p.a]
    return [p.full_error(), p.deltas] if step != "deltas" else [p.deltas]


def _made_of(p: Place, step: str) -> list[Matrix]:
    """What it should be made of, and what a mistake may make it of alone."""
    if step == "weights":
        return [p.deltas, p.below, p.trace.inputs]
    if step == "biases":
        return [p.deltas]
    if step == "deltas":
        return [p.full_error()]
    return [p.above.deltas] if p.above else [p.a, p.z]


def _forms(rows: Matrix, step: str) -> Iterator[Vector]:
    """Row after row, column after column; of several samples also one alone."""
    yield [x for row in rows for x in row]
    if min(len(rows), len(rows[0])) > 1:
        yield [x for column in zip(*rows) for x in column]
    if len(rows) > 1 and step not in ("weights", "biases"):
        yield from (list(rows[0]), list(rows[-1]))


def _like(form: Vector, other: Vector) -> bool:
    return len(form) == len(other) and _in_proportion([form], [other])


def _in_proportion(rows: Matrix, others: Matrix, factors: Sequence[float] = ()) -> bool:
    """Whether one is a multiple of the other; by one of these factors, if there are any."""
    pairs = [pair for both in zip(rows, others) for pair in zip(*both)]
    x, y = max(pairs, key=lambda pair: abs(pair[1]))
    if factors and not any(abs(x - c * y) <= 1e-12 * abs(x) for c in factors):
        return False
    return all(abs(a * y - b * x) <= 1e-12 * abs(x * y) for a, b in pairs)
