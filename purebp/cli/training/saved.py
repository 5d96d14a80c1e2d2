"""Networks and batches in files, or one line that says what is wrong with them."""

from __future__ import annotations

import json
from math import isfinite

from purebp.cli.files import read_text
from purebp.cli.training.tables import parse_table
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Batch, Network
from purebp.textbook.serialization import from_json
from purebp.textbook.text import counted


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
        samples: Batch = Batch(document["inputs"], document["targets"])
        for key, matrix in (("inputs", samples.inputs), ("targets", samples.targets)):
            for i, row in enumerate(matrix):
                if not all(map(isfinite, row)):
                    raise PurebpError(f"{key}[{i}] is {list(row)!r:.60}: finite numbers are wanted")
    except (ValueError, RecursionError) as error:
        raise PurebpError(f"{name!r} is no batch: {error}") from None
    given = len(samples.inputs[0]), len(samples.targets[0])
    if given != (n_in, n_out):
        told = f"{counted(given[0], 'input')} and {counted(given[1], 'target')} per sample"
        raise PurebpError(f"{name!r} has {told}: the network takes {n_in} and gives {n_out}")
    return samples
