"""Tables as data sets: CSV text to a `Batch`, its training and test samples, and how well classes are told apart.

>>> iris = load("iris")
>>> iris.classes, iris.features[0], len(iris.batch.inputs)
(('setosa', 'versicolor', 'virginica'), 'sepal_length_cm', 150)
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from math import isfinite
from random import Random

from purebp.cli.training.scaling import Scaling, standardisation
from purebp.cli.training.tables import number, parse_table
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import forward
from purebp.textbook.network import Batch, Network

BUILT_IN = {"digits": "digits.csv.gz", "iris": "iris.csv", "xor": "xor.csv"}
MOST_CLASSES = 20  # more different whole numbers than this are numbers, not classes


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples, and what their columns are called.

    With classes there is one output for each, 1 for the class of the sample and 0 for the others; without, the
    only output is the number in the target column. `unit` is what all features are measured in, where they share it.
    """

    source: str
    batch: Batch
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] = ()
    unit: float | None = None


def parse_csv(text: str, source: str, target: str | None = None, predict: str | None = None) -> Dataset:
    """The table with one column, by default the last, as the target and all others as features.

    `predict` says whether the target holds "classes" or "numbers". By default it holds classes if it is text, or
    if it is whole numbers of which there are at most 20 different ones, each twice or more on average.

    >>> data = parse_csv("size,colour\\n1.5,red\\n2.5,blue\\n3.5,red\\n", "balls.csv")
    >>> data.classes, data.batch.inputs, data.batch.targets
    (('blue', 'red'), ((1.5,), (2.5,), (3.5,)), ((0.0, 1.0), (1.0, 0.0), (0.0, 1.0)))
    >>> parse_csv("size,price\\n1,2.5\\n2,4\\n", "houses.csv").batch.targets
    ((2.5,), (4.0,))
    """
    table = parse_table(text, source)
    target = table.columns[-1] if target is None else target
    if target not in table.columns:
        known = ", ".join(f"{name:.40}" for name in table.columns[:20]) + (", …" if len(table.columns) > 20 else "")
        raise PurebpError(f"{source}: no column {target!r:.40}; the columns are {known}")
    if len(table.columns) == 1:
        raise PurebpError(f"{source} has one column only: at least one feature beside the target is wanted")
    t = table.columns.index(target)
    cells = [row[t] for _, row in table.rows]
    labels = list(map(_label, cells))
    if len(set(labels)) == 1:
        raise PurebpError(f"{source}: column {target!r:.40} holds nothing but {cells[0]!r:.40}: nothing to tell apart")
    features = [j for j in range(len(table.columns)) if j != t]
    inputs = list(zip(*map(table.numbers, features)))
    names = tuple(table.columns[j] for j in features)
    if (predict or _kind(labels)) == "numbers":
        return Dataset(source, Batch(inputs, [[x] for x in table.numbers(t)]), names, target)
    if "" in labels:
        line, row = table.rows[labels.index("")]
        raise PurebpError(f"{source}, line {line}, column {target!r:.40}: {row[t]!r} is no class; leave out the row")
    classes = sorted(set(labels), key=lambda label: (number(label) is None, number(label) or 0.0, label))
    if len(classes) == len(labels):
        raise PurebpError(f"{source}: column {target!r:.40} has another class in every row; choose another target")
    targets = [[float(label == name) for name in classes] for label in labels]
    return Dataset(source, Batch(inputs, targets), names, target, tuple(classes))


def load(name: str, target: str | None = None, predict: str | None = None) -> Dataset:
    """One of the data sets that come with the package: "digits", "iris" or "xor".

    >>> load("xor").batch.inputs
    ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
    """
    if name not in BUILT_IN:
        raise PurebpError(f"unknown data set {name!r}; known are {', '.join(BUILT_IN)}")
    content = resources.files("purebp").joinpath("data", BUILT_IN[name]).read_bytes()
    text = (gzip.decompress(content) if BUILT_IN[name].endswith(".gz") else content).decode()
    return replace(parse_csv(text, name, target, predict), unit=16.0 if name == "digits" else None)


def split(dataset: Dataset, fraction: float, seed: int) -> tuple[Batch, Batch | None]:
    """Training and test samples, shuffled by seed: the fraction of every class is for the test, but never all of it.

    >>> training, test = split(load("iris"), 0.2, seed=0)
    >>> [sum(column) for column in zip(*training.targets)], [sum(column) for column in zip(*test.targets)]
    ([40.0, 40.0, 40.0], [10.0, 10.0, 10.0])
    """
    if not 0 <= fraction < 1:
        raise PurebpError(f"the test fraction is {fraction}: a number from 0 to below 1 is wanted")
    inputs, targets = dataset.batch.inputs, dataset.batch.targets
    order = Random(seed).sample(range(len(inputs)), len(inputs))
    groups: dict[object, list[int]] = {}
    for i in order:
        groups.setdefault(targets[i] if dataset.classes else None, []).append(i)
    chosen = {i for group in groups.values() for i in group[: min(round(fraction * len(group)), len(group) - 1)]}

    def part(indices: list[int]) -> Batch:
        return Batch([inputs[i] for i in indices], [targets[i] for i in indices])

    training, test = [i for i in order if i not in chosen], [i for i in order if i in chosen]
    return part(training), part(test) if test else None


def scalings(dataset: Dataset, training: Batch) -> tuple[Scaling, Scaling | None]:
    """How features, and targets that are numbers, are scaled for training: by the unit, or to mean 0 and deviation 1.

    >>> inputs, outputs = scalings(load("xor"), load("xor").batch)
    >>> inputs.apply([[0.0, 1.0]]), outputs
    ([[-1.0, 1.0]], None)
    """
    outputs = None if dataset.classes else standardisation(training.targets)
    if dataset.unit is None:
        return standardisation(training.inputs), outputs
    n = len(dataset.features)
    return Scaling((0.0,) * n, (dataset.unit,) * n), outputs


def confusion(network: Network, batch: Batch) -> list[list[int]]:
    """Samples counted by class (row) and by the class with the largest output (column).

    >>> from purebp.textbook.network import Layer
    >>> confusion(Network([Layer([[0.0], [1.0]], None, "identity")]), Batch([[-1.0], [2.0]], [[1.0, 0.0], [1.0, 0.0]]))
    [[1, 1], [0, 0]]
    """
    counts = [[0] * len(batch.targets[0]) for _ in batch.targets[0]]
    for outputs, targets in zip(forward(network, batch.inputs).outputs, batch.targets):
        counts[targets.index(max(targets))][outputs.index(max(outputs))] += 1
    return counts


def accuracy(counts: Sequence[Sequence[int]]) -> float:
    """The share of the samples on the diagonal of a confusion matrix.

    >>> accuracy([[3, 1], [0, 4]])
    0.875
    """
    return sum(row[i] for i, row in enumerate(counts)) / sum(map(sum, counts))


def _label(cell: str) -> str:
    """The name of a class: whole numbers are the same class however they are written, NaN and infinity are none."""
    x = number(cell)
    if x is None:
        return cell
    return "" if not isfinite(x) else str(int(x)) if x.is_integer() else repr(x)


def _kind(labels: list[str]) -> str:
    values = [number(label) for label in labels]
    if all(x is None for x in values):
        return "classes"
    few = len(set(labels)) <= min(MOST_CLASSES, len(labels) // 2)
    return "classes" if few and all(x is None or x.is_integer() for x in values) else "numbers"
