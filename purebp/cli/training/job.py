"""From options to a job: the data set, its parts, the network, the loss, and the settings of the training."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from purebp.cli.files import read_text
from purebp.cli.training import saved
from purebp.cli.training.datasets import BUILT_IN, Dataset, accuracy, confusion, load, parse_csv, scalings, split
from purebp.cli.training.scaling import Scaling, fold, unfold
from purebp.textbook import losses
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import evaluate
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Network
from purebp.textbook.text import counted

LEARNING_RATES = {"sgd": 0.1, "momentum": 0.01, "adam": 0.01}
XAVIER_FOR = ("identity", "sigmoid", "softmax", "tanh")
FEWEST_WIDTH, MOST_WIDTH = 8, 32
STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 1000, 20, 1000
FEW_SAMPLES, TEST_FRACTION = 20, 0.2
MOST_PARAMETERS = 10_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """A network and its samples: those for training, then those for the test if there are any; raw, and scaled."""

    dataset: Dataset
    network: Network
    loss: Loss
    raw: list[Batch]
    scaled: list[Batch]
    inputs: Scaling
    outputs: Scaling | None
    epochs: int
    learning_rate: float

    def figures(self, network: Network, loss: float) -> list[tuple[float, float | None]]:
        """Loss, known already on the training samples, and for classes accuracy, on these and the test samples."""
        shares = [accuracy(confusion(network, part)) if self.dataset.classes else None for part in self.scaled]
        return list(zip([loss, *(evaluate(network, part, self.loss) for part in self.scaled[1:])], shares))

    def folded(self, network: Network) -> Network:
        """The trained network as one that takes and gives the raw columns."""
        return fold(network, self.inputs, self.outputs)


def prepare(args: argparse.Namespace) -> Job:
    """Everything that `purebp train` is asked to do; errors in files and options end here, before anything is done."""
    if args.data in BUILT_IN:
        dataset = load(args.data, args.target, args.predict)
    else:
        text = read_text(args.data, f"give a CSV file, or one of {', '.join(BUILT_IN)}")
        dataset = parse_csv(text, args.data, args.target, args.predict)
    network, loss = _new(args, dataset) if args.resume is None else _resumed(args, dataset)
    last = network.layers[-1].activation.name
    if loss.targets != "real" and not (dataset.classes and last in ("softmax", "sigmoid")):
        found = f"the network ends in {last}" if dataset.classes else f"column {dataset.target!r:.40} holds numbers"
        wanted = "is for classes, told apart by softmax or sigmoid"
        raise PurebpError(f"{loss.name} {wanted}, but {found}: choose --loss mse")
    few = len(dataset.batch.inputs) < FEW_SAMPLES
    fraction = args.test_fraction if args.test_fraction is not None else 0.0 if few else TEST_FRACTION
    raw = [part for part in split(dataset, fraction, args.seed) if part is not None]
    inputs, outputs = scalings(dataset, raw[0])
    if last != "identity":
        outputs = None
    if args.resume is not None:
        network = unfold(network, inputs, outputs)
    targets = [outputs.apply(part.targets) if outputs else part.targets for part in raw]
    scaled = [Batch(inputs.apply(part.inputs), y) for part, y in zip(raw, targets)]
    steps = ceil(len(raw[0].inputs) / args.batch_size)
    epochs = args.epochs or min(MOST_EPOCHS, max(FEWEST_EPOCHS, ceil(STEPS / steps)))
    rate = args.learning_rate or LEARNING_RATES[args.optimizer]
    return Job(dataset, network, loss, raw, scaled, inputs, outputs, epochs, rate)


def _new(args: argparse.Namespace, dataset: Dataset) -> tuple[Network, Loss]:
    loss = args.loss or (losses.cross_entropy if dataset.classes else losses.mse)
    last = ("softmax" if loss.targets == "one_hot" else "sigmoid") if dataset.classes else "identity"
    n_in, n_out = len(dataset.features), len(dataset.classes) or 1
    hidden = [min(MOST_WIDTH, max(FEWEST_WIDTH, 2 * n_in))] if args.hidden is None else args.hidden
    sizes = [n_in, *hidden, n_out]
    parameters = sum((below + 1) * above for below, above in pairwise(sizes))
    if parameters > MOST_PARAMETERS:
        given = f"--hidden {','.join(map(str, hidden)):.40} makes too many parameters"
        raise PurebpError(f"{given}: choose widths for {MOST_PARAMETERS:,} at most")
    f = args.activation or "tanh"
    scheme = args.init or ("xavier" if f in XAVIER_FOR else "he")
    return Network.random(sizes, [*[f] * len(hidden), last], args.seed, scheme=scheme), loss


def _resumed(args: argparse.Namespace, dataset: Dataset) -> tuple[Network, Loss]:
    network = saved.network(args.resume)
    n_in, n_out = len(dataset.features), len(dataset.classes) or 1
    if (network.sizes[0], network.sizes[-1]) != (n_in, n_out):
        sizes = f"takes {counted(network.sizes[0], 'input')} and gives {counted(network.sizes[-1], 'output')}"
        needed = f"{counted(n_in, 'feature')} and {f'{n_out} classes' if dataset.classes else 'one number to predict'}"
        raise PurebpError(f"the network in {args.resume!r} {sizes}, but {dataset.source} has {needed}")
    natural = {"softmax": losses.cross_entropy, "sigmoid": losses.binary_cross_entropy} if dataset.classes else {}
    return network, args.loss or natural.get(network.layers[-1].activation.name, losses.mse)
