"""Requests and answers as text, one line each: JSON, or the line dialect (docs/wire-format.md).

>>> given = [[[0.5, -0.25]]], None, [[1.0, 0.5]], [[1.0]]
>>> request = asked(given, Declared(("tanh",), biases=False))
>>> print(request.in_words("7"))
run 7 1 2 1 1 mse 0 tanh 0 0.5 -0.25 1.0 0.5 1.0
>>> read_words("7 gradients 0.125 0.0625 loss 2", "7", request)
{'gradients': [{'weights': [[0.125, 0.0625]], 'biases': None}], 'loss': 2.0}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from struct import pack, unpack
from typing import Any

from purebp.oracle.asking.candidate import NoAnswer, quoted
from purebp.oracle.asking.declared import DECLARATIONS, Declared
from purebp.oracle.cases import default_loss
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.names import printable
from purebp.textbook.serialization import parsed

HELLO = json.dumps({"cmd": "hello", "protocol": 1})
ANSWER_KEYS = ("outputs", "loss", "deltas", "gradients", "step")
DESCRIBED = ("protocol", "name", "language", "version", "quantities")  # what a hello holds besides declarations


@dataclass(frozen=True, slots=True)
class Hello:
    """What a program says of itself; `declares` has the names of `Declared`."""

    name: str
    language: str = ""
    version: str = ""
    words: bool = False  # it speaks the line dialect
    bits: bool = False  # numbers are bit patterns
    declares: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What a program is asked with: as JSON has it, and the sizes, which depend on the layout."""

    given: dict[str, Any]
    sizes: tuple[int, ...]
    samples: int
    columns: bool = False  # samples are columns
    returns: str | None = None  # what is wanted, as `Declared` has it

    def in_json(self, number: str, bits: bool = False) -> str:
        """As one line of JSON."""
        return json.dumps({"cmd": "run", "id": number, "given": patterned(self.given) if bits else self.given})

    def in_words(self, number: str, bits: bool = False) -> str:
        """As one line of words, sizes first."""
        write, given = to_bits if bits else repr, self.given
        words = ["run", number, str(len(given["layers"])), *map(str, self.sizes), str(self.samples)]
        words += [given["loss"], write(float(given["learning_rate"])) if "learning_rate" in given else "0"]
        for layer in given["layers"]:
            words += [layer["activation"], "0" if layer["biases"] is None else "1"]
            words += map(write, numbers([layer["weights"], layer["biases"]]))
        return " ".join([*words, *map(write, numbers([given["inputs"], given["targets"]]))])

    def like(self, quantity: str) -> Any:
        """Something in the shape of the quantity."""
        if quantity in ("gradients", "step"):
            return [{key: layer[key] for key in ("weights", "biases")} for layer in self.given["layers"]]
        if quantity == "deltas":
            turns = [(n, self.samples) if self.columns else (self.samples, n) for n in self.sizes[1:]]
            return [[[0.0] * columns] * rows for rows, columns in turns]
        return {"outputs": self.given["targets"], "loss": 0.0}[quantity]


def asked(arguments: Sequence[Any], declared: Declared) -> Request:
    """The request for what a candidate is called with: weights, biases, inputs, targets, in the layout it declared."""
    weights, biases, inputs, targets = arguments
    functions = declared.per_layer(len(weights))
    layers = [
        {"weights": w, "biases": b, "activation": f.name}
        for w, b, f in zip(weights, biases or [None] * len(weights), functions)
    ]
    loss = default_loss(functions, declared.loss).name
    given: dict[str, Any] = {"layers": layers, "inputs": inputs, "targets": targets, "loss": loss}
    if declared.learning_rate is not None:
        given["learning_rate"] = declared.learning_rate
    shapes = [(len(w[0]), len(w)) for w in weights]
    if declared.weights == "in_out":
        shapes = [shape[::-1] for shape in shapes]
    columns = declared.samples == "columns"
    samples = {"rows": len(targets), "columns": len(targets[0]) if columns else 0, "vector": 1}[declared.samples]
    return Request(given, (shapes[0][0], *(n_out for _, n_out in shapes)), samples, columns, declared.returns)


def numbers(x: Any) -> Iterator[float]:
    """The numbers in lists, objects and lists of them, in their order.

    >>> list(numbers([{"weights": [[1.0, 2.0]], "biases": None}, 3.0]))
    [1.0, 2.0, 3.0]
    """
    if isinstance(x, (dict, list, tuple)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from numbers(item)
    elif x is not None:
        yield x


def mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """The same lists and objects, with everything else changed, null apart."""
    if isinstance(x, dict):
        return {key: mapped(value, change) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [mapped(item, change) for item in x]
    return None if x is None else change(x)


def to_bits(x: float) -> str:
    """The bit pattern of a double, in hexadecimal.

    >>> to_bits(0.5), from_bits("3fe0000000000000")
    ('3fe0000000000000', 0.5)
    """
    return pack(">d", x).hex()


def from_bits(text: str) -> float:
    """The double of a bit pattern."""
    try:
        number: float = unpack(">d", bytes.fromhex(text))[0]
    except Exception:
        raise NoAnswer("malformed", f"{quoted(text)} is no bit pattern: 16 hexadecimal digits are wanted") from None
    return number


def patterned(document: Any) -> Any:
    """The document with every number as its bit pattern."""
    return mapped(document, lambda x: to_bits(x) if isinstance(x, float) else x)


def read_hello(line: str) -> Hello:
    """The answer to the hello, in either dialect.

    >>> read_hello("hello 1 mine activations=tanh,identity biases=false").declares
    {'activations': ['tanh', 'identity'], 'biases': False}
    >>> read_hello('{"protocol": 1, "name": "mine", "language": "Java", "sizes": [2, 1]}').declares
    {'sizes': [2, 1]}
    """
    words = not line.lstrip().startswith("{")
    said = _hello_in_words(line) if words else _object(line)
    named = isinstance(said.get("name"), str) and said["name"]
    if type(said.get("protocol")) is not float or said["protocol"] != 1 or not named:
        raise NoAnswer("malformed", f'it says {quoted(line)}: a hello with "protocol": 1 and a "name" is wanted')
    name, language, version = (_said(said.get(key, "")) for key in ("name", "language", "version"))
    floats = said.pop("floats", "decimal")
    if floats not in ("decimal", "bits"):
        raise NoAnswer("malformed", f'its hello has floats {floats!r:.20}: "decimal" or "bits" is wanted')
    declares = {key: _whole(value) for key, value in said.items() if key not in DESCRIBED and value is not None}
    known = DECLARATIONS.keys() - {"arrays"}
    if unknown := sorted(declares.keys() - known):
        keys = ", ".join((*DESCRIBED, *sorted(known), "floats"))
        raise NoAnswer("malformed", f"its hello has {quoted(unknown[0])}: known are {keys}")
    return Hello(name, language, version, words, floats == "bits", declares)


def _hello_in_words(line: str) -> dict[str, Any]:
    words = line.split()
    if words[:2] != ["hello", "1"] or len(words) < 3:
        raise NoAnswer(
            "malformed", f"it says {quoted(line)}: a hello is wanted, in JSON, or hello 1 NAME key=value ..."
        )
    said: dict[str, Any] = {"protocol": 1.0, "name": words[2]}
    for word in words[3:]:
        key, _, value = word.partition("=")
        if key in said:
            raise NoAnswer("malformed", f"its hello has {quoted(key)} twice")
        several = "," in value and not value.endswith(",...")
        said[key] = {"true": True, "false": False}.get(value, value.split(",") if several else value)
    return said


def _whole(x: Any) -> Any:
    """Whole numbers as integers: JSON does not tell 2 from 2.0."""
    return mapped(x, lambda item: int(item) if isinstance(item, float) and item.is_integer() else item)


def read_json(line: str, number: str, bits: bool = False) -> dict[str, Any]:
    """The quantities in an answer in JSON; `NoAnswer` if it is none, an error or a skip."""
    said = _object(line)
    if said.get("id") != number:
        given = f"the id {_said(repr(_whole(said['id'])))}, which it was not asked for" if "id" in said else "no id"
        raise NoAnswer("malformed", f'it answers with {given}: "{number}" is wanted, a string, as it was asked')
    return in_object(said, bits)


def in_object(said: dict[str, Any], bits: bool = False) -> dict[str, Any]:
    """The quantities in an answer that has been parsed.

    >>> in_object({"id": "7", "loss": "3fe0000000000000"}, bits=True)
    {'loss': 0.5}
    """
    error = said.get("error")
    if error is not None:
        told = (
            ": ".join(str(error[key]) for key in ("kind", "message") if key in error)
            if isinstance(error, dict)
            else error
        )
        raise NoAnswer("error", f"it reports an error: {_said(told)}")
    if said.get("skip") not in (None, False):
        raise NoAnswer("skipped", f"it skips it: {_said(said['skip'])}", fatal=False)
    quantities = {key: value for key, value in said.items() if key not in ("id", "error", "skip")}
    if unknown := sorted(quantities.keys() - set(ANSWER_KEYS)):
        raise NoAnswer("malformed", f"its answer has {quoted(unknown[0])}: known are {', '.join(ANSWER_KEYS)}")
    return mapped(quantities, lambda x: from_bits(x) if isinstance(x, str) else x) if bits else quantities


def _object(line: str) -> dict[str, Any]:
    try:
        document = parsed(line)
    except PurebpError as error:
        raise NoAnswer("malformed", f"it writes {quoted(line)}, which is no answer: {error}") from None
    if not isinstance(document, dict):
        raise NoAnswer("malformed", f"it writes {quoted(line)}: an object is wanted")
    return document


def read_words(line: str, number: str, request: Request, bits: bool = False) -> dict[str, Any]:
    """The quantities in an answer in the line dialect, in the shapes of JSON."""
    told, *words = line.split() or [""]
    if told != number or not words:
        raise NoAnswer(
            "malformed", f"it writes {quoted(line)}, which it was not asked for: {number} and an answer are wanted"
        )
    rest = _said(" ".join(words[1:]))
    if words[0] == "error":
        raise NoAnswer("error", f"it reports an error: {rest}")
    if words[0] == "skip":
        raise NoAnswer("skipped", f"it skips it: {rest}", fatal=False)
    if words[0] not in ANSWER_KEYS:
        raise NoAnswer("malformed", f"it answers {quoted(words[0])}: one of {', '.join(ANSWER_KEYS)} is wanted")
    quantities: dict[str, list[float]] = {}
    for word in words:
        if word in quantities:
            raise NoAnswer("malformed", f"its answer has {word} twice")
        if word in ANSWER_KEYS:
            last = quantities[word] = []
        else:
            last.append(from_bits(word) if bits else _decimal(word))
    return {quantity: _shaped(quantity, values, request) for quantity, values in quantities.items()}


def _decimal(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise NoAnswer("malformed", f"its answer holds {quoted(word)}: a number is wanted") from None


def _shaped(quantity: str, values: list[float], request: Request) -> Any:
    like = request.like(quantity)
    wanted = sum(1 for _ in numbers(like))
    if quantity in ("gradients", "step") and len(values) < wanted:
        without = [{"weights": layer["weights"]} for layer in like]  # as who forgets the biases answers
        if len(values) == sum(1 for _ in numbers(without)):
            like, wanted = without, len(values)
    if len(values) != wanted:
        raise NoAnswer("wrong shape", f"it answers {quantity} with {len(values)} numbers: {wanted} are wanted")
    rest = iter(values)
    return mapped(like, lambda x: next(rest))


def in_words(number: str, quantities: dict[str, Any], bits: bool = False) -> str:
    """An answer in the line dialect.

    >>> in_words("7", {"loss": 0.5, "outputs": [[1.0, 2.0]]})
    '7 loss 0.5 outputs 1.0 2.0'
    """
    write = to_bits if bits else repr
    return " ".join([number, *(word for name, x in quantities.items() for word in (name, *map(write, numbers(x))))])


def as_candidate(answer: dict[str, Any], returns: str | None) -> Any:
    """An answer as candidates give it: (weight gradients, bias gradients), or a dictionary of quantities.

    returns: what was declared. Of gradients and a step, that is taken; if it is not given, but the other one is, an error.
    """
    if not answer:
        raise NoAnswer("malformed", f"its answer is empty: one of {', '.join(ANSWER_KEYS)} is wanted")
    for name, x in answer.items():
        if x is None:
            raise NoAnswer("malformed", f"its {name} is null: leave out what it does not compute")
    others = dict(answer)
    given = {key: others.pop(key) for key in ("gradients", "step") if key in others}
    if not given:
        return others
    wanted = next(iter(given)) if returns is None else "step" if returns in ("step", "change") else "gradients"
    if wanted not in given:
        (other,) = given
        raise NoAnswer(
            "malformed", f'it gives {other} and is declared to return {wanted}: give "{wanted}", or declare that'
        )
    layers = given[wanted]
    if not isinstance(layers, list) or not all(
        isinstance(layer, dict) and {"weights"} <= layer.keys() <= {"weights", "biases"} for layer in layers
    ):
        like = 'a list of {"weights": ..., "biases": ...}, one for each layer, is wanted'
        raise NoAnswer("malformed", f"it gives {quoted(layers)}: {like}")
    weights, biases = ([layer.get(key) for layer in layers] for key in ("weights", "biases"))
    if all(b is None for b in biases):
        return {**others, "weights": weights}
    return {**others, "weights": weights, "biases": biases} if others else (weights, biases)


def in_a_file(document: Any, returns: str | None) -> Any:
    """An answer that stands alone, as candidates give it: an object of quantities, one of weights and biases, or a list.

    >>> in_a_file([{"weights": [[0.5]], "biases": [0.25]}], "gradients")
    ([[[0.5]]], [[0.25]])
    >>> in_a_file({"weights": [[[0.5]]], "loss": 2.0}, None)
    {'weights': [[[0.5]]], 'loss': 2.0}
    """
    if isinstance(document, list) and document and all(isinstance(layer, dict) for layer in document):
        document = {"step" if returns == "step" else "gradients": document}
    if isinstance(document, list) and document:
        return document
    if not isinstance(document, dict):
        like = 'an object such as {"gradients": [...]} or {"weights": [...], "biases": [...]}, or a list of layers'
        raise NoAnswer("malformed", f"it holds {quoted(document)}: {like} is wanted")
    parts = {key: document[key] for key in ("weights", "biases") if key in document}
    if not parts:
        return as_candidate(in_object(document), returns)
    if both := sorted(document.keys() & {"gradients", "step"}):
        raise NoAnswer("malformed", f"it holds {both[0]}, and {next(iter(parts))} beside them: give one of the two")
    return {**parts, **in_object({key: x for key, x in document.items() if key not in parts})}


def _said(x: Any) -> str:
    """What a program says, on one line and not too long."""
    return printable(f"{x!s:.200}")
