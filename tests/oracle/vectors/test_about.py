"""What files say of themselves is about what stands in them."""

from __future__ import annotations

import re

from purebp.oracle.vectors.about import NOTES
from tests.oracle.vectors.samples import FILES, TESTS


def test_every_flag_has_its_note_and_every_note_its_flag() -> None:
    assert {flag for vector, _ in TESTS for flag in vector.flags} == NOTES.keys()
    for mistake, description in NOTES.values():
        assert mistake.endswith(".") and description.endswith(".")


def test_every_activation_and_loss_of_a_vector_has_its_formula() -> None:
    for vector, _ in TESTS:
        file = FILES[vector.family]
        formulas = {name.partition("(")[0] for name in file["activations"]}
        assert {layer["activation"].partition("(")[0] for layer in vector.given["layers"]} <= formulas
        kinds = {name.partition("(")[0] for name in file["losses"]}
        assert re.split(r"[(/]", vector.given["loss"])[0] in kinds
