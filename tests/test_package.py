"""The package: its public names, and that importing it loads nothing but the standard library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import purebp

# The contracts of the architecture that this package has so far.
CONTRACTS = [
    "Layer",
    "Network",
    "Network.random",
    "Batch",
    "forward",
    "Trace",
    "sse",
    "half_sse",
    "mse",
    "half_mse",
    "mae",
    "huber",
    "binary_cross_entropy",
    "cross_entropy",
    "loss",
    "Loss",
    "backpropagation",
    "Gradients",
    "sgd_step",
    "momentum_step",
    "adam_step",
    "train",
    "Epoch",
    "evaluate",
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "softplus",
    "elu",
    "silu",
    "gelu",
    "softmax",
    "activation",
    "Activation",
    "Arithmetic",
    "FLOAT",
    "PurebpError",
    "to_json",
    "from_json",
    "explain",
    "central_differences",
    "richardson",
    "complex_step",
    "numerical_gradients",
]


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_is_importable(name: str) -> None:
    found: object = purebp
    for part in name.split("."):
        found = getattr(found, part)
    assert name.split(".")[0] in purebp.__all__


def test_all_public_names_exist_and_stand_once() -> None:
    assert [name for name in purebp.__all__ if not hasattr(purebp, name)] == []
    assert len(set(purebp.__all__)) == len(purebp.__all__)


def test_there_is_one_family_of_errors() -> None:
    assert issubclass(purebp.PurebpError, ValueError)


def test_importing_purebp_loads_only_the_textbook_modules_and_the_standard_library() -> None:
    """In an interpreter without site-packages (-S) and without the user's paths (-I), as on a bare machine."""
    program = "import sys; sys.path.insert(0, sys.argv[1]); import purebp; print(*sys.modules)"
    command = [sys.executable, "-S", "-I", "-c", program, str(Path(purebp.__file__).parents[1])]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    foreign = [name for name in loaded if name.split(".")[0] not in {*sys.stdlib_module_names, "purebp", "__main__"}]
    assert "purebp.textbook.backprop" in loaded and foreign == []
    layers_above = ("cli", "testing", "oracle", "number_systems")
    assert [name for name in loaded if name.startswith(tuple(f"purebp.{above}" for above in layers_above))] == []


def test_the_textbook_is_short() -> None:
    """Under 1100 lines of code, docstrings, comments and blank lines aside, and no module above 400 lines with them.

    Half of them are the rows of activations and losses, which hold all that is known of one: its bounds, its title
    and its definition as well, which once stood in tables of number systems, graphs, conventions and test vectors.
    """
    lines = 0
    for name in [
        "arithmetic",
        "linalg",
        "formulas",
        "activations",
        "losses",
        "network",
        "backprop",
        "optimizers",
        "training",
    ]:
        path = Path(purebp.__file__).parent / "textbook" / f"{name}.py"
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400
        lines += len(code_lines(text))
    assert 500 < lines < 1100


def code_lines(text: str) -> list[str]:
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    numbered = enumerate(text.splitlines(), start=1)
    return [line for i, line in numbered if line.strip() and not line.strip().startswith("#") and i not in docstrings]
