"""Data sets from tables, their parts, their scaling, and what a network makes of them."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, PurebpError
from purebp.cli.training.datasets import BUILT_IN, Dataset, accuracy, confusion, load, parse_csv, scalings, split
from purebp.cli.training.scaling import Scaling

fractions = st.floats(0, 0.99)


@st.composite
def labelled(draw: st.DrawFn) -> Dataset:
    """Classes of any sizes, one sample each at least."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    classes = [k for k, size in enumerate(sizes) for _ in range(size)]
    targets = [[float(k == c) for k in range(len(sizes))] for c in classes]
    batch: Batch = Batch([[float(i)] for i in range(len(classes))], targets)
    return Dataset("drawn", batch, ("x",), "y", tuple(map(str, range(len(sizes)))))


class TestParsing:
    def test_the_built_in_data_are_what_they_are_said_to_be(self) -> None:
        digits, iris, xor = map(load, ("digits", "iris", "xor"))
        assert (1797, 64, 10) == (len(digits.batch.inputs), len(digits.features), len(digits.classes))
        assert tuple(map(str, range(10))) == digits.classes
        assert (0.0, 16.0) == (min(map(min, digits.batch.inputs)), max(map(max, digits.batch.inputs)))
        assert {50} == set(Counter(iris.batch.targets).values())
        assert ("0", "1") == xor.classes
        assert {"digits", "iris", "xor"} == set(BUILT_IN)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_the_delimiter_is_found(self, delimiter: str) -> None:
        text = "a,b\n1,2.5\n2,4.5\n".replace(",", delimiter)
        assert ((1.0,), (2.0,)) == parse_csv(text, "t").batch.inputs

    def test_blank_lines_quotes_and_spaces_do_not_matter(self) -> None:
        plain = parse_csv("a,b\n1,2.5\n2,4.5\n", "t")
        assert plain == parse_csv('\n"a", "b"\r\n 1, 2.5\r\n\r\n2 ,4.5\r\n\r\n', "t")

    @pytest.mark.parametrize("text", ["1,2.5\n2,4.5\n", "5.1,x\n3,y\n3,x\n"])
    def test_a_first_line_with_a_number_is_data(self, text: str) -> None:
        data = parse_csv(text, "t")
        assert (("c0",), "c1") == (data.features, data.target)
        assert len(text.splitlines()) == len(data.batch.inputs)

    def test_any_column_can_be_the_target(self) -> None:
        data = parse_csv("a,b,c\n1,red,3\n2,blue,4\n3,red,5\n", "t", target="b")
        assert (("a", "c"), ("blue", "red")) == (data.features, data.classes)
        assert ((1.0, 3.0), (2.0, 4.0), (3.0, 5.0)) == data.batch.inputs

    @pytest.mark.parametrize(
        ("column", "classes"),
        [
            (["0", "1", "1.0", "0"], ("0", "1")),
            (["10", "9", "9", "10"], ("9", "10")),
            (["b", "a", "b", "c"], ("a", "b", "c")),
            (["1", "2", "other", "1", "2", "other"], ("1", "2", "other")),
            (["1_0", "0_1", "1_0"], ("0_1", "1_0")),
            (["1", "3", "5", "7"], ()),
            (["0.5", "1", "0.5", "1"], ()),
            ([str(i % 21) for i in range(84)], ()),
        ],
    )
    def test_classes_and_numbers_are_told_apart(self, column: list[str], classes: tuple[str, ...]) -> None:
        text = "x,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(column))
        assert classes == parse_csv(text, "t").classes

    def test_what_the_target_holds_can_be_said(self) -> None:
        text = "x,y\n1,0\n2,1\n3,0\n4,1\n"
        assert ((0.0,), (1.0,), (0.0,), (1.0,)) == parse_csv(text, "t", predict="numbers").batch.targets
        assert ("0.5", "1") == parse_csv("x,y\n1,.5\n2,1\n3,0.5\n", "t", predict="classes").classes

    @given(st.text(max_size=60) | st.text('1,;.\n"ab \t', max_size=60))
    def test_any_text_is_a_data_set_or_refused_in_one_line(self, text: str) -> None:
        try:
            data = parse_csv(text, "t")
        except PurebpError as error:
            assert str(error).startswith("t")
        else:
            assert all(math.isfinite(x) for row in data.batch.inputs for x in row)


class TestSplit:
    @given(labelled(), fractions, st.integers(0, 99))
    def test_every_sample_is_in_one_part_and_every_class_in_training(
        self, data: Dataset, fraction: float, seed: int
    ) -> None:
        training, test = split(data, fraction, seed)
        parts = [training] if test is None else [training, test]
        assert Counter(data.batch.inputs) == Counter(row for part in parts for row in part.inputs)
        assert set(data.batch.targets) == set(training.targets)
        targets = dict(zip(data.batch.inputs, data.batch.targets))
        assert all(targets[x] == y for part in parts for x, y in zip(part.inputs, part.targets))

    def test_the_seed_decides(self) -> None:
        iris = load("iris")
        assert split(iris, 0.2, 1) == split(iris, 0.2, 1)
        assert split(iris, 0.2, 1) != split(iris, 0.2, 2)

    def test_numbers_are_split_too(self) -> None:
        data = parse_csv("x,y\n" + "".join(f"{i},{i / 8}\n" for i in range(50)), "t")
        training, test = split(data, 0.3, 0)
        assert test is not None and (35, 15) == (len(training.inputs), len(test.inputs))

    @pytest.mark.parametrize("fraction", [-0.1, 1.0, math.nan])
    def test_other_fractions_are_refused(self, fraction: float) -> None:
        with pytest.raises(PurebpError, match="from 0 to below 1"):
            split(load("xor"), fraction, 0)


class TestScalings:
    def test_pixels_are_divided_and_nothing_else(self) -> None:
        digits = load("digits")
        inputs, outputs = scalings(digits, digits.batch)
        assert (Scaling((0.0,) * 64, (16.0,) * 64), None) == (inputs, outputs)


class TestConfusion:
    def test_it_counts_every_sample_once(self) -> None:
        iris = load("iris").batch
        counts = confusion(Network.random([4, 3], "softmax", seed=1), iris)
        assert [50, 50, 50] == list(map(sum, counts))

    def test_a_perfect_network_is_on_the_diagonal(self) -> None:
        batch: Batch = Batch([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
        counts = confusion(Network([Layer([[1.0, 0.0], [0.0, 1.0]], None, "identity")]), batch)
        assert ([[1, 0], [0, 1]], 1.0) == (counts, accuracy(counts))
