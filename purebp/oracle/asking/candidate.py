"""A candidate: whatever can be called for gradients, in its own layout and with its own arrays.

It is called as `candidate(weights, biases, inputs, targets)` and returns `(weight_gradients, bias_gradients)`, with the
outputs before or behind them if they are to be judged too, or a dictionary of any of `outputs`, `loss`, `deltas`,
`weights`, `biases`, or a `Gradients`. What goes wrong on the way is a `Finding`: a kind and a sentence.

>>> from purebp.oracle.cases import ladder
>>> case = ladder(["identity"], biases=False)[0]
>>> ask(lambda weights, biases, inputs, targets: "two", case, Declared(("identity",), biases=False)).findings[0].kind
'not understood'
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from inspect import unwrap
from typing import Any
from warnings import catch_warnings, simplefilter

from purebp.oracle.answer import Answer, Finding, Key, tensor_name
from purebp.oracle.asking.declared import DECLARATIONS, Declared, arguments
from purebp.oracle.cases import Case
from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.linalg import shape, transpose
from purebp.textbook.network import Gradients

Candidate = Callable[..., Any]
NOT_ASKED = "not asked"  # the kind of a finding: a program was given up


def quoted(x: object, most: int = 60) -> str:
    """What a program wrote, on one line and not too long.

    >>> quoted("no\\nsoftmax"), quoted("abcdefgh", 5)
    ("'no\\\\nsoftmax'", "'ab...'")
    """
    text = x if isinstance(x, str) else repr(x)
    return repr(text if len(text) <= most else text[: most - 3] + "...")


class NoAnswer(Exception):
    """What was said, or not said, is no answer; a candidate may raise it as well."""

    def __init__(self, kind: str, sentence: str, fatal: bool = True) -> None:
        super().__init__(sentence)
        self.kind, self.fatal = kind, fatal

    def finding(self, case: str) -> Finding:
        return Finding(self.kind, str(self), case, self.fatal)


def name_of(candidate: Candidate, name: str | None = None, given: str = "(weights, biases, inputs, targets)") -> str:
    """What it is called in reports; an error if it cannot be called.

    >>> name_of(sorted), name_of(sorted, "mine")
    ('sorted', 'mine')
    """
    if not callable(candidate):
        raise PurebpError(f"{candidate!r:.60} cannot be called: a function of {given} is wanted")
    return name or str(getattr(candidate, "__name__", type(candidate).__name__))


def imported_by(candidate: Candidate) -> str:
    """The array libraries that a function imports, or has at hand, as lines that import them: what `guess` reads.

    >>> def mine(weights, biases, inputs, targets):
    ...     import numpy as np
    >>> imported_by(mine)
    'import numpy\\n'
    """
    function = unwrap(candidate)
    while isinstance(function, partial):
        function = unwrap(function.func)
    function = function if hasattr(function, "__code__") else vars(type(function)).get("__call__")
    names = {getattr(value, "__name__", "") for value in getattr(function, "__globals__", {}).values()}
    names |= {*getattr(getattr(function, "__code__", None), "co_names", ())}
    libraries = DECLARATIONS["arrays"].choices
    return "".join(f"import {library}\n" for library in libraries if {library, f"{library}.numpy"} & names)


def ask(candidate: Candidate, case: Case, declared: Declared) -> Answer:
    """Call the candidate with a case."""
    given = dict(zip(("weights", "biases", "inputs", "targets"), arguments(case, declared)))
    return called(candidate, given, case.name, lambda said: _understood(said, case, declared))


def called(
    candidate: Candidate, arguments: Mapping[str, Any], case: str, understood: Callable[[Any], dict[Key, Matrix]]
) -> Answer:
    """Call the candidate with arguments, which have names; what it says is `understood`."""
    names, given = list(arguments), list(arguments.values())
    before = list(map(plain, given))  # a copy
    printed = _Beginning()
    try:
        with redirect_stdout(printed), catch_warnings():
            simplefilter("ignore")  # of arrays that overflow: what comes of it is judged
            answer = candidate(*given)
    except NoAnswer as none:
        return Answer(findings=(none.finding(case),))
    except (Exception, SystemExit) as error:
        return Answer(findings=(Finding("raises", _shortened(error, candidate), case),))
    notes = [*_printed(printed.getvalue(), case), *_changed(names, given, before, case)]
    try:
        return Answer(understood(answer), tuple(notes))
    except NoAnswer as none:
        return Answer(findings=(*notes, none.finding(case)))
    except Exception as error:  # of an object that is not what it looks like
        told = f"what it returns cannot be read: {type(error).__name__}: {error!s:.100}"
        return Answer(findings=(*notes, Finding("not understood", told, case)))


def _printed(text: str, case: str) -> Iterator[Finding]:
    if text:
        first = text.strip().partition("\n")[0][:60]
        yield Finding("prints", f"it prints to stdout ({first!r}): leave the output to the caller", case, False)


def _changed(names: Sequence[str], given: Sequence[Any], before: Sequence[Any], case: str) -> Iterator[Finding]:
    try:
        changed = [name for name, x, old in zip(names, given, before) if plain(x) != old]
    except (ValueError, RecursionError):
        return
    if changed:
        sentence = (
            f"it changes the {', '.join(changed)} it is given: work on copies, for what is "
            "computed after the change uses the new numbers"
        )
        yield Finding("changes its arguments", sentence, case, False)


class _Beginning(io.StringIO):
    """The beginning of what is printed: it may be without end."""

    def write(self, text: str) -> int:
        if self.tell() < 1000:
            super().write(text[:1000])
        return len(text)


def _stripped(cut: Callable[[list[float]], tuple[list[float], float]], turned: bool = False) -> Callable[[Any], Any]:
    """Weights and biases, of matrices that hold the biases as one more column (or row, if turned)."""

    def understood(answer: Any) -> Answered:
        weights = answer[0] if _is_pair(answer) else answer
        matrices = [transpose(plain(rows)) if turned else plain(rows) for rows in weights]
        parts = [[cut(row) for row in rows] for rows in matrices]
        kept = [[row for row, _ in rows] for rows in parts]
        return [transpose(rows) for rows in kept] if turned else kept, [[bias for _, bias in rows] for rows in parts]

    return understood


Answered = tuple[list[Any], list[Any]]
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "the gradients of the weights are transposed": lambda answer: (
        [transpose(plain(rows)) for rows in answer[0]],
        answer[1],
    ),
    "the layers are in reverse order": lambda answer: (answer[0][::-1], answer[1] and answer[1][::-1]),
    "the biases are the last column of the weights": _stripped(lambda row: (row[:-1], row[-1])),
    "the biases are the first column of the weights": _stripped(lambda row: (row[1:], row[0])),
    "the biases are the last row of the weights": _stripped(lambda row: (row[:-1], row[-1]), turned=True),
    "the biases are the first row of the weights": _stripped(lambda row: (row[1:], row[0]), turned=True),
}
"""Other shapes of an answer, and how to read them as (weight gradients, bias gradients)."""


def plain(x: Any) -> Any:
    """Lists of numbers, from arrays, tuples and lists of them.

    >>> plain([(1.0, 2.0), (3.0,)])
    [[1.0, 2.0], [3.0]]
    """
    if type(x) in (float, int):  # as most are
        return x
    if hasattr(x, "detach"):  # a tensor of PyTorch that requires a gradient
        x = x.detach()
    if hasattr(x, "tolist"):
        return x.tolist()
    if isinstance(x, Mapping):
        return {key: plain(item) for key, item in x.items()}
    return [plain(item) for item in x] if isinstance(x, (list, tuple)) else x


def _understood(answer: Any, case: Case, declared: Declared) -> dict[Key, Matrix]:
    """Tensors by name, from any of the forms that an answer may have."""
    if isinstance(answer, Gradients):
        weights = [layer.weights for layer in answer.layers]
        biases = [layer.biases for layer in answer.layers] if declared.biases else None
        answer = {"deltas": [layer.deltas for layer in answer.layers], "weights": weights, "biases": biases}
        declared = replace(declared, weights="out_in", samples="rows")
    if (found := _with_outputs(answer)) is not None:
        outputs, pair = found
        return _by_name({"outputs": outputs}, case, declared) | _in_pairs(pair, case, declared)
    return (_by_name if isinstance(answer, Mapping) else _in_pairs)(answer, case, declared)


def _by_name(answer: Mapping[str, Any], case: Case, declared: Declared) -> dict[Key, Matrix]:
    """Of a dictionary of quantities."""
    if set(answer) - {"outputs", "loss", "deltas", "weights", "biases"} or not answer:
        raise NoAnswer(
            "not understood",
            f"it returns a dictionary with {sorted(map(str, answer))}: the keys "
            "outputs, loss, deltas, weights and biases are understood",
        )
    claim: dict[Key, Matrix] = {}
    turned: Callable[[Matrix], list[list[float]]] = (
        transpose if declared.samples == "columns" else lambda rows: list(map(list, rows))
    )
    if "outputs" in answer:
        claim["outputs", -1] = _shaped("ŷ", turned(_matrix("ŷ", answer["outputs"])), shape(case.batch.targets))
    if "loss" in answer:
        claim["loss", -1] = [[_number("loss", plain(answer["loss"]))]]
    deltas = plain(answer.get("deltas", ()))
    if "deltas" in answer and (not isinstance(deltas, list) or len(deltas) != len(case.network.layers)):
        raise NoAnswer("wrong number of layers", "its deltas are not one matrix for each layer")
    for l, rows in enumerate(deltas):
        name = tensor_name(("deltas", l))
        wanted = len(case.batch.inputs), case.network.sizes[l + 1]
        claim["deltas", l] = _shaped(name, turned(_matrix(name, rows)), wanted)
    for kind in ("weights", "biases"):
        if answer.get(kind) is not None:
            claim |= _tensors(kind, answer[kind], case, declared)
    if not claim:
        raise NoAnswer("not understood", "it returns a dictionary in which everything is None")
    return claim


def _with_outputs(answer: Any) -> tuple[Any, tuple[Any, Any]] | None:
    """The outputs, and (weight gradients, bias gradients), if these are three; it is the weights that are matrices.

    >>> _with_outputs(([[[1.0]]], [[2.0]], [[3.0]])), _with_outputs(([[3.0]], [[[1.0]]], [[2.0]]))
    (([[3.0]], ([[[1.0]]], [[2.0]])), ([[3.0]], ([[[1.0]]], [[2.0]])))
    >>> _with_outputs([[[1.0]], [[2.0]], [[3.0]]])  # the weights of three layers
    """
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:
        return None
    first, second, third = answer
    depths = [_depth(plain(each)) for each in answer]
    if depths[0] == 3 and depths[2] < 3:
        return third, (first, second)
    return (first, (second, third)) if depths[0] < 3 and depths[1] == 3 else None


def _in_pairs(answer: Any, case: Case, declared: Declared) -> dict[Key, Matrix]:
    """Of (weight gradients, bias gradients), or weight gradients alone where there are no biases."""
    if not declared.biases and not _is_pair(answer):
        return _tensors("weights", answer, case, declared)
    try:
        weights, biases = answer
    except (TypeError, ValueError):
        what = "None" if answer is None else f"{type(answer).__name__} {plain(answer)!r:.60}"
        raise NoAnswer(
            "not understood",
            f"it returns {what}: (weight_gradients, bias_gradients) is wanted, each with one item per layer",
        ) from None
    if biases is None and declared.biases:
        raise NoAnswer(
            "not understood", "it returns no biases, but they were declared: return (weight_gradients, bias_gradients)"
        )
    claim = _tensors("weights", weights, case, declared)
    return claim | _tensors("biases", biases, case, declared) if declared.biases else claim


def named_tensors(answer: Any, wanted: Mapping[str, tuple[Key, tuple[int, ...]]]) -> dict[Key, Matrix]:
    """A dictionary of tensors, of which each name has its key and its shape; a vector may be a column."""
    names = ", ".join(map(repr, wanted))
    if not isinstance(answer, Mapping) or not answer:
        what = f"it returns {type(answer).__name__} {plain(answer)!r:.60}"
        raise NoAnswer("not understood", f"{what}: a dictionary from names to gradients is wanted, known are {names}")
    claim: dict[Key, Matrix] = {}
    for name, item in answer.items():
        if name not in wanted:
            raise NoAnswer("not understood", f"it returns {name!r:.60}: known are {names}")
        key, size = wanted[name]
        rows = _matrix(key[0], item)
        column = len(size) == 1 and shape(rows) == (*size, 1)
        n, m = (1, 1, *size)[-2:]
        claim[key] = _shaped(key[0], transpose(rows) if column else rows, (n, m))
    return claim


def _is_pair(answer: Any) -> bool:
    """Whether these are (weight gradients, bias gradients or None), and not the gradients of two layers."""
    if not isinstance(answer, (list, tuple)) or len(answer) != 2:
        return False
    first, second = map(plain, answer)
    return second is None or second == [] or _depth(first) == 3


def _depth(x: Any) -> int:
    return 1 + _depth(x[0]) if isinstance(x, list) and x else 0


def _tensors(kind: str, items: Any, case: Case, declared: Declared) -> dict[Key, Matrix]:
    """The gradients of all weights, or of all biases."""
    layers = case.network.layers
    items = plain(items) if hasattr(items, "tolist") else items
    if not isinstance(items, (list, tuple)):
        raise NoAnswer("not understood", f"its {kind} are {items!r:.60}: a list with one item per layer is wanted")
    if len(items) != len(layers):
        raise NoAnswer(
            "wrong number of layers",
            f"it returns {kind} for {len(items)} layer{'s' * (len(items) != 1)}, and is asked with {len(layers)}",
        )
    claim: dict[Key, Matrix] = {}
    for l, (layer, item) in enumerate(zip(layers, items)):
        key, turned = (kind, l), kind == "weights" and declared.weights == "in_out"
        if kind == "biases" and (layer.biases is None or (_nothing(item) and not all(map(_nothing, items)))):
            continue  # it may have none there
        name = tensor_name(key, declared.returns)
        rows = _matrix(name, item)
        if kind == "weights":
            rows = transpose(rows) if turned else rows
            claim[key] = _shaped(name, rows, shape(layer.weights), turned)
        else:
            n_out = len(layer.weights)
            columns = "columns" in (declared.biases, isinstance(declared.biases, tuple) and declared.biases[l])
            turn = columns and shape(rows) != (1, n_out)  # as is wanted, for the message
            rows = transpose(rows) if turn or shape(rows) == (n_out, 1) else rows
            claim[key] = _shaped(name, rows, (1, n_out), columns, samples=len(case.batch.inputs))
    return claim


def _nothing(item: Any) -> bool:
    return plain(item) in (None, [])


def _matrix(name: str, item: Any) -> list[list[float]]:
    """Rows of floats; a vector is one row, and a number one row with one number."""
    given = plain(item)
    if given is None:
        raise NoAnswer("not understood", f"{name} is None: numbers are wanted")
    if not isinstance(given, list):
        given = [[given]]
    elif given and not isinstance(given[0], list):
        given = [given]
    if not given or not all(isinstance(row, list) and row for row in given):
        raise NoAnswer("wrong shape", f"{name} is {given!r:.60}: a matrix of numbers is wanted")
    if len({len(row) for row in given}) > 1:
        raise NoAnswer("wrong shape", f"{name} is ragged: its rows have {[len(row) for row in given]} numbers")
    return [[_number(name, x) for x in row] for row in given]


def _number(name: str, x: Any) -> float:
    while isinstance(x, list) and len(x) == 1:
        x = x[0]
    try:
        number = float("text" if isinstance(x, (str, bytes, bool)) else x)
    except (TypeError, ValueError, OverflowError):
        raise NoAnswer("not understood", f"{name} holds {x!r:.60}: a number is wanted") from None
    if number != number:
        raise NoAnswer("NaN", f"{name} holds NaN: something overflows, or 0 is divided by 0 or multiplied by ∞")
    return number


def _shaped(
    name: str, rows: list[list[float]], wanted: tuple[int, int], turned: bool = False, samples: int = 0
) -> Matrix:
    given, (rows_wanted, columns_wanted) = shape(rows), wanted
    if given == wanted:
        return rows
    shown_given, shown_wanted = (given[::-1], wanted[::-1]) if turned else (given, wanted)
    hint = ""
    if given == wanted[::-1] and rows_wanted != 1:
        hint = ": it is transposed"
    elif rows_wanted == 1 and samples and given in ((samples, columns_wanted), (columns_wanted, samples)):
        hint = ": it is not summed over the samples"
    elif given == (1, 1):
        hint = ": it is summed over all axes"
    elif rows_wanted == 1 and given in ((1, samples), (samples, 1)):
        hint = ": it is summed over the neurons, not over the samples"
    elif given == (rows_wanted, columns_wanted + 1):
        hint = ": it has a column more, for the biases perhaps: return those apart"
    elif given == (rows_wanted + 1, columns_wanted):
        hint = ": it has a row more, for the biases perhaps: return those apart"
    raise NoAnswer("wrong shape", f"{name} has shape {shown_given}, {shown_wanted} is wanted{hint}")


def _shortened(error: BaseException, candidate: Candidate) -> str:
    """The traceback from the candidate's own file on."""
    code = getattr(candidate, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [frame for frame in frames if code is None or frame.filename == code.co_filename] or frames
    try:
        lines = [f"it raises {type(error).__name__}: {error}"]
    except Exception:
        lines = [f"it raises {type(error).__name__}"]
    lines += [f"  line {frame.lineno}, in {frame.name}: {frame.line}" for frame in own[-5:]]
    return "\n".join(lines)
