"""No implementation that is right leaves its error budget; hardly one that is wrong stays inside.

`make campaign` is the long version of the first half, on networks of any size and scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, product
from random import Random

import pytest

from purebp import Batch, Layer, Network, activation, backpropagation, loss
from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, rounds_to
from purebp.oracle import judge
from purebp.oracle.evidence import share
from purebp.textbook.activations import Elementwise
from studies.conforming import (
    LOSSES,
    MACHINES,
    PANEL,
    SLOPES,
    STABLE,
    SUMS,
    VALUES,
    WAYS,
    Exercise,
    Machine,
    Recipe,
    drawn,
    implementation,
    named,
    rounding,
    shares,
    value_shares,
    wild_case,
)
from tests.laws import Backpropagation
from tests.test_planted_bugs import BUGS

# Right, hence inside.

MEANS = [(True, "start"), (False, "start"), (False, "end"), (True, "parts")]


@pytest.mark.parametrize("format", FORMATS)
def test_no_conforming_implementation_leaves_its_budget(format: str) -> None:
    panel = [member for member in PANEL if member.format.name == format]
    machines = [machine for machine in MACHINES if machine.format.name == format]
    for seed in range(8):
        random = Random(seed)
        case = wild_case(random, widest=5, deepest=4)
        members = [*panel, *(drawn(random, machine) for machine in machines)]
        for found in (*shares(*case, members), *value_shares(*case, members)):
            assert max(found.shares) <= 1, (seed, found.name, found.kind)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "elu(0.1)", "elu(50.0)", "elu(-3.0)", "silu"])
def test_every_stable_formula_stays_inside_a_strict_budget(name: str, machine: Machine) -> None:
    """At one exact z, and in networks of any scale."""
    random, strict, f = Random(name), replace(machine.format, strict=True), activation(name)
    assert isinstance(f, Elementwise)
    base, parameter = named(name)
    system, compute, (values, slopes) = ball(strict), machine.library(random), STABLE[base]
    for _ in range(30):
        z = machine.stored(random.choice([-1, 1]) * 2 ** random.uniform(-12, 8))
        for function, stable in (
            (f.value, [VALUES[base][i](z, parameter, machine.step, compute) for i in values]),
            (f.derivative, [SLOPES[base][i](z, 0.0, parameter, machine.step, compute) for i in slopes]),
        ):
            budget = system.elementwise(function, system.lift([[z]]))[0][0]
            assert all(share(machine.stored(x), budget) <= 1 for x in stable)
    for seed in range(3):
        network, batch, chosen = wild_case(Random(seed), widest=4, deepest=3)
        network = Network(Layer(layer.weights, layer.biases, name) for layer in network.layers)
        chosen = loss("mse" if "entropy" in chosen.base else chosen)
        ways = product(values, slopes or (0,), SUMS[:3])
        panel = [implementation(Recipe(machine, total, value=i, slope=k)) for i, k, total in ways]
        for found in shares(network, batch, chosen, [each._replace(format=strict) for each in panel]):
            assert max(found.shares) <= 1, (seed, found.name)


def test_what_cancels_leaves_a_strict_budget_and_no_other() -> None:
    network, batch = Network([Layer([[20.0]], None, "sigmoid")]), Batch([[1.0]], [[0.0]])
    a = 1 / (1 + math.exp(-20.0))
    textbook, stable = a * a * (1 - a), a * math.exp(-20.0) / (1 + math.exp(-20.0)) ** 2
    for given, strict, verdict in (
        (textbook, False, "correct"),
        (textbook, True, "imprecise"),
        (stable, True, "correct"),
    ):
        report = judge(network, batch, {"weights": [[[given]]]}, "half_sse", strict=strict)
        assert report.verdict == verdict
    ((open, closed),) = (
        [
            judge(network, batch, {"weights": [[[stable]]]}, "half_sse", strict=on).tensors[0].open
            for on in (False, True)
        ],
    )
    assert (open, closed) == (0, 0)
    far = Network([Layer([[50.0]], None, "sigmoid")])
    slope = math.exp(-50.0)
    twice = {"weights": [[[2 * slope]]]}
    assert judge(far, batch, twice, "half_sse").tensors[0].open == 1
    assert judge(far, batch, twice, "half_sse").verdict == "undecided"
    assert judge(far, batch, twice, "half_sse", strict=True).verdict != "undecided"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
@pytest.mark.parametrize("name", LOSSES)
def test_every_formula_of_every_loss_stays_inside(name: str, machine: Machine) -> None:
    """On outputs that are given as they are, and after the activation that the loss is often computed through."""
    base, _ = named(name)
    chosen, random = loss(name), Random(f"{name} {machine.name}")
    fused = chosen.fusion.activation.name if chosen.fusion else "tanh"
    ways = [Recipe(machine, value=k, softmax=k, fused=fused, mean=mean) for k in range(3) for fused, mean in MEANS]
    for k in range(4):
        f = "sigmoid" if "entropy" in base and k % 2 else fused if k % 3 else "softmax"
        z = [machine.stored(random.choice([-1, 1]) * 2 ** random.uniform(-6, 5)) for _ in range(3)]
        network = Network([Layer([[float(i == j) for j in range(3)] for i in range(3)], None, f)])
        targets = [machine.stored(random.choice([0.0, 1.0, random.random()])) for _ in z]
        for found in value_shares(network, Batch([z], [targets]), chosen, list(map(implementation, ways))):
            assert max(found.shares) <= 1, (found.name, f, z, targets)


def test_the_printed_value_of_binary_cross_entropy_is_right_where_its_output_is_saturated() -> None:
    """log(1 − ŷ) loses what 1 − ŷ cancels: that is the formula, and no mistake."""
    network, batch, chosen = (
        Network([Layer([[1.0]], None, "sigmoid")]),
        Batch([[10.0]], [[0.0]]),
        "binary_cross_entropy",
    )
    printed = -math.log(1 - 1 / (1 + math.exp(-10.0)))
    assert judge(network, batch, {"loss": printed}, chosen).verdict == "correct"
    assert judge(network, batch, {"loss": 1.0001 * printed}, chosen).verdict == "wrong"


@pytest.mark.parametrize(
    "name",
    ["sigmoid", "tanh", "softplus", "elu(0.1)", "elu(50.0)", "elu(-3.0)", "silu", "gelu", "leaky_relu(0.01)"],
)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_formula_of_every_activation_stays_inside(machine: Machine, name: str) -> None:
    """At one exact z: the rule K u max(|f|, C) alone, with nothing around it that leaves it room."""
    random, system, f = Random(name), ball(machine.format), activation(name)
    assert isinstance(f, Elementwise)
    base, parameter = named(name)
    compute = machine.library(random)
    for _ in range(30):
        z = machine.stored(random.choice([-1, 1]) * 2 ** random.uniform(-12, 8))
        lifted = system.lift([[z]])
        value, slope = (system.elementwise(function, lifted)[0][0] for function in (f.value, f.derivative))
        for formula in VALUES[base]:
            a = machine.stored(formula(z, parameter, machine.step, compute))
            assert share(a, value) <= 1
            for other in SLOPES[base]:
                assert share(machine.stored(other(z, a, parameter, machine.step, compute)), slope) <= 1


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_cross_entropy_of_softmax_may_be_computed_without_the_closed_form(machine: Machine) -> None:
    """a (e − Σ e a) with e = −y/a has four roundings where a − y has one: here all of them in one direction."""
    random, member = Random(3), implementation(Recipe(machine, fused=False))
    for _ in range(40):
        x, y = (machine.stored(1 + random.random() / 100) for _ in range(2))
        w = machine.stored(-math.log(2) * random.uniform(1, 12 if machine.format is BINARY16 else 24) / x)
        network, batch = Network([Layer([[w], [0.0]], None, "softmax")]), Batch([[x]], [[y, 0.0]])
        (found,) = shares(network, batch, loss("cross_entropy/sum"), [member])
        assert max(found.shares) <= 1


@pytest.mark.parametrize(
    ("weights", "x", "machine"),
    [
        ([8159.49560546875, 8153.05078125], 1.0140018463134766, "binary32"),
        ([6550.38623046875, 6544.4609375], 1.2573645114898682, "binary32 flushing"),
        ([6678.695491367799, 6672.15316486411], 1.231431644183462, "binary64"),
        ([952.2245620990003, 948.6286014936613], 1.0852581766280889, "binary64"),
    ],
)
def test_a_softmax_of_large_arguments_may_go_through_the_logarithm_of_its_sum(
    weights: list[float], x: float, machine: str
) -> None:
    """z − (m + log Σ) rounds at the size of m, not of z − m; these were outside once."""
    for member in MACHINES:
        if member.name == machine:
            network = Network([Layer([[w] for w in weights], None, "softmax")])
            recipe = implementation(Recipe(member, softmax=3))
            (found,) = shares(network, Batch([[x]], [[1.0, 0.0]]), loss("cross_entropy/sum"), [recipe])
            assert max(found.shares) <= 1


def test_the_panel_is_as_various_as_it_should_be() -> None:
    assert {member.format.name for member in PANEL} == set(FORMATS)
    assert len({member.name for member in PANEL}) == len(PANEL) == len(MACHINES) * len(WAYS)
    case = wild_case(Random(2), widest=5, deepest=4)
    of_binary64 = [found for found in shares(*case) if found.format is BINARY64]
    assert len({tuple(found.shares) for found in of_binary64}) > len(of_binary64) / 2


def test_the_panel_rounds_as_the_formats_say() -> None:
    random = Random(1)
    for format, rounded in [
        *((format, rounding(format)) for format in (BINARY64, BINARY32, BFLOAT16, BINARY16)),
        *((machine.format, machine.stored) for machine in MACHINES if "rounded" not in machine.name),
    ]:
        for _ in range(200):
            mantissa = random.choice([-1, 1]) * random.choice([1 + random.random(), 1.00390625, 1.5])
            x = math.ldexp(mantissa, random.randint(-150, 130))
            if abs(x) >= format.smallest_normal:  # below, one of the machines flushes
                assert rounded(x) == rounds_to(x, format)


# Wrong, hence outside.


@pytest.mark.parametrize("format", [BINARY64, BINARY32], ids=lambda format: format.name)
def test_an_entry_off_by_ten_times_its_resolution_is_outside(format: object) -> None:
    machine = next(machine for machine in MACHINES if machine.format is format)
    decided = 0
    for seed in range(20):
        case = wild_case(Random(seed), widest=5, deepest=3)
        budgets = backpropagation(*case, ball(machine.format)).parameters()
        found = Recipe(machine)(*case)
        for x, budget in zip(found, budgets, strict=True):
            off = 10 * budget.radius
            if off < abs(x):
                decided += 1
                assert share(x + off, budget) > 1 and share(x - off, budget) > 1
    assert decided > 100


def ordinary_cases(seed: str) -> Iterator[Exercise]:
    """Well scaled cases in which most bugs can show: several samples, hidden layers, often square weights."""
    random = Random(seed)
    while True:
        depth, samples = random.randint(2, 3), random.randint(2, 4)
        chosen = loss(random.choice(["sse", "half_sse", "huber(1.0)", "cross_entropy", "binary_cross_entropy"]))
        chosen = chosen.reduced(random.choice(["samples", "outputs", "entries"]))
        names = random.choices(["sigmoid", "tanh", "relu", "softplus", "silu", "gelu", "elu(0.5)", "softmax"], k=depth)
        if "entropy" in chosen.base:
            names[-1] = random.choice(["sigmoid", "softmax"])
        sizes = [random.choice([2, 3, 3]) for _ in range(depth + 1)]
        yield Exercise(
            Network(
                Layer(
                    [[random.gauss(0, 1) for _ in range(n_in)] for _ in range(n_out)],
                    [random.gauss(0, 1) for _ in range(n_out)],
                    name,
                )
                for n_in, n_out, name in zip(sizes, sizes[1:], names)
            ),
            Batch(
                [[random.gauss(0, 1) for _ in range(sizes[0])] for _ in range(samples)],
                [[random.random() for _ in range(sizes[-1])] for _ in range(samples)],
            ),
            chosen,
        )


def is_square(layer: Layer) -> bool:
    return len(layer.weights) == len(layer.weights[0])


def names(case: Exercise) -> list[str]:
    return [layer.activation.name for layer in case.network.layers]


# Where a bug is none, so that the case is not drawn.
CANNOT_SHOW: dict[str, Callable[[Exercise], bool]] = {
    "the loss is taken for sse": lambda case: case.loss == loss("sse"),
    "every reduction is a sum": lambda case: case.loss.divisor(len(case.batch.inputs), case.network.sizes[-1]) == 1,
    "σ′ is z (1 − z)": lambda case: "sigmoid" not in names(case),
    "f′ is taken at a": lambda case: set(names(case)[:-1]) == {"relu"},  # a > 0 where z > 0
    "softmax has a diagonal Jacobian": lambda case: "softmax" not in names(case),
    "square weights are not transposed": lambda case: not any(map(is_square, case.network.layers[1:])),
    "square gradients are transposed": lambda case: not any(map(is_square, case.network.layers)),
}


def understood(bug: str, case: Exercise) -> bool:
    """A layer of relu may be dead, or alive for one sample alone, or throughout, so that f′ = 1; for pairs see below."""
    pairs = bug == "square weights are not transposed" and names(case).count("softmax") == 2 and 2 in case.network.sizes
    return "relu" in names(case) or pairs


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_outside_on_nine_random_cases_of_ten(bug: str) -> None:
    wrong, _ = BUGS[bug]
    showing = (case for case in ordinary_cases(bug) if bug not in CANNOT_SHOW or not CANNOT_SHOW[bug](case))
    missed = [case for case in islice(showing, 20) if inside(wrong, case)]
    assert len(missed) <= 2
    assert all(understood(bug, case) for case in missed)


def inside(backpropagation_: Backpropagation, case: Exercise) -> bool:
    budgets = backpropagation(*case, ball(BINARY64)).parameters()
    return all(share(x, budget) <= 1 for x, budget in zip(backpropagation_(*case).parameters(), budgets, strict=True))


def test_a_bug_that_multiplies_by_one_is_none() -> None:
    wrong, _ = BUGS["f′ is missing at the hidden layers"]
    for name, expected in (("relu", True), ("softplus", False)):
        network = Network([Layer([[1.0], [0.5]], [0.0, 1.0], name), Layer([[1.0, -2.0]], None, "identity")])
        assert inside(wrong, Exercise(network, Batch([[0.5]], [[0.3]]), loss("mse"))) == expected


def test_between_two_pairs_of_softmax_weights_may_be_transposed() -> None:
    """Of e = Wᵀδ only e₁ − e₂ counts, and with δ = (d, −d) that is (w₁₁ − w₂₁ − w₁₂ + w₂₂) d, of W and of Wᵀ."""
    wrong, _ = BUGS["square weights are not transposed"]
    for name, expected in (("softmax", True), ("sigmoid", False)):
        network = Network([Layer([[1.0], [0.5]], None, name), Layer([[1.0, -2.0], [0.5, 0.25]], None, "softmax")])
        assert inside(wrong, Exercise(network, Batch([[0.5]], [[0.25, 0.75]]), loss("cross_entropy"))) == expected


def test_a_formula_that_cancels_is_imprecise_where_stable_ones_are_claimed_and_no_other_mistake() -> None:
    network, batch, a = Network([Layer([[30.0]], None, "sigmoid")]), Batch([[1.0]], [[0.0]]), 1 / (1 + math.exp(-30.0))
    report = judge(network, batch, {"weights": [[[2 * a * a * (1 - a)]]]}, "sse", strict=True)
    assert (report.verdict, report.explanations) == ("imprecise", ()) and "for formulas that cancel" in report.notes[0]
