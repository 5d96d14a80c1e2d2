"""The ladder: built-in cases, simplest first, for whatever architecture a candidate has declared.

Numbers are short dyadic fractions, exact in every format and every parser, but for one case that has as many digits as
the format, on which rounded inputs show. Weights are neither tiny nor alike, for a mistake vanishes near W = 0 and hides
in symmetry; some layers are square, for a transposed matrix shows only there. The last cases ask for more than is usual,
and who does not answer them is told so, and not called wrong (`BEYOND`).

>>> rung = ladder(["sigmoid", "sigmoid"])[0]
>>> rung.name, rung.network.sizes, rung.batch
('one sample', (2, 3, 1), Batch(inputs=((-1.375, -0.125),), targets=((0.75,),)))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise, repeat
from math import floor, log
from random import Random

from purebp.number_systems.formats import BINARY64, Format, format_named, rounds_to
from purebp.oracle.special_networks import at_kink, at_kinks, reaching, saturated
from purebp.textbook import losses
from purebp.textbook.activations import Activation, Elementwise, activation
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import backpropagation, forward
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Layer, Network


@dataclass(frozen=True, slots=True)
class Case:
    """A network and a batch, on which a candidate is asked for gradients."""

    name: str
    network: Network
    batch: Batch
    beyond: str = ""  # in what it asks for more than is usual: a key of `BEYOND`
    further: bool = False  # it is judged where the others have been answered rightly
    long: bool = False  # its numbers have all digits of the format, and may be read with an error of one roundoff

    @property
    def id(self) -> str:
        """The name as one word: "one-sample"."""
        return "-".join(re.findall(r"\w+", self.name.lower()))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The widths of the network, inputs first."""
        return self.network.sizes

    @property
    def samples(self) -> int:
        """Rows of the batch."""
        return len(self.batch.inputs)

    @property
    def largest_z(self) -> float:
        """The largest |z| of its forward pass."""
        passes = forward(self.network, self.batch.inputs).pre_activations
        return max(abs(z) for rows in passes for row in rows for z in row)

    def told(self, why: str, format: Format) -> str:
        """What is said where what it asks for beyond what is usual was not answered, because of `why`."""
        return BEYOND[self.beyond].format(
            z=self.largest_z, told=why, overflow=floor(log(format.largest)), saturation=format.precision * log(2)
        )


@dataclass(frozen=True, slots=True)
class Rung:
    """What a case of the ladder looks like, for any depth: inputs, hidden widths in turn, outputs; and its numbers."""

    name: str
    n_in: int
    hidden: tuple[int, ...]
    n_out: int
    samples: int
    unit: int = 16  # numbers are whole multiples of 1/unit; with 0 they have all digits of the format
    special: str = ""
    reach: float = 0.0  # of the largest |z|, where numbers are large


RUNGS = (
    Rung("one sample", 2, (3, 2), 1, 1, 8),
    Rung("two samples", 2, (3, 2), 1, 2, 8),
    Rung("several outputs", 3, (2, 4), 2, 3),
    Rung("square layers", 2, (2,), 2, 3),
    Rung("wider square layers", 3, (3,), 3, 2),
    Rung("one sample, wider", 4, (5, 3), 2, 1),
    Rung("zeros", 3, (2, 3), 2, 2, 8, "zeros"),
    Rung("one neuron per layer", 1, (1,), 1, 3),
    Rung("a saturated neuron", 2, (3, 2), 2, 2, 8, "saturated"),
    Rung("a kink", 2, (3, 2), 2, 2, 4, "kink"),
    Rung("as many samples as neurons", 4, (4,), 4, 4),
    Rung("wide", 5, (7, 6), 3, 6),
)
INPUTS = ("real", "whole", "binary")
TARGETS = ("real", "one_hot", "labels", "binary")
LARGEST_WHOLE = 4  # of inputs: sigmoids of larger ones are saturated
MANY = 17  # samples: more than loops are unrolled by
LITTLE = 2.0**-12
MOVED = Rung("one sample, moved by little", 2, (3, 2), 1, 1, 8)
MORE = (  # what short, small and few numbers do not show
    Rung("full-length numbers", 3, (4,), 2, 3, 0),
    MOVED,
    Rung("a kink in every layer", 3, (4, 3), 2, 3, 4, "kinks"),
    Rung("many samples, many neurons", 18, (19,), 3, MANY, special="twice"),
    Rung("large numbers", 2, (3, 2), 2, 3, 8, "large", 40.0),
    Rung("larger numbers", 2, (3, 2), 2, 2, 8, "large", 800.0),
    Rung("whole numbers", 3, (2,), 2, 2, 1, "integers"),
    Rung("soft targets", 3, (2,), 3, 2, special="soft"),
)
MOST_SLOW = 20_000  # products of a sample with a layer, beyond which a declared size is not asked for with many samples
BEYOND = {  # what is said where there is no answer, or of soft targets no right one, and all else is right
    "large": "Where |z| is {z:.0f} it gives no number: {told} (e^z overflows beyond z = {overflow}, and 1 − σ(z) is 0 "
    "beyond z = {saturation:.0f}). That is not held against it.",
    "integers": "Where whole numbers come as integers it gives no number: {told}. Make floats of what is given. That is "
    "not held against it.",
    "soft": "It is right where targets are 0 or 1, and not between. That is not held against it.",
}
MOST_NUMBERS = 1_000_000  # in a network and its batch
DEEP = Rung("deep", 2, (3, 2, 4, 3), 2, 2)
ANY_DEPTH = 5  # of the deep chain
DEEPER = Rung("nine layers", 2, (3, 2), 2, 2)
DEEPEST = 9


def ladder(
    activations: Sequence[str | Activation] | Activation | str,
    *,
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool | Sequence[bool] = True,
    batch: int | None = None,
    seed: int = 0,
    format: Format | str = BINARY64,
    outputs: int | None = None,
    inputs: str | None = None,
    targets: str | None = None,
    most: int | None = None,
) -> tuple[Case, ...]:
    """The cases for an architecture: one activation per layer, or a single one for networks of any depth.

    `sizes` are the widths, inputs first, `outputs` is the last of them, and `batch` the number of samples, where they
    are fixed. `inputs` and `targets` say which numbers are taken: one of `INPUTS` and of `TARGETS`. Long numbers are
    those of the format. `most`: no more cases than that.
    """
    chosen = wanted(activations, loss, sizes, biases, batch, format, outputs, inputs, targets)
    cases: list[Case] = []
    for n, (rung, names) in enumerate(islice(rungs_of(chosen), most)):
        cases.append(_moved(cases[0]) if rung is MOVED else _case(rung, names, chosen, seed + n))
    return tuple(kept(case, chosen.format) for case in cases)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What holds for all cases of an architecture: what is declared of it, and whether networks may have any depth."""

    names: tuple[Activation, ...]
    any_depth: bool
    loss: Loss
    sizes: Sequence[int] | None
    biases: bool | Sequence[bool]
    batch: int | None
    format: Format
    outputs: int | None = None
    inputs: str | None = None
    targets: str | None = None

    @property
    def classes(self) -> bool:
        """Whether targets are of classes, a single 1 in each sample, of which there are two at least."""
        return self.names[-1].distribution or (self.targets or self.loss.targets) in ("one_hot", "labels")


def wanted(
    activations: Sequence[str | Activation] | Activation | str,
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool | Sequence[bool] = True,
    batch: int | None = None,
    format: Format | str = BINARY64,
    outputs: int | None = None,
    inputs: str | None = None,
    targets: str | None = None,
) -> Wanted:
    """What is wanted of cases, if it can be: one activation per layer, or a single one, which stands for two layers here.

    Where widths are given, they decide how many layers a single activation is that of.

    >>> wanted("tanh").any_depth, wanted("tanh", sizes=[2, 3, 1]).any_depth, wanted(["tanh"]).names[0].name
    (True, False, 'tanh')
    >>> len(wanted("tanh", sizes=[3, 3]).names), len(wanted("tanh", sizes=[3, 2, 2, 3]).names)
    (1, 3)
    """
    single = isinstance(activations, (str, Activation))
    depth = 2 if sizes is None else len(sizes) - 1
    names = tuple(map(activation, [activations] * depth if isinstance(activations, (str, Activation)) else activations))
    if not names:
        raise PurebpError("no activations: give one for each layer")
    _check_sizes(sizes, len(names), batch)
    chosen = default_loss(names, loss)
    held = Wanted(
        names, single and sizes is None, chosen, sizes, biases, batch, format_named(format), outputs, inputs, targets
    )
    last = outputs or (sizes[-1] if sizes else None)
    if sizes and outputs not in (None, sizes[-1]):
        raise PurebpError(
            f"sizes {tuple(sizes)} end with {sizes[-1]}, and {outputs} outputs are declared: declare one of both"
        )
    if held.targets in ("one_hot", "labels") and last == 1:
        raise PurebpError("one output, and classes as targets: they have an output each, two at least")
    return held


def kept(case: Case, format: Format) -> Case:
    """The case with numbers of what results are stored in, which are read exactly; where that is another format."""
    if format.kept is None:
        return case
    read = partial(rounds_to, format=format.kept)
    network = case.network.with_parameters(map(read, case.network.parameters()))
    inputs, targets = ([list(map(read, row)) for row in rows] for rows in (case.batch.inputs, case.batch.targets))
    return replace(case, network=network, batch=Batch(inputs, targets), long=False)


def _check_sizes(sizes: Sequence[int] | None, layers: int, batch: int | None) -> None:
    if sizes is not None and len(sizes) != layers + 1:
        raise PurebpError(
            f"sizes {tuple(sizes)} are {len(sizes)} widths, and there are {layers} activations: "
            "give one width more than layers"
        )
    if batch is not None and batch < 1:
        raise PurebpError(f"a batch of {batch} samples: at least one is wanted")
    widths, samples = tuple(sizes or ()), batch or 1
    numbers = sum(a * b for a, b in pairwise(widths)) + samples * sum(widths or (16,))
    if numbers > MOST_NUMBERS:
        raise PurebpError(
            f"sizes {widths} with {samples} samples are {numbers:,} numbers: {MOST_NUMBERS:,} can be checked"
        )


def rungs_of(wanted: Wanted) -> Iterator[tuple[Rung, Sequence[Activation]]]:
    """Those that the architecture can have, each with its activations; where depth is free, at several depths."""
    names = wanted.names
    kinks = any(f.kinks for f in names)
    yield from ((rung, names) for rung in RUNGS if rung.special != "kink" or kinks)
    if wanted.any_depth:
        yield from [(DEEP, names[:1] * ANY_DEPTH), (RUNGS[2], names[:1]), (RUNGS[3], names[:1] * 3)]
        yield DEEPER, names[:1] * DEEPEST
    products = (wanted.batch or MANY) * sum(a * b for a, b in pairwise(wanted.sizes or ()))
    left_out = {
        "kinks": not kinks and not all(map(_piecewise_linear, names)),
        "twice": products > MOST_SLOW,
        "soft": wanted.loss.targets == "real" or wanted.targets not in (None, "real"),
        "large": wanted.inputs not in (None, "real"),
    }
    more = MORE if wanted.inputs in (None, "real") else [rung for rung in MORE if rung is not MOVED]
    yield from ((rung, names) for rung in more if not left_out.get(rung.special))


def asked_first(wanted: Wanted, n_in: int = 0, hidden: int = 0, outputs: int = 0, samples: int = 0) -> Case:
    """The simplest case, or one with so many more inputs, neurons in each hidden layer, outputs, or samples.

    >>> asked_first(wanted("tanh")).sizes, asked_first(wanted("tanh"), n_in=1, hidden=1).sizes
    ((2, 3, 1), (3, 4, 1))
    """
    first, *inner, last = widths_of(RUNGS[0], wanted.names, wanted)
    sizes = (first + n_in, *(n + hidden for n in inner), last + outputs)
    held = replace(wanted, sizes=sizes, batch=(wanted.batch or 1) + samples)
    more = [
        f"{n} more {of}"
        for n, of in zip((n_in, hidden, outputs, samples), ("inputs", "neurons", "outputs", "samples"))
        if n
    ]
    return replace(_case(RUNGS[0], wanted.names, held, 0), name=", ".join(["one sample", *more]))


def _moved(first: Case) -> Case:
    """The first case, with inputs so near to what they were there that rounded ones are the same."""
    inputs = [[x + LITTLE for x in row] for row in first.batch.inputs]
    return replace(first, name=MOVED.name, batch=Batch(inputs, first.batch.targets), further=True)


def _case(rung: Rung, names: Sequence[Activation], wanted: Wanted, seed: int) -> Case:
    """Of some draws, the one with the fewest zeros in its gradient: dead neurons show nothing."""
    widths = widths_of(rung, names, wanted)

    def draws() -> Iterator[tuple[int, Case]]:
        for draw in range(40):
            case = drawn(rung, names, replace(wanted, sizes=widths), Random(f"{seed} {draw}"))
            gradient = backpropagation(case.network, case.batch, wanted.loss).parameters()
            dull = sum(x == 0.0 for x in gradient) + _one_sided(case)
            yield dull, case
            if not dull:
                return

    return min(draws(), key=lambda found: found[0])[1]  # the first of those with the fewest


def widths_of(rung: Rung, names: Sequence[Activation], wanted: Wanted) -> tuple[int, ...]:
    """Those that are declared, or else those of the rung."""
    if wanted.sizes is not None:
        return tuple(wanted.sizes)
    hidden = (rung.hidden * len(names))[: len(names) - 1]
    return (rung.n_in, *hidden, wanted.outputs or max(rung.n_out, 2 if wanted.classes else 1))


def with_biases_in(layers: Sequence[bool], case: Case) -> Case:
    """The case with biases in these layers alone.

    >>> case = ladder(["tanh", "identity"])[0]
    >>> [layer.biases for layer in with_biases_in([False, True], case).network.layers]
    [None, (0.125,)]
    """
    pairs = zip(case.network.layers, layers, strict=True)
    kept = [Layer(layer.weights, layer.biases if has else None, layer.activation) for layer, has in pairs]
    return replace(case, network=Network(kept))


def _one_sided(case: Case) -> int:
    """How many layers have kinks, and in a batch only pre-activations above them."""
    if case.samples < 2:
        return 0
    passes = zip(case.network.layers, forward(case.network, case.batch.inputs).pre_activations)
    return sum(all(x > kink for row in z for x in row) for layer, z in passes for kink in layer.activation.kinks)


def default_loss(names: Sequence[Activation], loss: Loss | str | None = None) -> Loss:
    """The loss that was declared; cross_entropy after softmax, and else mse, where none was."""
    return losses.loss("cross_entropy" if loss is None and names[-1].distribution else loss or "mse")


def drawn(rung: Rung, names: Sequence[Activation], wanted: Wanted, random: Random) -> Case:
    sizes, samples = wanted.sizes or (), wanted.batch or rung.samples
    unit, pool = rung.unit, dict[float, list[float]]()

    def number(largest: float) -> float:
        """Not 0, of either sign, and no magnitude twice before all have been drawn."""
        if not unit:
            return random.choice((-1, 1)) * rounds_to(random.uniform(largest / 8, largest), wanted.format.of_numbers)
        if unit == 1:
            largest = 2
        if not pool.get(largest):
            pool[largest] = [k / unit for k in range(1, int(largest * unit) + 1)]
            random.shuffle(pool[largest])
        return random.choice((-1, 1)) * pool[largest].pop()

    layers = []
    has_biases = repeat(wanted.biases) if isinstance(wanted.biases, bool) else wanted.biases
    for (n_in, n_out), f, has in zip(pairwise(sizes), names, has_biases):
        scale = 1.5 if n_in < 4 else 1.0
        weights = [[number(scale) for _ in range(n_in)] for _ in range(n_out)]
        offsets = [number(0.75) for _ in range(n_out)] if has else None
        if rung.special == "zeros" and n_out > 1:
            weights[-1][0] = 0.0
        layers.append(Layer(weights, offsets, f))
    largest = {"whole": LARGEST_WHOLE, "binary": 1}.get(wanted.inputs or "")

    def taken() -> float:
        return number(1.5) if largest is None else float(random.randint(0, largest))

    inputs = [[taken() for _ in range(sizes[0])] for _ in range(samples)]
    if wanted.inputs == "whole":
        inputs[0][0] = float(random.randint(2, LARGEST_WHOLE))  # which no bit is
    if rung.special == "zeros":
        inputs[0][-1] = 0.0
    network = Network(layers)
    if rung.special == "kink":
        network = at_kink(network, inputs[0])
    if rung.special == "kinks":
        network = at_kinks(network, inputs[0])
    if rung.special == "saturated":
        network = saturated(network, inputs)
    if rung.special == "large":
        network = reaching(network, inputs, rung.reach)
    targets = _targets(rung, wanted, samples, sizes[-1], number, random)
    free = not wanted.classes and wanted.targets != "binary"
    if rung.special == "kinks" and free and all(map(_piecewise_linear, names)):
        targets[0] = list(forward(network, inputs[:1]).outputs[0])
    if rung.special == "twice" and samples > 3:
        inputs[-1], targets[-1] = list(inputs[3]), list(targets[3])
    beyond = rung.special if rung.special in BEYOND else ""
    return Case(rung.name, network, Batch(inputs, targets), beyond, rung in (*MORE, DEEPER), not unit)


def _targets(
    rung: Rung, wanted: Wanted, samples: int, outputs: int, number: Callable[[float], float], random: Random
) -> list[list[float]]:
    """What suits the loss: a single 1 in each sample, 0 or 1, or any numbers; soft ones between 0 and 1 add up to 1."""
    kind = wanted.targets or wanted.loss.targets
    if rung.special == "soft":
        if wanted.classes:
            whole = max(16, 2 << outputs.bit_length())  # parts, of which each output gets one at least
            cuts = ([0, *sorted(random.sample(range(1, whole), outputs - 1)), whole] for _ in range(samples))
            return [[(b - a) / whole for a, b in pairwise(row)] for row in cuts]
        return [[random.randint(1, 15) / 16 for _ in range(outputs)] for _ in range(samples)]
    if wanted.classes:
        classes = [random.randrange(outputs) for _ in range(samples)]
        return [[float(j == c) for j in range(outputs)] for c in classes]
    if kind == "binary":
        return [[float(random.randint(0, 1)) for _ in range(outputs)] for _ in range(samples)]
    if rung in MORE or not rung.unit:
        return [[number(1.5) for _ in range(outputs)] for _ in range(samples)]
    return [[random.randint(0, rung.unit) / rung.unit for _ in range(outputs)] for _ in range(samples)]


def _piecewise_linear(f: Activation) -> bool:
    """Whether outputs are exact where inputs are short."""
    bounds = f.value.bounds if isinstance(f, Elementwise) else None
    return bounds is not None and bounds.slope is None and not bounds.formulas
