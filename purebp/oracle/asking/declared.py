"""What a candidate declares: a row for each declaration, with which Python, the command line, files and programs read it.

>>> declared = Declared("relu", loss="half_sse", biases=False)
>>> [f.name for f in declared.per_layer(2)], declared.loss.name, declared.format.name
(['relu', 'relu'], 'half_sse', 'binary64')
>>> declaration("sizes", "2,3,1"), option("sizes", (2, 3, 1))
((2, 3, 1), ['--sizes', '2,3,1'])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from importlib import import_module
from numbers import Integral
from typing import TYPE_CHECKING, Any

from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BINARY32, BINARY64, FORMATS, Format, format_named, stored_once
from purebp.oracle.answer import Key
from purebp.oracle.asking.penalty import Penalty
from purebp.oracle.asking.penalty import read as penalty
from purebp.oracle.cases import INPUTS, TARGETS, Case, Wanted, ladder, wanted
from purebp.textbook import own_activations
from purebp.textbook.activations import Activation, activation
from purebp.textbook.arithmetic import FLOAT, Matrix, PurebpError
from purebp.textbook.linalg import transpose
from purebp.textbook.losses import Loss, loss

DOES, CALLED = "what the candidate does", "how it wants to be called"
LARGEST = 10**9  # of a count
ANY_DEPTH = "..."


@dataclass(frozen=True, slots=True)
class Declaration:
    """A row: what --help says, and how a text, or a value of Python, is read; a `PurebpError` if it cannot be."""

    group: str
    help: str
    read: Callable[[Any], Any] = str
    metavar: str | None = None
    several: bool = False  # on the command line: words between commas
    choices: tuple[Any, ...] = ()
    flags: Mapping[Any, tuple[str, str]] = field(default_factory=dict)  # of a value: an option of its own, and its help


def _activations(given: Any) -> tuple[Activation, ...] | Activation:
    """One for each layer; a single one, or a name followed by dots, is for networks of any depth."""
    if isinstance(given, Activation):
        return given
    if isinstance(given, str):
        head, *others = (name.strip() for name in given.split(","))
        return activation(head) if others in ([], [ANY_DEPTH]) else tuple(map(activation, [head, *others]))
    names = list(given) if isinstance(given, Iterable) else [given]
    if names[1:] == [ANY_DEPTH]:
        return _of_one(names[0])
    return tuple(map(_of_one, names))


def _of_one(given: Any) -> Activation:
    """The activation of a layer; one of its own is tried, so that what cannot be enclosed is said at once."""
    found = own_activations.read(given)
    if not isinstance(given, (str, Activation)):
        for z in (-0.5, 0.5):
            for system in (FLOAT, ball("binary64")):
                rows: Any = system.lift([[z]])
                found.backward(rows, rows, found.apply(rows, system), system)
    return found


def _count(given: Any) -> int:
    try:
        number = int(given) if isinstance(given, (str, Integral)) else 0
    except ValueError:
        number = 0
    if not 1 <= number <= LARGEST:
        raise PurebpError(f"{given!r:.40} is not a whole number above 0" + (", or too large" if number > 1 else ""))
    return number


def _sizes(given: Any) -> tuple[int, ...]:
    widths = given.split(",") if isinstance(given, str) else [given] if isinstance(given, Integral) else given
    try:
        sizes = tuple(map(_count, widths))
        if len(sizes) < 2:
            raise PurebpError("at least two widths are wanted")
        return sizes
    except (PurebpError, TypeError) as error:
        raise PurebpError(f"{error}: whole numbers above 0 are wanted, the inputs first, such as 2,3,1") from None


def _batch(given: Any) -> int:
    try:
        return _count(given)
    except PurebpError as error:
        raise PurebpError(f"{error}: a number of samples is wanted, at least one") from None


def _outputs(given: Any) -> int:
    try:
        return _count(given)
    except PurebpError as error:
        raise PurebpError(f"{error}: a number of outputs is wanted, at least one") from None


def _rate(given: Any) -> float:
    try:
        rate = float(given)
    except (TypeError, ValueError, OverflowError):
        rate = 0.0
    if not 1e-30 <= rate <= 1e30:
        raise PurebpError(f"{given!r:.40} is no learning rate: a positive number is wanted, from 1e-30 to 1e30")
    return rate


def _momentum(given: Any) -> float:
    try:
        momentum = float(given)
    except (TypeError, ValueError, OverflowError):
        momentum = 0.0
    if not 0 < momentum < 1:
        raise PurebpError(f"{given!r:.40} is no momentum: a number between 0 and 1 is wanted, such as 0.9")
    return momentum


def _format(given: Any) -> Format:
    return format_named(given if isinstance(given, Format) else str(given))


def _biases(given: Any) -> bool | str | tuple[bool | str, ...]:
    """Whether all layers have biases, or for each layer whether it has."""
    if isinstance(given, str) and "," in given:
        given = given.split(",")
    if isinstance(given, (list, tuple)) and given:
        each = tuple(map(_of_layer, given))
        return each if len(set(each)) > 1 else each[0]
    return _of_layer(given)


def _of_layer(given: Any) -> bool | str:
    words: dict[Any, bool] = {"yes": True, "true": True, "no": False, "false": False}
    biases: bool | str = words.get(given.strip(), given.strip()) if isinstance(given, str) else given
    if biases not in (True, False, "columns"):
        raise PurebpError(
            f'{given!r:.40} is none of True, False and "columns", and no list of them, one for each layer'
        )
    return biases if isinstance(biases, str) else bool(biases)


def _strict(given: Any) -> bool:
    if given not in (True, False):
        raise PurebpError(f"{given!r:.40} is neither True nor False")
    return bool(given)


DECLARATIONS = {
    "activations": Declaration(
        DOES,
        "one per layer, such as sigmoid,sigmoid or leaky_relu(0.01),softmax; relu,... for any depth",
        _activations,
        "NAME,NAME",
        several=True,
    ),
    "loss": Declaration(
        DOES, "mse, half_mse, sse, half_sse, mae, huber(1.0), cross_entropy, binary_cross_entropy", loss, "NAME"
    ),
    "returns": Declaration(
        DOES,
        "the gradients; descent: their negatives, to be added; step: updated weights; change: those less the weights",
        choices=("gradients", "descent", "step", "change"),
    ),
    "learning_rate": Declaration(DOES, "of the step", _rate, "X"),
    "momentum": Declaration(DOES, "of the step, which begins from rest in every call", _momentum, "X"),
    "penalty": Declaration(
        DOES,
        "λ w is added to the gradient of the weights: 0.01, or 0.01/n; 0.01,all: to that of the biases too",
        penalty,
        "X",
    ),
    "sizes": Declaration(CALLED, "the widths, inputs first, if they are fixed", _sizes, "N,N,N", several=True),
    "biases": Declaration(
        CALLED,
        "whether the layers have biases; yes,no: for each layer",
        _biases,
        "YES,NO",
        choices=(True, False, "columns"),
        flags={"columns": ("--bias-columns", "biases as n × 1 matrices")},
    ),
    "outputs": Declaration(CALLED, "how many outputs, if that alone is fixed", _outputs, "N"),
    "batch": Declaration(CALLED, "how many samples, if that is fixed", _batch, "N"),
    "inputs": Declaration(CALLED, "which numbers it takes for inputs (default: real)", choices=INPUTS),
    "targets": Declaration(
        CALLED,
        "which targets it takes; labels: the numbers of the classes, from 0 on (default: what suits the loss)",
        choices=TARGETS,
    ),
    "weights": Declaration(CALLED, "out_in: row j feeds neuron j; in_out: column j does", choices=("out_in", "in_out")),
    "samples": Declaration(CALLED, "vector: one sample, as a plain list", choices=("rows", "columns", "vector")),
    "arrays": Declaration(CALLED, "instead of lists", choices=("numpy", "torch", "jax")),
    "format": Declaration(CALLED, "in which it computes (default: binary64)", _format, choices=tuple(FORMATS)),
    "stored": Declaration(
        CALLED,
        "in a narrow format: each result once, computed in binary32 inside; or all on the way too",
        choices=("once", "every-step"),
    ),
    "strict": Declaration(
        CALLED, "it claims formulas that do not cancel, as 1 − a² does: hold it to them", _strict, choices=(True, False)
    ),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a candidate does and how it wants to be called; None is left open.

    Activations, loss and format may be given by their names. A single activation is that of networks of any depth, or
    of every layer of those whose widths are given.
    """

    activations: tuple[Activation, ...] | Activation | None = None
    loss: Loss | None = None
    sizes: tuple[int, ...] | None = None
    biases: bool | str | tuple[bool | str, ...] = True  # "columns": each as a matrix of one column
    batch: int | None = None
    weights: str = "out_in"
    samples: str = "rows"
    returns: str | None = None
    learning_rate: float | None = None
    penalty: Penalty | None = None
    momentum: float | None = None
    format: Format = BINARY64
    arrays: str | None = None
    stored: str | None = None
    strict: bool = False
    outputs: int | None = None
    inputs: str | None = None
    targets: str | None = None

    if TYPE_CHECKING:  # what may be given; `__post_init__` makes of it what the fields hold

        def __init__(
            self,
            activations: Sequence[str | Activation] | Activation | str | None = ...,
            loss: Loss | str | None = ...,
            sizes: Sequence[int] | str | None = ...,
            biases: bool | str | Sequence[bool | str] = ...,
            batch: int | None = ...,
            weights: str = ...,
            samples: str = ...,
            returns: str | None = ...,
            learning_rate: float | None = ...,
            penalty: Penalty | float | str | None = ...,
            momentum: float | None = ...,
            format: Format | str = ...,
            arrays: str | None = ...,
            stored: str | None = ...,
            strict: bool = ...,
            outputs: int | None = ...,
            inputs: str | None = ...,
            targets: str | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        for each in fields(self):
            given, row = getattr(self, each.name), DECLARATIONS[each.name]
            if given is None and each.default is None:
                continue
            try:
                value = row.read(given)
            except PurebpError as error:
                raise PurebpError(f"{each.name}={given!r:.60}: {error}") from None
            if isinstance(value, str) and value not in row.choices:
                raise PurebpError(f"{each.name}={given!r:.60}: one of {', '.join(map(repr, row.choices))} is wanted")
            object.__setattr__(self, each.name, value)
        if isinstance(self.activations, Activation) and self.sizes:
            object.__setattr__(self, "activations", self.per_layer(len(self.sizes) - 1))
        if self.stored and self.format.of_numbers.precision >= BINARY32.precision:
            raise PurebpError(
                f"stored={self.stored!r} is for formats narrower than binary32, such as bfloat16, and not for {self.format.name}"
            )
        if self.stored == "once" and self.format.kept is None:
            object.__setattr__(self, "format", stored_once(self.format))
        if self.strict:
            object.__setattr__(self, "format", replace(self.format, strict=True))
        if self.momentum is not None and self.returns not in ("step", "change"):
            raise PurebpError('momentum is of a step: declare returns="step" and the learning_rate with it')
        if isinstance(self.biases, tuple) and self.activations is not None:
            layers = 0 if isinstance(self.activations, Activation) else len(self.activations)
            if layers != len(self.biases):
                raise PurebpError(
                    f"biases={self.biases!r:.60} are of {len(self.biases)} layers, and there are {layers or 'any number of'} "
                    "activations: give one for each layer"
                )
        if self.samples == "vector" and self.batch != 1:
            raise PurebpError('samples="vector" hands over a single sample: declare batch=1 with it')
        if self.returns in ("step", "change") and self.learning_rate is None:
            raise PurebpError(f'returns="{self.returns}" needs the learning_rate of the step')

    @property
    def damped_rate(self) -> float | None:
        """η (1 − μ), of a first step with v ← μ v + (1 − μ) g; with v ← μ v + g it is η."""
        rate, momentum = self.learning_rate, self.momentum
        return None if rate is None or momentum is None else rate * (1 - momentum)

    def per_layer(self, depth: int = 1) -> tuple[Activation, ...]:
        """The activations of a network of that depth; where one per layer is declared, those."""
        if self.activations is None:
            raise PurebpError("no activations are declared: give one for each layer")
        return (self.activations,) * depth if isinstance(self.activations, Activation) else self.activations

    @property
    def has_biases(self) -> bool | tuple[bool, ...]:
        """Whether the layers have biases, or which of them."""
        return tuple(map(bool, self.biases)) if isinstance(self.biases, tuple) else bool(self.biases)

    def ladder(self, seed: int = 0, most: int | None = None) -> tuple[Case, ...]:
        """The built-in cases for what is declared, or the first of them."""
        functions = (self.activations,) if isinstance(self.activations, Activation) else self.per_layer()
        return _ladder(tuple(self._architecture.items()), tuple(map(id, functions)), seed, most)

    @property
    def wanted(self) -> Wanted:
        """What holds for all cases for what is declared."""
        return wanted(**self._architecture)

    @property
    def _architecture(self) -> dict[str, Any]:
        any_depth = isinstance(self.activations, Activation)
        names = ("loss", "sizes", "batch", "format", "outputs", "inputs", "targets")
        held = {"activations": self.activations if any_depth else self.per_layer(), "biases": self.has_biases}
        return held | {name: getattr(self, name) for name in names}


@lru_cache(maxsize=256)  # the same cases are asked again, in another layout
def _ladder(
    architecture: tuple[tuple[str, Any], ...], functions: tuple[int, ...], seed: int, most: int | None
) -> tuple[Case, ...]:
    """Activations of one's own are equal if their names are: their identities tell them apart."""
    return ladder(**dict(architecture), seed=seed, most=most)


def declaration(name: str, given: Any) -> Any:
    """What a file, a program or the command line declares under that name; an error if it cannot be used.

    >>> declaration("activations", "tanh,identity")[1].name, declaration("learning_rate", "0.5")
    ('identity', 0.5)
    """
    if name not in DECLARATIONS:
        raise PurebpError(f"{name!r} is no declaration; known are {', '.join(DECLARATIONS)}")
    return DECLARATIONS[name].read(given)


def agreed(declared: Mapping[str, Any]) -> dict[str, Any]:
    """What was declared as `Declared` holds it, if nothing contradicts another; a vector is a single sample.

    >>> agreed({"samples": "vector"})
    {'batch': 1, 'samples': 'vector'}
    """
    whole = {"batch": 1, **declared} if declared.get("samples") == "vector" else dict(declared)
    held = Declared(**whole)
    return {name: getattr(held, name) for name in whole}


def option(name: str, value: Any) -> list[str]:
    """A declaration as on the command line.

    >>> option("activations", declaration("activations", "relu")), option("biases", False), option("learning_rate", 0.5)
    (['--activations', 'relu,...'], ['--no-biases'], ['--learning-rate', '0.5'])
    """
    row = DECLARATIONS.get(name)
    if value is None:
        return []
    if row and row.flags and value in row.flags:
        return [row.flags[value][0]]
    words = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{words}" if value else f"--no-{words}"]
    parts = (
        value if isinstance(value, (list, tuple)) else [value, ANY_DEPTH] if isinstance(value, Activation) else [value]
    )
    said = (("no", "yes")[part] if isinstance(part, bool) else str(getattr(part, "name", part)) for part in parts)
    return [f"--{words}", ",".join(said)]


def argument(name: str, value: Any) -> str:
    """A declaration as an argument of `purebp.oracle.check`.

    >>> argument("activations", (activation("tanh"), activation("identity"))), argument("biases", False)
    ("activations=('tanh', 'identity')", 'biases=False')
    """
    names = tuple(getattr(x, "name", x) for x in value) if isinstance(value, tuple) else getattr(value, "name", value)
    return f"{name}={names!r}"


def arguments(case: Case, declared: Declared) -> list[Any]:
    """weights, biases, inputs and targets in the layout and the arrays that were declared."""
    turn: Callable[[Matrix], list[list[float]]] = transpose if declared.weights == "in_out" else _rows
    weights = [turn(layer.weights) for layer in case.network.layers]
    column = "columns" in (declared.biases if isinstance(declared.biases, tuple) else (declared.biases,))
    biases = [
        None if layer.biases is None else [[b] for b in layer.biases] if column else list(layer.biases)
        for layer in case.network.layers
    ]
    layouts: dict[str, Callable[[Matrix], Any]] = {
        "rows": _rows,
        "columns": transpose,
        "vector": lambda rows: list(rows[0]),
    }
    layout = layouts[declared.samples]
    array = _whole if case.beyond == "integers" and declared.arrays is None else _array(declared)
    given = _integers(declared) if declared.inputs in ("whole", "binary") else array
    return [
        [array(w) for w in weights],
        None if not declared.biases else [None if b is None else array(b) for b in biases],
        given(layout(case.batch.inputs)),
        _integers(declared)(_labels(case, declared))
        if declared.targets == "labels"
        else array(layout(case.batch.targets)),
    ]


def _labels(case: Case, declared: Declared) -> Any:
    """The class of each sample; of a vector the one."""
    labels = [row.index(max(row)) for row in case.batch.targets]
    return labels[0] if declared.samples == "vector" else labels


def _integers(declared: Declared) -> Callable[[Any], Any]:
    """Whole numbers as integers, in the arrays that were declared."""
    library = _library(declared)
    make = getattr(library, "tensor" if declared.arrays == "torch" else "asarray", None)
    return lambda x: _whole(x) if make is None else make(_whole(x))


def biased_layers(claims: Sequence[Collection[Key]], cases: Sequence[Case]) -> tuple[bool, ...] | None:
    """In which layers a candidate has biases, if it gives those of some, and of others, which have them as well, never.

    >>> biased_layers([{("weights", 0), ("weights", 1), ("biases", 1)}], Declared(("tanh", "identity")).ladder()[:1])
    (False, True)
    """
    depths = {len(case.network.layers) for case in cases}
    given, whole = set[int](), set[int]()
    for claim, case in zip(claims, cases):
        whole |= {l for l, layer in enumerate(case.network.layers) if claim and layer.biases is not None}
        given |= {l for kind, l in claim if kind == "biases"}
    return tuple(l in given for l in range(*depths)) if len(depths) == 1 and given and given < whole else None


def _rows(rows: Matrix) -> list[list[float]]:
    return [list(row) for row in rows]


def _whole(x: Any) -> Any:
    """Whole numbers as integers."""
    return [_whole(each) for each in x] if isinstance(x, list) else int(x) if float(x).is_integer() else x


def _library(declared: Declared) -> Any:
    """The module of the arrays that were declared; None for lists."""
    if declared.arrays is None:
        return None
    module = {"jax": "jax.numpy"}.get(declared.arrays, declared.arrays)
    try:
        return import_module(module)  # an optional one, which is asked for by name
    except ImportError:
        raise PurebpError(f"arrays={declared.arrays!r}, but {declared.arrays} is not installed here") from None


def _array(declared: Declared) -> Callable[[Any], Any]:
    """Lists as they are, or as arrays of a library in the format."""
    library = _library(declared)
    if library is None:
        return lambda x: x
    name = declared.format.dtype or declared.format.name
    if not hasattr(library, name):
        raise PurebpError(f"{declared.arrays} has no {name}, which {declared.format.name} needs")
    make = library.tensor if declared.arrays == "torch" else library.asarray
    return lambda x: make(x, dtype=getattr(library, name))
