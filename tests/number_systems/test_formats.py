"""Formats: rounding as the machine does it, and the numbers that are published."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError
from purebp.number_systems.formats import (
    BFLOAT16,
    BINARY16,
    BINARY32,
    BINARY64,
    FORMATS,
    TF32,
    Format,
    format_named,
    is_exact,
    rounds_to,
    stored_once,
)


@given(st.floats(allow_nan=False))
def test_rounding_agrees_with_struct(x: float) -> None:
    for format, code in ((BINARY32, "<f"), (BINARY16, "<e")):
        try:
            expected = struct.unpack(code, struct.pack(code, x))[0]
        except OverflowError:
            expected = math.copysign(math.inf, x)
        assert repr(rounds_to(x, format)) == repr(expected)
    assert rounds_to(x, BINARY64) == x


@given(st.floats(-1e4, 1e4))
def test_rounding_a_single_to_bfloat16_is_rounding_its_upper_half(x: float) -> None:
    (bits,) = struct.unpack("<I", struct.pack("<f", x))
    kept = bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000
    single = struct.unpack("<f", struct.pack("<f", x))[0]
    assert rounds_to(single, BFLOAT16) == struct.unpack("<f", struct.pack("<I", kept))[0]


def test_known_values_of_the_formats() -> None:
    """The largest numbers as published: IEEE 754 for 65504, Intel's bfloat16 for 3.38953139e38."""
    assert (BINARY16.largest, BINARY16.smallest_normal) == (65504.0, 2.0**-14)
    assert BFLOAT16.largest == float.fromhex("0x1.fep127") == pytest.approx(3.38953139e38)
    assert BINARY64.largest == 1.7976931348623157e308 and BINARY64.storage == 2.0**-53
    assert rounds_to(3.14159265, BFLOAT16) == 3.140625
    assert rounds_to(1e-3, BFLOAT16) == 0.00099945068359375
    assert TF32.operand_bits == 11 and rounds_to(math.inf, BINARY32) == math.inf
    assert [format_named(name) for name in FORMATS] == list(FORMATS.values())
    with pytest.raises(PurebpError, match="known are binary64"):
        format_named("binary128")


@given(st.floats(allow_nan=False, allow_infinity=False, width=16))
def test_a_format_of_ones_own_rounds_as_a_known_one_with_its_numbers(x: float) -> None:
    own = Format("own", 11, -14, 15, accumulate_bits=24)
    assert format_named(own) is own
    assert rounds_to(x / 3, own) == rounds_to(x / 3, BINARY16) and is_exact(x, own) == is_exact(x, BINARY16)


def test_results_are_stored_once_in_a_format_narrower_than_binary32() -> None:
    for format in (BINARY64, BINARY32, TF32):
        with pytest.raises(PurebpError, match=f"results of {format.name} are not stored once"):
            stored_once(format)
    for format in (BFLOAT16, BINARY16):
        inside = stored_once(format)
        assert (inside.name, inside.dtype, inside.kept, inside.of_numbers) == (
            format.name,
            format.dtype,
            format,
            format,
        )
        assert (inside.precision, inside.emin, inside.emax, inside.accumulate_bits) == (24, -126, 127, 24)
    assert BINARY64.of_numbers is BINARY64
    assert list(map(str, (BINARY16, stored_once(BINARY16)))) == ["binary16", "binary16, stored once"]
