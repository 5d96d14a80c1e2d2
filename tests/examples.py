"""The reports that the candidates in docs/examples get: what `tests/test_examples.py` compares.

    python -m tests.examples            prints them, `--write` writes docs/examples/reports/*.txt

Candidates that import NumPy or PyTorch are judged only where these are installed.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from purebp.oracle import Report, check
from tests import ROOT

EXAMPLES = ROOT / "docs" / "examples"
CANDIDATES = sorted(path for path in EXAMPLES.glob("*.py") if "PUREBP = " in path.read_text(encoding="utf-8"))


def reported(path: Path) -> Report:
    """The report on the candidate in the file, by what it declares itself; ImportError if it lacks a library."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    candidate = getattr(module, "gradients", None) or module.step
    return check(candidate, name=path.name, **module.PUREBP)


def shape(text: str) -> str:
    """The text without the digits that a mathematical library or another BLAS may turn out differently."""
    return re.sub(r" +", " ", re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", text)).strip()


def file_of(path: Path) -> Path:
    """Where the report on that candidate stands."""
    return EXAMPLES / "reports" / f"{path.stem}.txt"


def main() -> None:
    """Print or write all of them."""
    for path in CANDIDATES:
        try:
            text = f"{reported(path)}\n"
        except ImportError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        if "--write" in sys.argv:
            file_of(path).parent.mkdir(exist_ok=True)
            file_of(path).write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
