"""What options and files mean: text to values, or one line that says what is wrong with it."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from math import isfinite

from purebp.cli.files import read_text
from purebp.cli.training.tables import parse_table
from purebp.textbook import activations, losses
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Batch, Network
from purebp.textbook.serialization import from_json
from purebp.textbook.text import counted


def activation(text: str) -> str:
    """The name of a known activation."""
    try:
        return activations.activation(text).name
    except PurebpError as error:
        raise ArgumentTypeError(str(error)) from None


def loss(text: str) -> losses.Loss:
    """A known loss."""
    try:
        return losses.loss(text)
    except PurebpError as error:
        raise ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """A whole number above 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 10**9:
        raise ArgumentTypeError(
            f"{text!r:.40} is not a whole number above 0" + (", or too large" if number > 1 else "")
        )
    return number


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r:.40} is not a whole number") from None


def widths(text: str) -> list[int]:
    """The hidden widths, "32,16"; "none" is no hidden layer."""
    try:
        return [] if text == "none" else [count(width) for width in text.split(",")]
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}; give widths such as 32,16, or none") from None


def finite(text: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ArgumentTypeError(f"{text!r:.40} is not a finite number")
    return number


def positive(text: str) -> float:
    """A finite number above 0."""
    number = finite(text)
    if number <= 0:
        raise ArgumentTypeError(f"{text!r:.40} is not above 0")
    return number


def fraction(text: str) -> float:
    """A number from 0 to below 1."""
    number = finite(text)
    if not 0 <= number < 1:
        raise ArgumentTypeError(f"{text!r:.40} is not a share of the samples, from 0 to below 1")
    return number


def network(name: str) -> Network:
    """The network in a file that `purebp train --save` wrote."""
    try:
        return from_json(read_text(name, "give a network saved by purebp train --save"))
    except PurebpError as error:
        raise PurebpError(str(error) if repr(name) in str(error) else f"{name!r} is no network: {error}") from None


def batch(name: str, network: Network) -> Batch:
    """The samples in a JSON or CSV file, as many columns as the network takes and gives."""
    n_in, n_out = network.sizes[0], network.sizes[-1]
    text = read_text(name, "give a batch as .json or .csv")
    if not name.endswith(".json") and not text.lstrip().startswith("{"):
        table = parse_table(text, name)
        if len(table.columns) != n_in + n_out:
            wanted = f"{counted(n_in, 'input')} and {counted(n_out, 'target')} are wanted"
            raise PurebpError(f"{name!r} has {counted(len(table.columns), 'column')}: {wanted}")
        rows = list(zip(*map(table.numbers, range(n_in + n_out))))
        return Batch([row[:n_in] for row in rows], [row[n_in:] for row in rows])
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or set(document) != {"inputs", "targets"}:
            raise PurebpError('{"inputs": [[...]], "targets": [[...]]} is wanted, with these two keys')
        found: Batch = Batch(document["inputs"], document["targets"])
        for key, matrix in (("inputs", found.inputs), ("targets", found.targets)):
            for i, row in enumerate(matrix):
                if not all(map(isfinite, row)):
                    raise PurebpError(f"{key}[{i}] is {list(row)!r:.60}: finite numbers are wanted")
    except (ValueError, RecursionError) as error:
        raise PurebpError(f"{name!r} is no batch: {error}") from None
    given = len(found.inputs[0]), len(found.targets[0])
    if given != (n_in, n_out):
        samples = f"{counted(given[0], 'input')} and {counted(given[1], 'target')} per sample"
        raise PurebpError(f"{name!r} has {samples}: the network takes {n_in} and gives {n_out}")
    return found
