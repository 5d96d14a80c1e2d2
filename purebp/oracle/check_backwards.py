"""`check_backward`: a backward function that is doubted, judged by a forward function that is trusted.

>>> from purebp.programs import dot
>>> def scaled(x, w):
...     return [w * v for v in x]
>>> def scaled_backward(upstream, x, w):
...     return [w * u for u in upstream], dot(upstream, x)
>>> check_backward(scaled_backward, scaled, {"x": "n", "w": ()}).verdict
'correct'
>>> def forgetful(upstream, x, w):
...     return upstream, dot(upstream, x)
>>> check_backward(forgetful, scaled, {"x": "n", "w": ()}).verdict
'wrong'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

from purebp.number_systems.formats import Format
from purebp.oracle.answer import Answer, Key
from purebp.oracle.asking.candidate import NoAnswer, called, name_of, plain
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.state import stateful
from purebp.oracle.backwards import Backwards
from purebp.oracle.pipeline import judged
from purebp.oracle.program_cases import ProgramCase, as_rows, cases, key_of
from purebp.oracle.reports.report import Report
from purebp.programs.drawing import specified
from purebp.programs.tracing import Shape, entries, imports_numpy, is_real
from purebp.textbook.arithmetic import Matrix, PurebpError

CACHES = ("cache", "ctx", "saved", "saved_tensors", "residuals", "res", "memory", "state")


def check_backward(
    backward: Callable[..., Any],
    forward: Callable[..., Any],
    inputs: Mapping[str, Any] | str,
    *,
    wanted: Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    arrays: str | None = None,
    format: str | Format = "binary64",
    seed: int = 0,
    name: str | None = None,
) -> Report:
    """Ask for the gradients of a function that is trusted, on cases drawn for its inputs, and report what is proven.

    forward: called with the inputs by name; it returns a number, a list or an array, or a tuple or dictionary of them.
    backward: called as backward(**inputs) where that is one number, otherwise as backward(upstream, **inputs), upstream
    shaped as what is returned; or as backward(upstream, cache), where forward returns (output, cache). It returns the
    gradients in the order of `wanted` (all real inputs, where it is not said), or a dictionary by name. inputs: by name a
    shape, in which letters are free sizes, or what `purebp.programs` makes: integers, one_hot, mask, positive, between,
    fixed; or the same as text. at: numbers of your own, in place of drawn ones. arrays: "numpy" or "lists".

    Every gradient entry has a budget that any arrangement of the right formula keeps (docs/error-budget.md).
    """
    called_so = name_of(backward, name, "the upstream gradient and the inputs")
    name_of(forward)
    specs = specified(inputs if at is None else {each: entries(value)[1] for each, value in at.items()})
    if arrays not in (None, "numpy", "lists"):
        raise PurebpError(f'arrays={arrays!r}: "numpy" or "lists" is wanted')
    as_arrays = None if arrays is None else arrays == "numpy"
    if as_arrays is None and imports_numpy(backward):
        as_arrays = True
    declared = Declared(format=format, arrays="numpy" if as_arrays else None)
    asked = list(cases(forward, specs, declared.format, seed, as_arrays, at))
    real = tuple(asked[0].program.inputs)
    if unknown := [each for each in wanted or () if each not in real]:
        raise PurebpError(
            f"wanted={list(wanted or ())!r}: {', '.join(unknown)} is no real input; known are {', '.join(real)}"
        )
    way = Call(backward, forward, tuple(specs), tuple(wanted or real))
    answers = list(map(way.answer, asked))
    state = list(stateful(asked, answers, way.answer))
    return judged(Backwards(way.wanted, declared), asked, answers, called_so, state=state)


@dataclass(frozen=True)
class Call:
    """How a backward function is called, and read."""

    backward: Callable[..., Any]
    forward: Callable[..., Any]
    inputs: tuple[str, ...]
    wanted: tuple[str, ...]

    def answer(self, case: ProgramCase) -> Answer:
        """What it says to a case."""
        given, by_name = self.arguments(case), bool(self.by_name)

        def candidate(*values: Any) -> Any:
            if not by_name:
                return self.backward(*values)
            named = dict(zip(given, values))
            first = [] if case.program.scalar else [named.pop("upstream")]
            return self.backward(*first, **named)

        return called(candidate, given, case.name, lambda said: self.understood(said, case))

    @property
    def parameters(self) -> list[str]:
        """The names of what it takes, by position; [] where that is not known."""
        try:
            known = signature(self.backward).parameters.values()
        except (TypeError, ValueError):
            return []
        return [
            p.name
            for p in known
            if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        ]

    @property
    def by_name(self) -> list[str]:
        """The inputs that it takes by their names; none if it takes others, and all are given in their order."""
        taken = [each for each in self.parameters if each in self.inputs]
        return taken if len(self.parameters) - len(taken) < 2 else []

    def from_cache(self, scalar: bool) -> bool:
        """Whether it takes what the forward function returned beside the output, which may be a single number."""
        if len(self.parameters) != 2 or self.parameters[1] in self.inputs:
            return False
        return self.parameters[1] in CACHES or (len(self.inputs) > 1 and not scalar)

    def arguments(self, case: ProgramCase) -> dict[str, Any]:
        """What it is given in a case, by name."""
        numpy = case.program.arrays
        given = {each: as_given(value, numpy) for each, value in case.inputs.items()}
        upstream: dict[str, Any] = {}
        if not case.program.scalar:
            parts = {each: as_given(value, numpy) for each, value in case.upstream.items()}
            upstream["upstream"] = next(iter(parts.values())) if len(parts) == 1 else _together(parts)
        if self.from_cache(case.program.scalar):
            returned = self.forward(**given)
            if not isinstance(returned, tuple) or len(returned) < 2:
                raise PurebpError(
                    f"{name_of(self.backward)} takes {', '.join(self.parameters)}: the forward function is to return (output, cache), "
                    f"or the backward function to take the inputs, {', '.join(self.inputs)}"
                )
            cache = returned[1] if len(returned) == 2 else returned[1:]
            return {"upstream": upstream.get("upstream", 1.0), self.parameters[1]: cache}
        taken = self.by_name
        return upstream | {each: value for each, value in given.items() if not taken or each in taken}

    def understood(self, said: Any, case: ProgramCase) -> dict[Key, Matrix]:
        """The gradients by name."""
        parts = case.program.inputs
        if isinstance(said, Mapping):
            named = {_of(str(each), parts): value for each, value in said.items()}
        else:
            names = list(self.wanted)
            several = list(said) if isinstance(said, tuple) or (isinstance(said, list) and len(names) > 1) else [said]
            if len(several) == len(self.inputs) != len(names):
                several = [value for each, value in zip(self.inputs, several) if each in names]
            if len(several) != len(names):
                raise NoAnswer(
                    "not understood",
                    f"it returns {len(several)} gradient{'s' * (len(several) != 1)}, and is asked for those by {', '.join(names)}: "
                    "return them in this order, or a dictionary by name",
                )
            named = dict(zip(names, several))
        claim: dict[Key, Matrix] = {}
        for each, value in named.items():
            if each not in parts:
                raise NoAnswer("not understood", f"it returns {each!r:.60}: known are {', '.join(parts)}")
            claim[key_of(each)] = _tensor(each, value, parts[each].shape)
        return claim


def _together(parts: dict[str, Any]) -> Any:
    """The upstream gradients of several outputs, as they are returned: a tuple, or a dictionary."""
    return tuple(parts.values()) if list(parts) == [str(i) for i in range(len(parts))] else parts


def _of(name: str, parts: Mapping[str, Any]) -> str:
    """The input that a gradient is by, which may be called dx, d_x, grad_x or x_grad."""
    if name in parts:
        return name
    forms = (f"d{each}|d_{each}|grad_{each}|{each}_grad|g{each}|g_{each}" for each in parts)
    return next((each for each, form in zip(parts, forms) if name in form.split("|")), name)


def as_given(value: Any, numpy: bool) -> Any:
    """A copy of nested lists, or an array of what they hold."""
    if not numpy or not isinstance(value, (list, tuple)):
        return plain(value) if isinstance(value, list) else value
    np = import_module("numpy")

    flat, _ = entries(value)
    return np.array(value, dtype=float if is_real(flat) else None)


def _tensor(name: str, value: Any, shape: Shape) -> Matrix:
    """A gradient as rows, if it has the shape of its input."""
    try:
        flat, given = entries(value)
        numbers = [float(x) for x in flat]
    except (PurebpError, TypeError, ValueError) as error:
        raise NoAnswer("not understood", f"the gradient by {name} is no tensor: {error!s:.100}") from None
    if given != shape:
        told = f"the gradient by {name} has the shape {given}, and {name} has {shape}"
        if len(given) > len(shape) or (len(given) == len(shape) and all(b in (a, 1) for a, b in zip(given, shape))):
            told += ": it is as large as what it was broadcast to; sum over the axes along which it was"
        raise NoAnswer("wrong shape", told)
    return as_rows(numbers, shape)
