"""`purebp explain`: every step of backpropagation, for a network and a batch from files, or for a published example."""

from __future__ import annotations

import argparse

from purebp.cli import options
from purebp.cli.files import check_apart, check_writable, write_whole
from purebp.cli.training import saved
from purebp.graphs.drawing import to_svg
from purebp.graphs.engine import backward_graph
from purebp.graphs.lowering import to_feed, to_graph
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.explanation import Explanation, explain
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Layer, Network

HELP = "every step of backpropagation, with numbers"
DESCRIPTION = """\
Print every quantity of the forward and the backward pass, in the order in which one computes them by hand.
Without files: the example of Matt Mazur, "A Step by Step Backpropagation Example" (2015)."""
EXAMPLES = """\
examples:
  purebp explain
  purebp explain net.json batch.json --loss mse
  purebp explain net.json batch.csv --json > steps.json
  purebp explain --graph --output net.svg

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
    parser.add_argument("--graph", action="store_true", help="draw the graph with values and gradients, as SVG")
    parser.add_argument("--output", metavar="FILE.svg", help="write the drawing there instead of to stdout")


def run(args: argparse.Namespace) -> int:
    """Print the explanation; the exit status."""
    if args.json and args.graph or args.output and not args.graph:
        raise PurebpError("--output is for --graph, and --graph draws where --json prints: give one of the two")
    network, batch = MAZUR
    if args.network is not None:
        if args.batch is None:
            raise PurebpError("explain takes a network and a batch, or neither: purebp explain net.json batch.json")
        network = saved.network(args.network)
        batch = saved.batch(args.batch, network)
    if args.output:
        check_apart("--output", args.output, args.network, args.batch)
        check_writable(args.output)
    try:
        explained = (
            drawn(network, batch, args.loss) if args.graph else explain(network, batch, args.loss, args.learning_rate)
        )
    except (ValueError, ArithmeticError) as error:  # such as the logarithm of an output below 0
        raise PurebpError(f"{args.loss.name} cannot be explained for this network and batch: {error}") from None
    if args.output:
        write_whole(args.output, str(explained))
        print(f"wrote {args.output}")
    else:
        print(explained.to_json() if isinstance(explained, Explanation) and args.json else explained)
    return 0


def drawn(network: Network, batch: Batch, loss: Loss) -> str:
    """The graph of the network as SVG, with its values and gradients on the batch."""
    cost = to_graph(network, loss)
    gradients = backward_graph(cost, to_feed(network, batch))
    return to_svg(cost, gradients.values, gradients)
