"""`purebp train`: a network for a table, from the first progress line to the confusion matrix."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt
from signal import SIG_IGN, SIGINT, signal
from threading import current_thread, main_thread

from purebp.cli import options
from purebp.cli import terminal as report
from purebp.cli.files import check_apart, check_writable, write_whole
from purebp.cli.training import job as defaults
from purebp.cli.training.datasets import BUILT_IN, confusion
from purebp.cli.training.job import Job, prepare
from purebp.cli.training.tables import number
from purebp.textbook import losses
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import evaluate
from purebp.textbook.network import SCHEMES, Network
from purebp.textbook.serialization import to_json
from purebp.textbook.text import aligned, counted
from purebp.textbook.training import OPTIMIZERS, Epoch, train

HELP = "train a network on digits, iris, xor or a CSV file"
DESCRIPTION = """\
Train a network on one of the data sets that come along (digits, iris, xor) or on a CSV file with one sample per
line: the target in one column, numbers in all others. Features are standardised on the way (pixels of the digits
divided by 16), and so are targets that are numbers; a saved network takes and gives the raw columns nevertheless."""
EXAMPLES = """\
examples:
  purebp train digits
  purebp train digits --hidden 64,32 --activation relu --save digits.json --history epochs.csv
  purebp train digits --resume digits.json --epochs 10 --learning-rate 0.001 --save digits.json
  purebp train houses.csv --target price --test-fraction 0.3
  purebp train iris --optimizer sgd --batch-size 1 --patience 20

Ctrl-C stops after the last complete epoch: the result is shown, and --save and --history are written. If the
training diverges, --history is written and --save is not."""

HISTORY = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy")
HistoryRow = list[float | None]  # what follows the epoch there


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""

    def add(name: str, metavar: str | None, text: str, **more: object) -> None:
        parser.add_argument(name, metavar=metavar, help=text, **more)  # type: ignore[arg-type]  # passed on as they are

    widths = f"{defaults.FEWEST_WIDTH} at least and {defaults.MOST_WIDTH} at most"
    rates = ", ".join(f"{rate} for {name}" for name, rate in defaults.LEARNING_RATES.items())
    add("data", "DATA", "digits, iris, xor or a CSV file (commas, semicolons or tabs)")
    add("--target", "COLUMN", "what is to be predicted (default: the last column)")
    add(
        "--predict",
        None,
        "what the target holds (default: classes if it is text, or at most 20 different whole numbers, each twice or "
        "more on average)",
        choices=("classes", "numbers"),
    )
    add("--hidden", "N,N", f"widths, or none (default: one layer of twice the features, {widths})", type=options.widths)
    add(
        "--activation",
        "NAME",
        "of the hidden layers: tanh (default), sigmoid, relu, leaky_relu(0.01), elu(1.0), softplus, silu, gelu",
        type=options.activation,
    )
    add("--init", None, "first weights (default: xavier for tanh, sigmoid, identity, he for others)", choices=SCHEMES)
    add(
        "--loss",
        "NAME",
        "cross_entropy (default for classes, with softmax in the last layer), mse (default for numbers), "
        "binary_cross_entropy, half_mse, mae, huber(1.0), sse, half_sse (on classes with sigmoid, on numbers with "
        "identity)",
        type=options.loss,
    )
    add("--optimizer", None, "default: adam", choices=OPTIMIZERS, default="adam")
    add("--learning-rate", "X", f"default: {rates}", type=options.positive)
    enough = f"enough for {defaults.STEPS} steps, {defaults.FEWEST_EPOCHS} at least and {defaults.MOST_EPOCHS} at most"
    add("--epochs", "N", f"passes over the data (default: {enough})", type=options.count)
    add("--batch-size", "N", "samples per step (default: 32)", type=options.count, default=32)
    add("--seed", "N", "of first weights, test samples and order (default: 0)", type=options.whole, default=0)
    few = f"{defaults.TEST_FRACTION}, and 0 with less than {defaults.FEW_SAMPLES} samples"
    add("--test-fraction", "X", f"share of the samples kept for the test (default: {few})", type=options.fraction)
    add("--patience", "N", "stop when N epochs in a row have not lowered the training loss", type=options.count)
    add("--target-loss", "X", "stop when the training loss is as low as that", type=options.finite)
    add("--save", "FILE", "write the network as JSON; its inputs are the feature columns as they are in the table")
    add("--resume", "FILE", "go on from a saved network (the optimizer starts afresh)")
    add("--history", "FILE", "write losses and accuracies of every epoch as CSV")


def run(args: argparse.Namespace) -> int:
    """Train, write what was asked for, and report; the exit status."""
    _check_options(args)
    job = prepare(args)
    epochs = train(
        job.network,
        job.scaled[0],
        loss=job.loss,
        optimizer=args.optimizer,
        learning_rate=job.learning_rate,
        epochs=job.epochs,
        batch_size=args.batch_size,
        seed=args.seed,
        target_loss=args.target_loss,
        patience=args.patience,
    )
    progress = report.Progress(job.epochs)
    history: list[HistoryRow] = []
    last: Epoch | None = None
    status, problem = 0, ""
    try:
        for epoch in epochs:
            watched = args.history is not None or progress.visible
            figures = job.figures(epoch.network, epoch.loss) if watched else [(epoch.loss, None)]
            history.append([x for pair in figures for x in pair])
            last = epoch
            progress.epoch(epoch.epoch, *figures[0])
    except KeyboardInterrupt:
        status, problem = 130, f"interrupted {f'after epoch {last.epoch}' if last else 'in the first epoch'}"
    except (PurebpError, ArithmeticError) as error:
        status, problem = 1, str(error)
    with undisturbed():
        progress.end()
        network = last.network if last is not None and status != 1 else None
        files: dict[str, str | None] = {}
        if args.save is not None:
            files[args.save] = to_json(job.folded(network)) + "\n" if network else None
        if args.history is not None:
            files[args.history] = _history(history[: last.epoch]) if last else None
        done, complete = _write(files)
        if last is not None and network is not None:
            print(_described(job, args, last, progress.seconds()))
            print(_results(job, network, [row[0] or 0.0 for row in history]))
        if not complete:
            status, problem = status or 1, problem or "the training is done, but its result is not saved"
    if problem:
        print("; ".join([f"purebp: {problem}", *done]), file=sys.stderr)
    elif done:
        print(", ".join(done))
    return status


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits: what is being written is written."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal(SIGINT, SIG_IGN)
    try:
        yield
    finally:
        signal(SIGINT, before)


def _write(files: dict[str, str | None]) -> tuple[list[str], bool]:
    """Write the files that have a text; what became of each, and whether nothing went wrong."""
    done, complete = [], True
    for name, text in files.items():
        try:
            if text is not None:
                write_whole(name, text)
            done.append(f"did not write {name}" if text is None else f"wrote {name}")
        except PurebpError as error:
            done.append(str(error))
            complete = False
    return done, complete


def _check_options(args: argparse.Namespace) -> None:
    """Nothing that is read may be overwritten, except that --save may replace what --resume read."""
    for name in ("hidden", "activation", "init"):
        if args.resume is not None and getattr(args, name) is not None:
            raise PurebpError(f"--{name} is for a new network: leave it out, or --resume")
    check_apart("--save", args.save, args.history, args.data)
    check_apart("--history", args.history, args.data, args.resume)
    for name in (args.save, args.history):
        if name is not None:
            check_writable(name)


def _history(rows: list[HistoryRow]) -> str:
    cells = [["" if x is None else repr(x) for x in (*row, None, None)[:4]] for row in rows]
    lines = [HISTORY, *([str(epoch), *row] for epoch, row in enumerate(cells, start=1))]
    return "".join(",".join(line) + "\n" for line in lines)


def _described(job: Job, args: argparse.Namespace, last: Epoch, seconds: float) -> str:
    dataset, network = job.dataset, last.network
    features = f"{counted(len(dataset.features), 'feature')} ({report.listed(dataset.features, most=4)})"
    target = f"numbers in {dataset.target!r:.40}"
    if dataset.classes:
        target = f"{len(dataset.classes)} classes in {dataset.target!r:.40}: {report.listed(dataset.classes)}"
        whole = all(number(name) is not None for name in dataset.classes)
        if whole and args.predict is None and args.data not in BUILT_IN:
            target += " (--predict numbers takes them as numbers)"
    layers = ", ".join(layer.activation.name for layer in network.layers)
    origin = "" if args.resume is None else f", from {args.resume}"
    settings = f"{args.optimizer}, learning rate {job.learning_rate:g}, batches of {args.batch_size}, seed {args.seed}"
    return (
        f"{dataset.source}: {counted(len(dataset.batch.inputs), 'sample')}, {features}, {target}\n"
        f"network {'-'.join(map(str, network.sizes))}, {layers}: {len(network.parameters())} parameters{origin}\n"
        f"trained for {counted(last.epoch, 'epoch')} in {seconds:.1f} s: {job.loss.name}, {settings}\n"
    )


def _results(job: Job, network: Network, history: list[float]) -> str:
    classes, parts = job.dataset.classes, ["training", "test"][: len(job.raw)]
    table = [["", "samples", "loss", "accuracy" if classes else "rms error"]]
    for part, raw, (loss, share) in zip(parts, job.raw, job.figures(network, history[-1])):
        error = sqrt(evaluate(job.folded(network), raw, losses.mse))
        table.append([part, str(len(raw.inputs)), f"{loss:.4g}", f"{error:.4g}" if share is None else f"{share:.1%}"])
    text = [aligned(table), ""]
    if classes:
        text += [f"confusion matrix, {parts[-1]} samples (rows: the class; columns: the network's answer)"]
        text += [report.confusion_matrix(classes, confusion(network, job.scaled[-1])), ""]
    else:
        text += [f"The rms error, the root of the mean squared error, is in units of {job.dataset.target!r:.40}."]
        if job.outputs:
            text += ["The loss is that of the standardised target: for mse, 1 is what answering the mean gives."]
        text += [""]
    line, scale = report.curve(history, report.blocks())
    return "\n".join([*text, f"training loss, {scale} scale, {history[0]:.4g} to {history[-1]:.4g}:", line])
