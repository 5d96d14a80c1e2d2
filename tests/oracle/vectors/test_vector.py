"""A vector is read from a file, or the file is refused."""

from __future__ import annotations

from typing import Any

import pytest

from purebp.oracle.vectors.drawn import vectors
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import FAMILIES, read
from tests.oracle.vectors.samples import FILES, TESTS


def test_read_refuses_what_is_no_file_of_vectors() -> None:
    documents: list[Any] = [[], {}, {"tests": [], "family": "others"}, {"tests": [{"id": 3}], "family": "loss"}, None]
    for other in documents:
        with pytest.raises(ValueError, match="no file of test vectors"):
            read(other)


def test_reading_is_the_inverse_of_making() -> None:
    """That the files are what is made, test_making.py says."""
    for family in FAMILIES:
        assert read(FILES[family]) == list(vectors(family)) == load(family)


def test_the_request_holds_what_is_given() -> None:
    for vector, _ in TESTS:
        if vector.family != "refused":
            assert vector.request.given == vector.given
            assert vector.request.sizes == vector.case.network.sizes
