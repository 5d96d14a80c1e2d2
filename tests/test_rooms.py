"""Every module of the package has its tests where one looks for them: purebp/a/b.py in tests/a/test_b.py. Data is frozen."""

from __future__ import annotations

import ast

from tests import ROOT

# Modules without a test file of their own, each with what tests it.
ELSEWHERE: dict[str, str] = {
    "graph.py": "another name of graphs/engine.py",
}


def test_every_module_has_a_test_file_of_its_name() -> None:
    modules = (path.relative_to(ROOT / "purebp") for path in sorted((ROOT / "purebp").rglob("*.py")))
    named = [path for path in modules if path.name not in ("__init__.py", "__main__.py")]
    without = [str(path) for path in named if not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()]
    assert without == sorted(ELSEWHERE)


# Dataclasses that change while they are used.
CHANGING = [
    "graphs/drawing.py: Box",
    "number_systems/traced.py: Tape",
    "oracle/asking/calling.py: Bindings",
    "oracle/asking/forms.py: _Asking",
    "oracle/asking/guessing.py: _Search",
    "oracle/asking/watching.py: Watch",
]


def test_data_is_frozen() -> None:
    changing = []
    for path in sorted((ROOT / "purebp").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            how = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", ())]
            if isinstance(node, ast.ClassDef) and any("dataclass" in one and "frozen=True" not in one for one in how):
                changing.append(f"{path.relative_to(ROOT / 'purebp').as_posix()}: {node.name}")
    assert changing == CHANGING
