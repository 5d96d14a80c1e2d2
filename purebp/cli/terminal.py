"""Results on a terminal: a line that is rewritten, a confusion matrix, and a curve of block characters."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from math import inf, log
from time import monotonic

from purebp.textbook.text import aligned, short

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*%#"
MOST_COLUMNS = 20


class Line:
    """One line on stderr that is rewritten, and only if stderr is a terminal."""

    def __init__(self) -> None:
        self.visible = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Put the text in place of what the line showed."""
        if self.visible:
            width = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
            print("\r" + text[:width].ljust(width), end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self.visible:
            self.show("")
            print("\r", end="", file=sys.stderr, flush=True)


class Progress(Line):
    """The line for a training, rewritten ten times a second at most."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs
        self.start, self.shown = monotonic(), -inf

    def seconds(self) -> float:
        """Time since the start."""
        return monotonic() - self.start

    def epoch(self, epoch: int, loss: float, accuracy: float | None) -> None:
        """Show where the training is."""
        seconds = self.seconds()
        if seconds < self.shown + 0.1 and epoch < self.epochs:
            return
        self.shown = seconds
        share = "" if accuracy is None else f"  accuracy {accuracy:.1%}"
        left = seconds / epoch * (self.epochs - epoch)
        self.show(f"epoch {epoch}/{self.epochs}  loss {loss:.4g}{share}  {left:.0f} s left")


def blocks() -> str:
    """The characters for a curve, lowest first, that stdout can show."""
    try:
        BLOCKS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return ASCII_BLOCKS
    return BLOCKS


def confusion_matrix(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """One row per class and one column per answer; a dot is 0.

    >>> print(confusion_matrix(["no", "yes"], [[3, 0], [1, 4]]))
         no  yes
    no    3    .
    yes   1    4
    """
    if len(classes) > MOST_COLUMNS:
        return f"(not shown for {len(classes)} classes)"
    names = [short(name, 12) for name in classes]
    rows = [[name, *(str(n) if n else "." for n in row)] for name, row in zip(names, counts)]
    return aligned([["", *names], *rows])


def curve(values: Sequence[float], blocks: str = BLOCKS, width: int = 60) -> tuple[str, str]:
    """The values as a line of block characters, and its scale: logarithmic where they span more than a factor of 10.

    Where there are more values than characters, each stands for the mean of a stretch of them.

    >>> curve([8.0, 6.0, 4.0, 1.0])
    ('█▆▄▁', 'linear')
    >>> curve([100.0, 10.0, 1.0], "_-^")
    ('^-_', 'log')
    """
    n, steps = len(values), min(width, len(values))
    stretches = [values[i * n // steps : (i + 1) * n // steps] for i in range(steps)]
    means = [sum(stretch) / len(stretch) for stretch in stretches]
    scale = "log" if 0 < min(means) < max(means) / 10 else "linear"
    heights = [log(mean) for mean in means] if scale == "log" else means
    low, high = min(heights), max(heights)
    top = (len(blocks) - 1) / ((high - low) or 1.0)
    return "".join(blocks[round((height - low) * top)] for height in heights), scale


def listed(names: Sequence[str], most: int = 10) -> str:
    """The names, or the first and the last of them.

    >>> listed(["a", "b", "c", "d"], most=3)
    'a, b, ..., d'
    """
    shown = [short(name, 20) for name in names]
    return ", ".join(shown if len(shown) <= most else [*shown[: most - 1], "...", shown[-1]])
