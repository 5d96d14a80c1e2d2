"""Requests and answers as text: what is written is read back, and nothing that is read breaks the reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.asking.candidate import NoAnswer, ask
from purebp.oracle.asking.declared import Declared, arguments
from purebp.oracle.asking.wire import (
    as_candidate,
    asked,
    from_bits,
    in_words,
    read_hello,
    read_json,
    read_words,
    to_bits,
)
from purebp.oracle.cases import Case
from purebp.oracle.vectors.answers import read
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.making import verify
from purebp.oracle.vectors.vector import FAMILIES, Vector
from purebp.testing.strategies import cases
from purebp.textbook.arithmetic import PurebpError

FLOATS = st.floats(allow_nan=False)


@given(FLOATS)
def test_bit_patterns_are_read_back(x: float) -> None:
    assert from_bits(to_bits(x)) == x and len(to_bits(x)) == 16


@given(cases(), st.sampled_from(["out_in", "in_out"]), st.sampled_from(["rows", "columns"]), st.booleans())
def test_requests_in_words_hold_the_numbers_of_those_in_json(
    case: Case, weights: str, samples: str, bits: bool
) -> None:
    names = tuple(layer.activation.name for layer in case.network.layers)
    declared = Declared(names, weights=weights, samples=samples, learning_rate=0.125)
    request = asked(arguments(case, declared), declared)
    document = json.loads(request.in_json("7", bits))
    assert document["given"]["learning_rate"] == (to_bits(0.125) if bits else 0.125)
    words = request.in_words("7", bits).split(" ")
    depth = len(names)
    assert words[:3] == ["run", "7", str(depth)]
    assert tuple(map(int, words[3 : depth + 4])) == case.network.sizes
    assert int(words[depth + 4]) == len(case.batch.inputs)
    numbers = [word for word in words[depth + 7 :] if word not in (*names, "0", "1")]
    assert numbers == [x if bits else repr(x) for x in flat(document["given"])]


def flat(given: dict[str, Any]) -> Iterator[Any]:
    def numbers(x: Any) -> Iterator[Any]:
        if isinstance(x, list):
            for item in x:
                yield from numbers(item)
        elif x is not None:
            yield x

    for layer in given["layers"]:
        yield from numbers([layer["weights"], layer["biases"]])
    yield from numbers([given["inputs"], given["targets"]])


@given(cases(), st.booleans(), st.data())
def test_answers_in_words_are_read_as_those_in_json(case: Case, bits: bool, data: st.DataObject) -> None:
    names = tuple(layer.activation.name for layer in case.network.layers)
    declared = Declared(names)
    request = asked(arguments(case, declared), declared)
    chosen = data.draw(
        st.lists(st.sampled_from(["outputs", "loss", "deltas", "gradients", "step"]), min_size=1, unique=True)
    )
    random = Random(data.draw(st.integers()))

    def drawn(like: Any) -> Any:
        if isinstance(like, dict):
            return {key: drawn(x) for key, x in like.items()}
        return [drawn(x) for x in like] if isinstance(like, (list, tuple)) else like and random.gauss(0, 1)

    answer = {name: drawn(request.like(name)) for name in chosen}
    written = json.dumps({"id": "7", **answer})
    assert read_json(written, "7") == answer
    assert read_words(in_words("7", answer, bits), "7", request, bits) == answer


VECTORS = {vector.id: vector for family in FAMILIES for vector in load(family)}
ONE = VECTORS["gradients-sigmoid-identity-mse-one-sample"]
LAYERS = [{"weights": [[0.5, -1.0], [0.25, 3.0], [1e-3, 2.0]], "biases": [0.0, 1.0, -1.0]}]
LAYERS += [{"weights": [[1.0, 2.0, 3.0]], "biases": [4.0]}]
OBJECTS = [
    {"id": ONE.id, "gradients": LAYERS, "loss": 0.5, "outputs": [[1.0]]},
    {"id": "refused-no-layers", "error": {"kind": "shape", "message": "none"}},
    {"id": "forward-gelu-identity-mse-one-sample", "skip": "no gelu"},
]
SEEDS = [
    json.dumps(OBJECTS),
    json.dumps({"answers": OBJECTS}, indent=1),
    "\n".join(map(json.dumps, OBJECTS)),
    f"hello 1 mine\n{ONE.id} gradients 0.5 -1 0.25 3 1e-3 2 0 1 -1 1 2 3 4 loss 0.5",
    json.dumps({"protocol": 1, "name": "mine", "activations": ["tanh", "identity"], "sizes": [2, 3, 1]}),
    "hello 1 mine activations=tanh,identity sizes=2,3,1 biases=false floats=bits",
    json.dumps({"id": "1", "gradients": LAYERS, "deltas": [[[0.5, 1.0, 2.0]], [[3.0]]]}),
    "1 outputs 1 loss 0.5 deltas 1 2 3 4 gradients 0.5 -1 0.25 3 1e-3 2 0 1 -1 1 2 3 4",
]
TOKENS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "9" * 5000,
    "-0",
    "null",
    "true",
    "[]",
    "{}",
    '"',
    "\\u0000",
    "\\ud800",
]
TOKENS += [
    "[" * 50,
    "[" * 100_000,
    '{"a":' * 2000,
    "]" * 30,
    '"id": "1", ',
    "\n",
    "\x00",
    "\u2028",
    "é",
    "\udcff",
    " ",
    ",",
]
TOKENS += ["gradients", "step", "loss", "error", "skip", "run", '"weights"', '{"weights": 1}', "0x1p3", "1_0", "٣"]


def mutated(random: Random, text: str) -> str:
    """Cut, doubled, shuffled, or with something put in."""
    for _ in range(random.choice((1, 1, 2, 4))):
        i, j = sorted(random.randrange(len(text) + 1) for _ in range(2))
        j = min(j, i + random.choice((1, 3, 20, 10_000)))
        text = random.choice(
            (
                lambda: text[:i] + text[j:],
                lambda: text[:j] + text[i:],
                lambda: text[:i] + random.choice(TOKENS) + text[i:],
                lambda: text[:i] + random.choice(TOKENS) + text[j:],
                lambda: text[:i] + text[i:j][::-1] + text[j:],
                lambda: text[:i] + chr(random.randrange(1, 0x250)) + text[i + 1 :],
            )
        )()
    return text


def answered(vector: Vector, quantities: Any) -> None:
    def candidate(*given: Any) -> Any:
        return as_candidate(quantities, "gradients")

    answer = ask(candidate, vector.case, Declared(**vector.declared))
    assert answer.claim or answer.findings


def judge_reader(text: str) -> None:
    for number, answer in read(text, VECTORS):
        if not isinstance(answer, NoAnswer) and VECTORS[number].family != "refused":
            answered(VECTORS[number], answer)


READERS: list[Callable[[str], Any]] = [
    judge_reader,
    read_hello,
    lambda line: answered(ONE, read_json(line, "1")),
    lambda line: answered(ONE, read_words(line, "1", ONE.request)),
    lambda line: answered(ONE, read_words(line, "1", ONE.request, bits=True)),
]


@pytest.mark.parametrize("part", range(5))
def test_no_mutated_input_breaks_a_reader(part: int) -> None:
    """50,000 in all; each is read, or refused with a sentence."""
    random, refused = Random(f"mutated {part}"), 0
    for _ in range(2500):
        text = mutated(random, random.choice(SEEDS))
        for reader in random.sample(READERS, 4):
            try:
                reader(text)
            except (PurebpError, NoAnswer) as error:
                refused += 1
                assert 10 < len(str(error)) < 1000, error
    assert 1000 < refused < 9900  # some mutations leave a right answer, most do not


def test_no_mutated_file_of_vectors_breaks_its_verification() -> None:
    from purebp.oracle.vectors.files import shipped, text
    from purebp.textbook.serialization import parsed

    whole = json.loads(shipped("gradients.json"))
    whole["tests"] = whole["tests"][:1]
    seed, random = text(whole), Random(5)
    for _ in range(500):
        with_errors = mutated(random, seed)
        try:
            list(verify(parsed(with_errors)))
        except PurebpError as error:
            assert len(str(error)) < 1000


def test_a_hundred_thousand_keys_are_no_trouble() -> None:
    """Nor is one of them twice: the search for it is not quadratic."""
    pairs = [f'"{k}": {k}' for k in range(100_000)]
    for text, sentence in (
        ("{" + ",".join(pairs) + "}", "with no id"),
        ("{" + ",".join([*pairs, pairs[-1]]) + "}", "twice"),
    ):
        with pytest.raises(NoAnswer, match=sentence):
            read_json(text, "1")
