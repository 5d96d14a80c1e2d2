"""What options and files mean: text to values, or one line that says what is wrong with it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from math import isfinite
from typing import TypeVar

from purebp.textbook import activations, losses
from purebp.textbook.arithmetic import PurebpError

T = TypeVar("T")


def typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """The reader as the type of an option, whose errors name the option."""

    def reads(text: str) -> T:
        try:
            return read(text)
        except PurebpError as error:
            raise ArgumentTypeError(str(error)) from None

    return reads


def activation(text: str) -> str:
    """The name of a known activation."""
    return typed(activations.activation)(text).name


def loss(text: str) -> losses.Loss:
    """A known loss."""
    return typed(losses.loss)(text)


def count(text: str) -> int:
    """A whole number above 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 10**9:
        raise ArgumentTypeError(
            f"{text!r:.40} is not a whole number above 0" + (", or too large" if number > 1 else "")
        )
    return number


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r:.40} is not a whole number") from None


def widths(text: str) -> list[int]:
    """The hidden widths, "32,16"; "none" is no hidden layer."""
    try:
        return [] if text == "none" else [count(width) for width in text.split(",")]
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}; give widths such as 32,16, or none") from None


def finite(text: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ArgumentTypeError(f"{text!r:.40} is not a finite number")
    return number


def positive(text: str) -> float:
    """A finite number above 0."""
    number = finite(text)
    if number <= 0:
        raise ArgumentTypeError(f"{text!r:.40} is not above 0")
    return number


def fraction(text: str) -> float:
    """A number from 0 to below 1."""
    number = finite(text)
    if not 0 <= number < 1:
        raise ArgumentTypeError(f"{text!r:.40} is not a share of the samples, from 0 to below 1")
    return number
