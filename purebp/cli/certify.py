"""`purebp certify`: the gradient of a network on a batch, each entry correctly rounded and enclosed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import isfinite
from typing import Any, TypeVar

from purebp.cli import options
from purebp.cli.files import check_apart, check_writable, write_whole
from purebp.cli.terminal import Line
from purebp.cli.training import saved
from purebp.number_systems.decimals import context
from purebp.oracle.certify import Certified, CertifiedGradients, certified_gradients, certified_loss
from purebp.textbook.text import counted

HELP = "gradients with a proof: correctly rounded, and enclosed"
DESCRIPTION = """\
Print the gradient of the loss for a network and a batch. Every entry is the double nearest to the exact value;
where that cannot be told, as at a kink of relu, it comes with an interval that provably holds the exact value."""
EXAMPLES = """\
examples:
  purebp certify net.json batch.csv --loss half_sse
  purebp certify net.json batch.json --json --output gradients.json
  purebp certify net.json batch.csv --jobs 4

Batches are written as for purebp explain. In JSON every entry has value (null where it is infinite or
unknown), lower, upper and rounded.
Exit status: 0, 5 if an entry is left without a correctly rounded value, 2 for bad input."""

PARTS = 32  # into which the batch is split, for the progress line and for processes
T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("network", metavar="NETWORK.json", help="as written by purebp train --save")
    parser.add_argument("batch", metavar="BATCH", help="inputs and targets, a .json or a .csv file")
    parser.add_argument("--loss", type=options.loss, default="mse", metavar="NAME", help="default mse")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    parser.add_argument("--output", metavar="FILE", help="write there instead of on stdout")
    parser.add_argument("--jobs", type=options.count, default=1, metavar="N", help="processes (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Print or write the certified gradients; the exit status."""
    check_apart("--output", args.output, args.network, args.batch)
    network = saved.network(args.network)
    batch = saved.batch(args.batch, network)
    if args.output is not None:
        check_writable(args.output)
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(args.jobs)) if args.jobs > 1 else None
        parts = min(PARTS, len(batch.inputs))
        gradients = certified_gradients(network, batch, args.loss, executor=_Watched(pool, parts), parts=parts)
    value = certified_loss(network, batch, args.loss)
    entries = gradients.parameters()
    text = _json(args.loss.name, value, gradients) if args.json else _text(args.loss.name, value, gradients)
    if args.output is None:
        print(text)
    else:
        write_whole(args.output, text + "\n")
    rounded = sum(entry.rounded for entry in entries)
    if not args.json or args.output is not None:
        print(f"{rounded} of {counted(len(entries), 'entry', 'entries')} correctly rounded")
    return 0 if rounded == len(entries) else 5


class _Watched(Executor):
    """Maps in this process, or in those of a pool, and shows on a terminal how many parts are done."""

    def __init__(self, pool: Executor | None, parts: int) -> None:
        self.pool, self.parts, self.line = pool, parts, Line()

    def map(self, fn: Callable[..., T], *iterables: Iterable[Any], **_: Any) -> Iterator[T]:
        results = self.pool.map(fn, *iterables) if self.pool else map(fn, *iterables)
        for done, result in enumerate(results, start=1):
            self.line.show(f"certified {done} of {self.parts} parts of the batch")
            yield result
        self.line.end()


def _text(loss: str, value: Certified, gradients: CertifiedGradients) -> str:
    lines = [f"{loss} {_shown(value)}"]
    for l, layer in enumerate(gradients.layers, start=1):
        lines += [f"∂loss/∂W, layer {l}", *("  " + " ".join(map(_shown, row)) for row in layer.weights)]
        if layer.biases is not None:
            lines += [f"∂loss/∂b, layer {l}", "  " + " ".join(map(_shown, layer.biases))]
    return "\n".join(lines)


def _json(loss: str, value: Certified, gradients: CertifiedGradients) -> str:
    def rows(matrix: Iterable[Iterable[Certified]]) -> list[list[dict[str, Any]]]:
        return [list(map(_entry, row)) for row in matrix]

    layers = [
        {
            "weights": rows(layer.weights),
            "biases": None if layer.biases is None else list(map(_entry, layer.biases)),
            "deltas": rows(layer.deltas),
        }
        for layer in gradients.layers
    ]
    return json.dumps({"loss": loss, "value": _entry(value), "layers": layers})


def _entry(entry: Certified) -> dict[str, Any]:
    lower, upper = _outward(entry)
    value = entry.value if isfinite(entry.value) else None
    return {"value": value, "lower": str(lower), "upper": str(upper), "rounded": entry.rounded}


def _shown(entry: Certified) -> str:
    if entry.rounded:
        return repr(entry.value)
    lower, upper = _outward(entry)
    return f"{entry.value!r} [{lower}, {upper}]"


def _outward(entry: Certified) -> tuple[Decimal, Decimal]:
    """The ends of the interval to 40 digits, rounded outwards."""
    down, up = context(40), context(40)
    down.rounding, up.rounding = ROUND_FLOOR, ROUND_CEILING
    return down.plus(entry.lower), up.plus(entry.upper)
