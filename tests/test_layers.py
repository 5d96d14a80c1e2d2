"""What import-linter does not see, of the architecture: imports hidden in functions, and how long things are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from purebp import oracle
from tests import ROOT

MODULES = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "purebp").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
Function = ast.FunctionDef | ast.AsyncFunctionDef

# Imports inside functions: of what imports an optional third-party module, or each with its reason.
HIDDEN: dict[tuple[str, str], str] = {
    ("purebp/cli/check.py", "purebp.testing.explore"): "Hypothesis, which --explore alone needs",
    ("purebp/testing/assertions.py", "purebp.testing.explore"): "Hypothesis, which explore=True alone needs",
    ("purebp/testing/assertions.py", "purebp.oracle"): "pytest loads this module in every session",
}

# Functions of purebp.oracle over 40 lines or with more than 7 parameters, and modules over 400 lines, with a reason.
LONG = {
    "purebp/oracle/cases.py: drawn": "one case from its rung, step by step, with the number that all steps draw",
    "purebp/oracle/asking/declared.py: __init__": "what a candidate may declare, which is public",
    "purebp/oracle/asking/declared.py": "one row for each of twenty declarations, and how it is read",
    "purebp/oracle/cases.py": "the rungs, which are data, and the one way in which a case is drawn from a rung",
    "purebp/oracle/cases.py: ladder": "what may be fixed of an architecture, which `Declared` hands over by name",
    "purebp/oracle/cases.py: wanted": "the same",
    "purebp/oracle/asking/calling.py: _value": "a case for each role that a parameter can have",
    "purebp/oracle/asking/file.py: _asked": "the ways in which a file is asked, over the one module that is loaded anew",
    "purebp/oracle/asking/making.py: _constructions": "a case for each way in which networks are constructed",
    "purebp/oracle/asking/known.py: _rows": "a table, in a function because it is made when first asked for",
    # to be taken apart: finding the code of a learner, and asking it, are still in one module
    "purebp/oracle/asking/forms.py": "to be taken apart",
    "purebp/oracle/asking/flow_nodes.py": "to be taken apart",
    "purebp/oracle/asking/flow_nodes.py: _network": "to be taken apart",
    "purebp/oracle/asking/layer_nodes.py": "to be taken apart",
    "purebp/oracle/asking/layer_nodes.py: _trial": "to be taken apart",
    "purebp/oracle/asking/layer_nodes.py: _network": "to be taken apart",
    "purebp/oracle/asking/value_nodes.py: _trial": "to be taken apart",
    "purebp/oracle/asking/value_nodes.py: cost": "to be taken apart",
    "purebp/oracle/check_nodes.py: _report": "to be taken apart",
    "purebp/oracle/check_nodes.py: _diagnosis": "to be taken apart",
}


def hidden_imports(tree: ast.AST) -> Iterator[str]:
    """The modules that functions import.

    >>> list(hidden_imports(ast.parse("import a\\ndef f():\\n    from b import c\\n    import d")))
    ['b', 'd']
    """
    inner = {node for f in ast.walk(tree) if isinstance(f, Function) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if node in inner and isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif node in inner and isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_import_hides_in_a_function() -> None:
    found = {(name, module) for name, tree in TREES.items() for module in hidden_imports(tree)}
    assert found == set(HIDDEN)


def is_long(function: Function) -> bool:
    """Over 40 lines, or over 7 parameters.

    >>> is_long(ast.parse("def f(a, b, c, d, *, e, f, g): pass").body[0]), is_long(ast.parse("def f(a, b, c, d, *, e, f, g, h): pass").body[0])
    (False, True)
    """
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return (function.end_lineno or 0) - function.lineno >= 40 or len(parameters) > 7


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("purebp/oracle/")])
def test_the_oracle_is_in_short_functions_and_modules(name: str) -> None:
    """Signs that something should be two things; what is public may have many parameters, with all their docstring."""
    if "/explaining/" in name:
        return  # it is rebuilt on another principle
    functions = [node for node in ast.walk(TREES[name]) if isinstance(node, Function)]
    long = [f"{name}: {f.name}" for f in functions if is_long(f) and f.name not in oracle.__all__]
    if len(MODULES[name].read_text("utf-8").splitlines()) > 400:
        long.append(name)
    assert [what for what in long if what not in LONG] == []


def test_what_may_be_long_is() -> None:
    names = {
        f"{name}: {f.name}" for name in MODULES for f in ast.walk(TREES[name]) if isinstance(f, Function) and is_long(f)
    }
    long = {name for name, path in MODULES.items() if len(path.read_text("utf-8").splitlines()) > 400}
    assert set(LONG) <= names | long
