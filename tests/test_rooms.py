"""Every module of the package has its tests where one looks for them: purebp/a/b.py in tests/a/test_b.py."""

from __future__ import annotations

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
