"""The interpreters that are here, and the whole test suite on every one of them (`make test-all`).

python -m studies.interpreters        each in a virtual environment of its own, such as .venv-3.11.7
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUERY = """
import platform, sys
print("%s %s %s" % (sys.version_info >= (3, 11), platform.python_implementation(), platform.python_version()))
"""


def supported() -> list[str]:
    """The versions that pyproject.toml names.

    >>> "3.11" in supported()
    True
    """
    return re.findall(r":: (3\.\d+)\"", (ROOT / "pyproject.toml").read_text("utf-8"))


def candidates() -> Iterator[str]:
    """Whatever may be an interpreter: the one that runs this, those of pyenv and those on PATH."""
    yield sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from map(str, sorted(pyenv.glob("versions/*/bin/python")))
    yield from filter(None, map(shutil.which, [*(f"python3.{minor}" for minor in range(11, 30)), "pypy3"]))


def found() -> tuple[dict[str, str], list[str]]:
    """Programs by what they are, such as "CPython 3.13.0", one of each version; and the names of those too old.

    >>> sys.executable in found()[0].values()
    True
    """
    programs: dict[str, str] = {}
    too_old: dict[str, None] = {}
    for program in candidates():
        answer = subprocess.run([program, "-c", QUERY], capture_output=True, text=True).stdout.split()
        if len(answer) == 3 and answer[0] == "True":
            programs.setdefault(" ".join(answer[1:]), program)
        elif len(answer) == 3:
            too_old[" ".join(answer[1:])] = None
    return dict(sorted(programs.items())), list(too_old)


def passes(name: str, program: str) -> bool:
    """Whether the suite passes there."""
    place = ROOT / f".venv-{name.split()[1]}"
    python = str(place / "bin" / "python")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", ".[test]"]
    commands = [[program, "-m", "venv", str(place)], [python, *install], [python, "-m", "pytest", "-q", "-n", "auto"]]
    print(f"{name}: {program}", flush=True)
    return all(subprocess.run(command, cwd=ROOT).returncode == 0 for command in commands)


def main() -> int:
    programs, too_old = found()
    if not programs:
        print(f"no Python of {supported()[0]} or later was found, nothing was tested; too old: {', '.join(too_old)}")
        return 1
    results = {name: passes(name, program) for name, program in programs.items()}
    for name, passed in results.items():
        print(f"{name}: {'all tests passed' if passed else 'FAILED'}")
    for version in supported():
        if not any(f" {version}." in name for name in programs):
            print(f"CPython {version}: not found here, not tested")
    print(f"too old, not tested: {', '.join(too_old) or 'none'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
