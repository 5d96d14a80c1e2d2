"""Reading text files, and writing them whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from purebp.textbook.arithmetic import PurebpError


def read_text(name: str, advice: str, most: int = -1) -> str:
    """The file as text, "-" for standard input; `advice` says what was wanted, should there be no such file.

    most: bytes, if there is a limit.
    """
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            content = file.read(most + 1 if most >= 0 else -1)
        if 0 <= most < len(content):
            raise PurebpError(f"{name!r} is larger than {most >> 20} MiB: give it in parts")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise PurebpError(f"there is no file {name!r}: {advice}") from None
    except IsADirectoryError:
        raise PurebpError(f"{name!r} is a directory: {advice}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PurebpError(f"{name!r} is not UTF-8 text, line {line}: save it as UTF-8") from None
    except PurebpError:
        raise
    except (OSError, ValueError) as error:
        raise PurebpError(f"cannot read {name!r}: {_reason(error)}") from None


def check_writable(name: str) -> None:
    """An error unless `write_whole` can write there; leaves nothing behind."""
    path = Path(name)
    try:
        if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
            raise PurebpError(f"cannot write {name!r}: it is there already, and is no file that may be replaced")
        temporary = _temporary(path)
        temporary.touch()
        temporary.unlink()
    except PurebpError:
        raise
    except (OSError, ValueError) as error:
        advice = "give a path in a directory you can write to"
        raise PurebpError(f"cannot write {name!r}: {_reason(error)}; {advice}") from None


def check_apart(option: str, name: str | None, *others: str | None) -> None:
    """An error if writing the file would overwrite one of the others."""
    if name is not None and os.path.realpath(name) in {os.path.realpath(other) for other in others if other}:
        raise PurebpError(f"{option} would overwrite {name!r}: give another file")


def write_whole(name: str, text: str) -> None:
    """Write a new file beside the old one, then put it in its place in one step."""
    path = Path(os.path.realpath(name))
    temporary = _temporary(path)
    try:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        os.replace(temporary, path)
    except OSError as error:
        raise PurebpError(f"cannot write {name!r}: {_reason(error)}") from None
    finally:
        temporary.unlink(missing_ok=True)


def written_anew(name: str, text: str) -> None:
    """Write a file that is not there yet; an error if there is one."""
    try:
        with open(name, "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise PurebpError(f"{name!r} is there already, and is not overwritten: rename or remove it first") from None
    except (OSError, ValueError) as error:
        raise PurebpError(f"cannot write {name!r}: {_reason(error)}") from None


def _temporary(path: Path) -> Path:
    return Path(os.path.realpath(path)).with_name(f".purebp-{os.getpid()}.tmp")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
