"""`purebp explain`: every step of backpropagation, for a network and a batch from files, or for a published example."""

from __future__ import annotations

import argparse

from purebp.arithmetic import PurebpError
from purebp.cli import options
from purebp.explanation import explain
from purebp.network import Batch, Layer, Network

HELP = "every step of backpropagation, with numbers"
DESCRIPTION = """\
Print every quantity of the forward and the backward pass, in the order in which one computes them by hand.
Without files: the example of Matt Mazur, "A Step by Step Backpropagation Example" (2015)."""
EXAMPLES = """\
examples:
  purebp explain
  purebp explain net.json batch.json --loss mse
  purebp explain net.json batch.csv --json > steps.json

batch.json holds {"inputs": [[0.05, 0.1]], "targets": [[0.01, 0.99]]}. In batch.csv the first columns are the
inputs, the others the targets; a header is optional."""

MAZUR = (
    Network(
        [
            Layer([[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], "sigmoid"),
            Layer([[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], "sigmoid"),
        ]
    ),
    Batch([[0.05, 0.10]], [[0.01, 0.99]]),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("network", nargs="?", metavar="NETWORK.json", help="as written by purebp train --save")
    parser.add_argument("batch", nargs="?", metavar="BATCH", help="inputs and targets, a .json or a .csv file")
    parser.add_argument("--loss", type=options.loss, default="half_sse", help="default half_sse")
    parser.add_argument("--learning-rate", type=options.positive, default=0.5, metavar="X", help="default 0.5")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Print the explanation; the exit status."""
    network, batch = MAZUR
    if args.network is not None:
        if args.batch is None:
            raise PurebpError("explain takes a network and a batch, or neither: purebp explain net.json batch.json")
        network = options.network(args.network)
        batch = options.batch(args.batch, network)
    try:
        explanation = explain(network, batch, args.loss, args.learning_rate)
    except (ValueError, ArithmeticError) as error:  # such as the logarithm of an output below 0
        raise PurebpError(f"{args.loss.name} cannot be explained for this network and batch: {error}") from None
    print(explanation.to_json() if args.json else explanation)
    return 0
