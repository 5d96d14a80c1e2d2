"""Mutants: a module with one operator, number or condition changed, as cosmic-ray's operators change it.

cosmic-ray mutates whatever stands in a file, the lambdas and tables of a module as well; mutmut 3 mutates the bodies
of functions alone. Of its replacements those are taken here that a slip of the hand could be: `+` becomes `-`, but
not `>>`, which fails at once wherever floats are added.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import ndiff
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("textbook", "graphs", "number_systems", "oracle")
OPERATORS = (
    *(
        f"ReplaceBinaryOperator_{swap}"
        for swap in (
            *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "FloorDiv_Div", "Mod_FloorDiv", "Pow_Mul"),
            *("LShift_RShift", "RShift_LShift", "BitOr_BitAnd", "BitAnd_BitOr"),
        )
    ),
    *(
        f"ReplaceComparisonOperator_{swap}"
        for swap in (
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt"),
            *("Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
        )
    ),
    *(f"ReplaceUnaryOperator_{swap}" for swap in ("USub_UAdd", "UAdd_USub", "Delete_Not", "Delete_Invert")),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer"),
    *("RemoveDecorator", "ZeroIterationForLoop"),
)


@dataclass(frozen=True)
class Mutant:
    """A module of the repository, by its path, as it is changed."""

    module: str
    text: str


def modules() -> list[str]:
    """What is mutated: the textbook, the graphs, the number systems, and the oracle without its rooms.

    >>> "purebp/textbook/backprop.py" in modules() and "purebp/cli/check.py" not in modules()
    True
    """
    found = (path for room in ROOMS for path in sorted((ROOT / "purebp" / room).glob("*.py")))
    return [path.relative_to(ROOT).as_posix() for path in found if path.name != "__init__.py"]


def original(module: str) -> str:
    return (ROOT / module).read_text("utf-8")


class Place(NamedTuple):
    """Where a module can be changed: the operator's name, and how many such places come before; and the place by its text.

    line is that on which it stands, and ordinal how many such places there are before on lines of the same text.
    """

    module: str
    operator: str
    occurrence: int
    line: str
    ordinal: int

    def drawn(self, seed: int) -> bytes:
        """Its place in a random order, which is the same whatever else is in the module."""
        named = (seed, self.module, self.operator, self.line, self.ordinal)
        return sha256(repr(named).encode()).digest()


def changes(module: str) -> Iterator[Place]:
    """Where the module can be changed.

    What stands in annotations and in overloads is never run, and slots save memory alone.
    """
    lines = original(module).splitlines()
    alike = Counter[tuple[str, str]]()
    provider = import_module("cosmic_ray.operators.provider").OperatorProvider()
    operators = [(name, provider[name]()) for name in OPERATORS]
    before = Counter[str]()
    for node in _nodes(import_module("cosmic_ray.ast").get_ast(original(module))):
        for name, operator in operators:
            for _ in operator.mutation_positions(node):
                line = lines[node.start_pos[0] - 1].strip()
                if not _changes_nothing(node):
                    yield Place(module, name, before[name], line, alike[name, line])
                before[name] += 1
                alike[name, line] += 1


def _nodes(tree: Any) -> Iterator[Any]:
    """As cosmic-ray walks them."""
    yield tree
    for child in getattr(tree, "children", ()):
        yield from _nodes(child)


def _changes_nothing(node: Any) -> bool:
    """Whether it is part of an annotation, of an overload, of what only a type checker reads, or a choice of slots."""
    while (above := node.parent) is not None:
        if above.type == "annassign" and node is above.children[1]:
            return True
        if above.type == "tfpdef" or (above.type == "funcdef" and node is above.annotation):
            return True
        if node.type == "argument" and node.get_code().strip().startswith("slots="):
            return True
        if node.type == "decorator" and "overload" in node.get_code():
            return True
        if above.type == "if_stmt" and "TYPE_CHECKING" in above.children[1].get_code():
            return True
        node = above
    return False


def sample(size: int | None, seed: int, only: str = "") -> list[Mutant]:
    """So many mutants of all modules, or of those with `only` in their path, drawn at random; None: all of them.

    A change that leaves the program as it is, such as 1e308 with 1 added, makes no mutant. Where code is changed, the
    sample is the same but for what was changed.
    """
    programs = {module: _program(original(module)) for module in modules() if only in module}
    places = sorted((place for module in programs for place in changes(module)), key=lambda place: place.drawn(seed))
    chosen: list[Mutant] = []
    for module, name, occurrence, _, _ in places:
        if len(chosen) == size:
            break
        operator = import_module("cosmic_ray.operators.provider").OperatorProvider()[name]()
        text = import_module("cosmic_ray.mutating").mutate_code(original(module), operator, occurrence)
        if _program(text) not in (None, programs[module]):
            chosen.append(Mutant(module, text))
    return sorted(chosen, key=lambda mutant: mutant.module)


def _program(text: str) -> str | None:
    """What the text says, its layout aside; None if that is no Python."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


def change(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, without their margins.

    >>> change("if x:\\n    y = 1\\n", "if x:\\n    y =  2\\n")
    ('y = 1', 'y = 2')
    """
    lines = list(ndiff(before.splitlines(), after.splitlines()))
    gone, new = ("\n".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return gone, re.sub(r"(?<=[(\[ ]) +", "", new)
