"""docs/performance.md and its plots, from docs/performance.json; and how far two measurements lie apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from math import log
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOUND = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
CASE, LADDER = "purebp judge, one case", "purebp check, its ladder"  # columns
TRAINING = "training, "  # before the interpreter, in the name of a table
NOISE = 2.0  # a ratio may differ by this factor from run to run
Found = dict[str, dict[str, dict[str, Any]]]  # tables of a part by name; a part holds "facts", "seconds" or "about"


def read() -> Found:
    found: Found = json.loads(FOUND.read_text("utf-8")) if FOUND.exists() else {}
    return found


def write(found: Found) -> None:
    FOUND.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")
    PAGE.write_text(page(found), "utf-8", newline="\n")
    checking_plot(found)
    training_plot(found)


def other_interpreters(old: Found, new: Found) -> Iterator[str]:
    """Those that are on the page alone, or here alone: no difference, for nobody has them all.

    >>> list(other_interpreters({"seconds": {"training, a": {}}}, {"seconds": {"training, b": {}}}))
    ['training, a: on the page alone', 'training, b: here alone']
    """
    shown, here = ([t for t in found.get("seconds", {}) if t.startswith(TRAINING)] for found in (old, new))
    if here:
        yield from (f"{name}: on the page alone" for name in shown if name not in here)
        yield from (f"{name}: here alone" for name in here if name not in shown)


def differences(old: Found, new: Found) -> Iterator[str]:
    """What differs by more than noise: facts at all, ratios to the first column of a row by more than `NOISE`.

    An interpreter that is not on the page differs from nothing.

    >>> table = {"row": {"a": 1.0, "b": 3.0}}
    >>> list(differences({"seconds": {"t": table}}, {"seconds": {"t": {"row": {"a": 2.0, "b": 5.0}}}}))
    []
    >>> list(differences({"seconds": {"t": table}}, {"seconds": {"t": {"row": {"a": 1.0, "b": 1.0}}}}))
    ['t, row, b / a: 3 on the page, 1 now']
    >>> list(differences({"facts": {"t": table}}, {"facts": {"t": {"row": {"a": 1.0, "b": 2.0}}}}))
    ['t, row, b: 3.0 on the page, 2.0 now']
    """
    for kind in ("facts", "seconds"):
        for name, table in new.get(kind, {}).items():
            if name.startswith(TRAINING) and name not in old.get(kind, {}):
                continue
            for row, cells in table.items():
                first = next(iter(cells))
                shown = old.get(kind, {}).get(name, {}).get(row, {})
                for column in cells:
                    place = f"{name}, {row}, {column}"
                    if column not in shown:
                        yield f"{place}: not on the page"
                    elif kind == "facts" and shown[column] != cells[column]:
                        yield f"{place}: {shown[column]} on the page, {cells[column]} now"
                    elif kind == "seconds":
                        before, now = shown[column] / shown[first], cells[column] / cells[first]
                        if not 1 / NOISE <= now / before <= NOISE:
                            yield f"{place} / {first}: {before:.2g} on the page, {now:.2g} now"


# The page.


def page(found: Found) -> str:
    facts, seconds = found["facts"], found["seconds"]
    training = {name: table for name, table in seconds.items() if name.startswith(TRAINING)}
    parts = [
        "# Side by side\n",
        "What other gradient checkers catch, whom they accuse, how long they take, and what a gradient costs. `make "
        "bench` measures all of it and says where this page is not what it finds; `make bench-write` writes the "
        "page.\n",
        "It is no comparison of like with like. The other checkers work for any function, also one that nobody knows; "
        "purebp knows what is to be computed, and computes it again.\n",
        "## What is caught\n",
        "All checkers are given the same candidates: every mistake of the [catalogue](mistakes.md), planted in the "
        "first architecture in which it changes something. *One case* is a random network with four samples, which "
        "somebody would try; *all cases* adds those that `purebp check` begins with, eleven or twelve. A mistake counts "
        "as caught where the checker rejects it and accepts what is right. The *right ones* are backpropagations in "
        "plain loops, none of them purebp's, with various formulas and orders of summation, which take turns over "
        "the cases of `purebp check`. Where a checker gives a number in place of a verdict, some limits were tried, "
        "powers of ten, and the best for it is shown; of several that are equally good, the strictest. For "
        "`check_grad` it is a limit of the 2-norm of the difference, or of the difference in one direction; for "
        "numdifftools it is in units of the tolerance of `numpy.allclose`, which its documentation uses. purebp has no "
        "limit to set.\n",
        facts_table(facts["what is caught"], "checker"),
        "The checks of jax and autograd are restricted to reverse mode, since a hand-written gradient has no forward "
        "mode. autograd and `check_grad` with `direction='random'` draw a direction at every call: in this table, "
        "with the first of five fixed seeds.\n",
        "A good case counts for more than a good tolerance: what one case misses cannot be seen there at all, such "
        "as a transposed matrix where none is square. Those whom the others accuse have a ReLU exactly at its kink, "
        "or a leaky one, where a difference quotient is no derivative.\n",
        "Every other checker is given the right loss, also where the mistake is in the forward pass: a favour, for "
        "with the candidate's own loss such a gradient is consistent.\n",
        "## A single entry that is off\n",
        "On the one case, a network of 26 parameters, one entry after the other is changed by a relative size, and "
        "nothing else: how many of the changes are seen; the median over the five seeds, where directions are drawn.\n",
        facts_table(facts["single entries"], "checker"),
        "Fast mode, jax, autograd and `check_grad` with `direction='random'` look in one random direction (that of "
        "fast mode and jax is the same in every run), which is one number for all entries, and an absolute tolerance "
        "passes whatever is small. A float32 hidden inside float64 code is off by 10⁻⁷.\n",
        "## Very large numbers, very small ones, and kinks\n",
        "A right gradient, and twice that gradient, which is wrong. *Accuses*: the right one is rejected. *Misses*: "
        "twice the gradient is accepted; where not with all seeds, with how many.\n",
        facts_table(facts["at extremes"], "checker"),
        "In float32 the loss has seven digits, and a step of 1e-6 leaves none of them: only jax chooses its tolerance "
        "by the type, and purebp is told the format. The documentation of gradcheck says that its defaults are for "
        "double precision, and it warns of anything less, a warning that is silenced here. At weights of 1e6 "
        "gradients are huge, and some far larger than others. An absolute limit, as that of `check_grad`, means "
        "nothing there; the relative one of autograd is below the roundoff of its difference; and where gradcheck and "
        "numdifftools reject, it is for the smallest entries, whose differences drown in the roundoff of the loss.\n",
        "## Time to the verdict\n",
        "A fresh process that imports what it needs and judges one right candidate, in seconds:\n",
        _seconds(seconds["from cold"]["a right candidate"]),
        "From a warm start, the time for one case of eight samples, by the number of parameters, in milliseconds. A "
        "cell in bold is less than purebp needs for one case.\n",
        _times(seconds["warm"], 1e3),
        "![Time to the verdict by the number of parameters](performance-checking.svg)\n",
        "The exponents of that growth over the last step that was measured, where 1 means in proportion to the "
        f"parameters: {_exponents(seconds['warm'], EVERY_ENTRY)}. `gradcheck`, `check_grad` and numdifftools compute "
        "the loss anew for every parameter. That is in proportion to the parameters as long as a loss costs little but "
        "its calls, and more where it takes longer the more there are. purebp computes once, though in "
        "long integers, and proves a bound. But for the ladder, all this is for one case: in the largest network the "
        f"whole ladder of `purebp check` takes {_ladder(seconds['warm'])} times as long as gradcheck takes for one "
        "case. Checkers that try one direction take the time of a few forward passes: "
        "nothing that looks at every entry can be ahead of that.\n",
        "All checkers are handed a function in NumPy. What that costs, in microseconds for a loss by itself, and how "
        "many times that in the wrapping that each library asks for; in small networks the times of torch and jax are "
        "in good part those of their wrappings:\n",
        _ratios(seconds["wrapped"], 1e6, "µs"),
        "## One gradient\n",
        "Sigmoid layers under the mean squared error; all return the same gradients. The column of purebp is in "
        "microseconds, the others are ratios to it: below 1, in bold, is faster than purebp. *Floor*: the dot "
        "products of this backpropagation alone, by the fastest kernel of the interpreter, which is multiply-adds × "
        "the cost of one.\n",
        *(f"{name.removeprefix(TRAINING)}:\n\n{_ratios(table, 1e6, 'µs')}" for name, table in training.items()),
        "![One gradient, by everyone](performance-training.svg)\n",
        "purebp comes within a small factor of its floor as layers grow. In the smallest networks the time goes into "
        "what is not arithmetic: it validates, works with any number system, keeps every z, a and δ, and computes σ′ "
        "in the form that does not cancel, where nested loops keep nothing and use a (1 − a). NumPy, PyTorch and JAX "
        "run compiled loops, which no interpreter can follow; where they are slower it is by the price of a call. "
        "PyTorch and JAX derive the gradient, the others have it written down; NumPy *from lists* also converts, as "
        "purebp needs not.\n",
        "## Certified gradients\n",
        "All entries with eight samples: milliseconds in floats, and how many times longer they take correctly "
        "rounded, and enclosed by python-flint's arb (in C, at 200 bits). In use "
        f"at the most, for 784-256-10: {facts['memory']['784-256-10, certified']['at most']}.\n",
        _ratios(seconds["certified"], 1e3, "ms"),
        "## Graphs\n",
        "All gradients of one batch: milliseconds by the layers, and how many times longer by the [graph](graph.md) "
        "they are lowered to.\n",
        _ratios(seconds["graph"], 1e3, "ms"),
        "A chain of nodes of one number each, forwards and backwards: microseconds per node in the shortest, and how "
        "many times that in longer ones.\n",
        _ratios(seconds["chains"], 1e6, "µs"),
        "## Over a pipe, and from files\n",
        "A small program in Python that is [asked over a pipe](wire-format.md): milliseconds in all if it is sent its "
        "requests in one go, and how many times that where it is asked.\n",
        _ratios(seconds["over a pipe"], 1e3, "ms"),
        "The test vectors: milliseconds to compute a family anew, and what share of that it takes to read it.\n",
        _ratios(seconds["vectors"], 1e3, "ms"),
        "## Over a cluster\n",
        "Two processes under [dask.distributed](scaling.md), on the two processors that also run everything else:\n",
        _ratios(seconds["over a cluster"], 1e3, "ms"),
        "## From a standing start\n",
        "A fresh process, in milliseconds:\n",
        _ratios(seconds["import"], 1e3, "ms"),
        "The same for the import of NumPy, and for `purebp check docs/examples/two_layers.py`, which needs none:\n",
        _ratios(seconds["check"], 1e3, "ms"),
        "## Measured with\n",
        "".join(f"* {name}: {what}\n" for name, what in found["about"]["with"].items()),
        "What is compared takes turns in one process on one thread, and the medians over the rounds are shown. "
        "Numbers are in [performance.json](performance.json). Facts are to be found again exactly, ratios within a "
        "factor of 2.\n",
    ]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def facts_table(table: dict[str, dict[str, Any]], corner: str) -> str:
    columns = list(next(iter(table.values())))
    return _table([corner, *columns], [[name, *(str(cells[c]) for c in columns)] for name, cells in table.items()])


def _seconds(cells: dict[str, float]) -> str:
    first, *_ = cells.values()
    return _table(["checker", "seconds"], [[name, _bold(number(x), x < first)] for name, x in cells.items()])


EVERY_ENTRY = (CASE, LADDER, "torch gradcheck", "scipy check_grad", "numdifftools Gradient")


def _exponents(table: dict[str, dict[str, float]], columns: Sequence[str]) -> str:
    """Of the growth of these columns, by the last two rows in which each is.

    >>> rows = {"a, 10 parameters": {"x": 1.0, "y": 1.0}, "b, 1,000 parameters": {"x": 10.0, "y": 1e4}}
    >>> _exponents(rows, ["x", "y"])
    'x: 0.5; y: 2.0'
    """
    exponents = []
    for column in columns:
        points = [(_parameters(row), cells[column]) for row, cells in table.items() if column in cells]
        (n, before), (m, after) = points[-2:]
        exponents.append(f"{column}: {log(after / before) / log(m / n):.1f}")
    return "; ".join(exponents)


def _ladder(table: dict[str, dict[str, float]]) -> str:
    *_, largest = table.values()
    return number(largest[LADDER] / largest["torch gradcheck"])


def _columns(table: dict[str, dict[str, float]]) -> list[str]:
    return list(dict.fromkeys(column for cells in table.values() for column in cells))


def _times(table: dict[str, dict[str, float]], unit: float) -> str:
    first, *others = _columns(table)
    rows = [
        [
            name,
            number(unit * cells[first]),
            *(_bold(number(unit * cells[c]), cells[c] < cells[first]) if c in cells else "" for c in others),
        ]
        for name, cells in table.items()
    ]
    return _table(["", first, *others], rows)


def _ratios(table: dict[str, dict[str, float]], unit: float, name_of_unit: str) -> str:
    first, *others = _columns(table)
    rows = []
    for name, cells in table.items():
        ratios = [cells[c] / cells[first] if c in cells else None for c in others]
        shown = [
            "" if x is None else _bold(number(x), first == "purebp" and x < 1 and c != "floor")
            for c, x in zip(others, ratios)
        ]
        rows.append([name, f"{number(unit * cells[first])} {name_of_unit}", *shown])
    return _table(["", first, *others], rows)


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text


def number(x: float) -> str:
    """Two digits that count.

    >>> number(0.0123), number(1.26), number(345.6), number(12345.0)
    ('0.012', '1.3', '350', '12,000')
    """
    x = float(f"{x:.1e}")
    return f"{x:,.0f}" if x >= 10 else f"{x:g}"


# The plots: in colours that are legible on white and on black.

COLOURS = ("#d1242f", "#0969da", "#2da44e", "#bf8700", "#8250df", "#1b9e9e", "#e16f24", "#bf3989", "#7d8590")
GREY = "#7d8590"


def _figure() -> tuple[Any, Any]:
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "purebp", "font.family": "sans-serif", "font.size": 10}
    )
    matplotlib.rcParams.update({f"{part}.color": GREY for part in ("text", "xtick", "ytick")})
    matplotlib.rcParams.update({"axes.edgecolor": GREY, "axes.labelcolor": GREY, "axes.spines.top": False})
    matplotlib.rcParams.update({"axes.spines.right": False, "legend.frameon": False})
    figure, axes = import_module("matplotlib.pyplot").subplots(figsize=(8, 4), layout="constrained")
    return figure, axes


def _save(figure: Any, name: str) -> None:
    figure.savefig(DOCS / name, transparent=True, metadata={"Date": None, "Creator": None})


def checking_plot(found: Found) -> None:
    figure, axes = _figure()
    table = found["seconds"]["warm"]
    for colour, column in zip(COLOURS, _columns(table)):
        points = [(_parameters(row), 1e3 * cells[column]) for row, cells in table.items() if column in cells]
        style = {"linewidth": 2.5 if "purebp" in column else 1.2, "marker": "o", "markersize": 4}
        axes.loglog(*zip(*points), color=colour, label=column, linestyle="-" if "purebp" in column else "--", **style)
    axes.set_xlabel("parameters")
    axes.set_ylabel("milliseconds to the verdict")
    figure.legend(loc="outside right upper")
    _save(figure, "performance-checking.svg")


def training_plot(found: Found) -> None:
    figure, axes = _figure()
    tables = [table for name, table in found["seconds"].items() if name.startswith(TRAINING)]
    table = max(tables, key=lambda table: len(_columns(table)))
    columns = _columns(table)
    for i, (colour, column) in enumerate(zip(COLOURS, columns)):
        points = [
            (j + i / (len(columns) + 2), 1e6 * cells[column])
            for j, cells in enumerate(table.values())
            if column in cells
        ]
        axes.bar(*zip(*points), width=0.9 / (len(columns) + 2), color=colour, label=column)
    axes.set_yscale("log")
    axes.set_xticks([j + 0.35 for j in range(len(table))], [row.partition(",")[0] for row in table])
    axes.set_ylabel("microseconds for one gradient")
    figure.legend(loc="outside right upper")
    _save(figure, "performance-training.svg")


def _parameters(row: str) -> int:
    return int(row.rpartition(", ")[2].removesuffix(" parameters").replace(",", ""))
