"""What the documents show is what happens: every code block of README.md and docs/*.md runs here.

    python   with `>>>` as doctests, otherwise executed; one namespace per document, so that blocks build on each other
    console  every line `$ command` runs in one scratch directory per document, and its output is compared (also `sh`);
             it must succeed, unless it ends with `# exit status N`; docs/examples are there
    transcript  a conversation with a program of docs/examples/subjects: `> line` is sent to it, `< line` is its answer
    text     data: formulas, drawings

Any other language fails, and so does a block without one. `...` stands for whatever is left out.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import purebp
from purebp.oracle.asking.wire import HELLO
from tests import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
GENERATED = {
    "mistakes.md",
    "mutation.md",
    "peers.md",
    "performance.md",
    "beyond.md",
    "power.md",
}  # other tests hold them to their scripts
NEEDS = {"docs/scaling.md": "dask.distributed"}  # is run where that is installed, by `make scaling`
NAMES = [document.relative_to(ROOT).as_posix() for document in DOCUMENTS]
PYTHON = {"python": [sys.executable], "python3": [sys.executable], "purebp": [sys.executable, "-m", "purebp"]}
SOONER = {"javac": ["javac", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]}  # in half the time
TOOLS = {"cc", "g++", "node", "rustc", "javac", "java"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
FLAGS = doctest.ELLIPSIS


@dataclass(frozen=True)
class Block:
    """A fenced block: the document, the line of its first line of code (from 1), the language, the code."""

    document: str
    line: int
    language: str
    code: str


def blocks(document: str, text: str) -> list[Block]:
    """All fenced blocks of a document; an unclosed or indented fence is an error, not a block overlooked."""
    found, opened = [], None
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if line.lstrip().startswith(("```", "~~~")):
            assert line.startswith("```"), f"{document}:{number}: a fence is three backticks in the first column"
            if opened is None:
                opened, language, code = number, line[3:].strip(), ""
            else:
                assert line.strip() == "```", f"{document}:{number}: the block of line {opened} is still open"
                found.append(Block(document, opened + 1, language, code))
                opened = None
        elif opened is not None:
            code += line
    assert opened is None, f"{document}:{opened}: this block is never closed"
    return found


def run(block: Block, namespace: dict[str, Any], scratch: Path) -> None:
    """Run one block; AssertionError or the block's own exception unless it does what it shows."""
    if block.language == "python":
        run_python(block, namespace)
    elif block.language in ("console", "sh"):
        for command, shown in commands(block):
            run_command(block, command, shown, scratch)
    elif block.language == "transcript":
        run_transcript(block, scratch)
    else:
        assert block.language == "text", f"{block.document}:{block.line}: unknown language {block.language!r}"


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    """A doctest where there is a prompt, a program otherwise; both leave their names in the namespace."""
    if ">>>" not in block.code:
        exec(compile("\n" * (block.line - 1) + block.code, block.document, "exec"), namespace)
        return
    test = doctest.DocTestParser().get_doctest(block.code, {}, block.document, block.document, block.line - 1)
    test.globs = namespace  # the namespace itself: get_doctest would work on a copy
    report: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Every `$ command` of a block with the output shown below it."""
    first, *rest = re.split(r"^\$ (.*)\n", block.code, flags=re.MULTILINE)
    assert not first, f"{block.document}:{block.line}: a console block begins with '$ command', not {first!r}"
    yield from zip(rest[::2], rest[1::2], strict=True)


def run_command(block: Block, command: str, shown: str, scratch: Path) -> None:
    """`python`, `purebp`, compilers and what they make run; of `make target` only the target is looked up.

    For `make test` would run this test, `make clean` removes what is being tested, and `make demo` is run by
    `.ci/run` before the tests; so no output may be shown below them, since nothing here would compare it.
    """
    place = f"{block.document}:{block.line}: $ {command}"
    program, *arguments = shlex.split(command, comments=True)
    wanted = int(found[1]) if (found := re.search(r"# exit status (\d+)$", command)) else 0
    if program == "make":
        assert set(arguments) <= TARGETS, f"{place}: the Makefile has the targets {sorted(TARGETS)}"
        assert not shown, f"{place}: the output of make is not compared, so none may be shown"
        return
    may = [*PYTHON, *TOOLS, "make"]
    assert program in may or program.startswith("./"), f"{place}: only {', '.join(may)} and ./programs can be tested"
    for tool in TOOLS.intersection([program, *arguments]):  # purebp check -- node mine.js
        needed(tool)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "CI": "1",
    }
    done = subprocess.run(
        [*(PYTHON | SOONER).get(program, [program]), *arguments],
        cwd=scratch,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == wanted, f"{place}: exit status {done.returncode}\n{done.stdout}"
    if not doctest.OutputChecker().check_output(shown, done.stdout, FLAGS):
        raise AssertionError(f"{place}\nshown:\n{shown}\nprinted:\n{done.stdout}")


def run_transcript(block: Block, scratch: Path) -> None:
    """Send what is sent; what is answered is compared, JSON as what it means. C is compiled first."""
    first, *lines = block.code.splitlines()
    assert first.startswith("$ ") and all(line[:2] in ("> ", "< ") for line in lines), f"{block.document}:{block.line}"
    program, *arguments = shlex.split(first[2:])
    if program.startswith("./"):
        compiler = needed("cc")
        source = scratch / "docs" / "examples" / "subjects" / f"{program[2:]}.c"
        subprocess.run([compiler, "-std=c11", "-o", scratch / program, source, "-lm"], check=True)
    else:
        program = needed(program)
    sent = [line[2:] for line in lines if line.startswith("> ")]
    if HELLO not in sent:
        sent.insert(0, HELLO)
    text = "".join(line + "\n" for line in sent)
    done = subprocess.run(
        [program, *arguments], cwd=scratch, input=text, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr
    wanted = [line[2:] for line in lines if line.startswith("< ")]
    assert list(map(meant, done.stdout.splitlines()))[-len(wanted) :] == list(map(meant, wanted)), done.stdout


def meant(line: str) -> Any:
    return json.loads(line) if line.startswith("{") else line


class Missing(Exception):
    """A program that is not on this machine."""


def needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Missing(f"no {program} here")
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_block_of_the_document_does_what_it_shows(document: Path, tmp_path: Path) -> None:
    name = document.relative_to(ROOT).as_posix()
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    namespace: dict[str, Any] = {"__name__": "document"}
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "examples").symlink_to(ROOT / "docs" / "examples")
    missing = []
    for block in blocks(name, document.read_text(encoding="utf-8")):
        try:
            run(block, namespace, tmp_path)
        except Missing as error:
            missing.append(str(error))
    if missing:
        pytest.skip(", ".join(dict.fromkeys(missing)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_document_has_blocks_that_are_checked(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    found = blocks(document.name, text)
    assert 2 * len(found) == text.count("```")
    if document.name in GENERATED:
        return
    marks = {"python": ">>> ", "console": "$ ", "transcript": "> "}
    assert sum(block.code.count(marks.get(block.language, "\0")) for block in found) >= 5


def test_the_three_documents_are_there() -> None:
    assert {"README.md", "docs/lesson.md", "docs/mathematics.md"} <= set(NAMES)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", ">>> 1 + 1\n3\n"),
        ("python", ">>> 1 / 0\n"),
        ("python", ">>> print('quiet')\n"),
        ("python", "assert False\n"),
        ("python", "undefined\n"),
        ("console", "$ python -c 'print(1)'\n2\n"),
        ("console", "$ python -c 'print(1)'\n"),
        ("console", "$ python -c 'raise SystemExit(2)'\n"),
        ("console", "$ purebp --no-such-option\n"),
        ("console", "$ make a-target-that-is-not-there\n"),
        ("console", "$ make demo\nwhatever\n"),
        ("console", "$ curl example.org\n"),
        ("console", "python -c 'print(1)'\n1\n"),
        ("sh", "$ python -c 'print(1)'\n2\n"),
        ("pyhton", "1 + 1\n"),
        ("", "1 + 1\n"),
    ],
)
def test_a_wrong_block_fails(language: str, code: str, tmp_path: Path) -> None:
    (block,) = blocks("here", f"Some words.\n\n```{language}\n{code}```\n")
    assert (block.line, block.language, block.code) == (4, language, code)
    with pytest.raises((AssertionError, NameError)):
        run(block, {}, tmp_path)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", ">>> 1 + 1\n2\n>>> print('a\\nb\\nc')\na\n...\nc\n"),
        ("python", "assert True\n"),
        ("console", "$ python -c 'print(1)'\n1\n$ purebp --version\n...\n$ make demo\n"),
        ("sh", "$ make demo\n"),
        ("text", "anything\n"),
    ],
)
def test_a_right_block_passes(language: str, code: str, tmp_path: Path) -> None:
    (block,) = blocks("here", f"```{language}\n{code}```\n")
    run(block, {}, tmp_path)


def test_blocks_build_on_each_other(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    for code in ["x = 1\n", ">>> def f(): return x + y\n>>> y = 2\n", ">>> y = 3\n>>> f()\n4\n"]:
        run(Block("here", 1, "python", code), namespace, tmp_path)
    assert namespace["y"] == 3


@pytest.mark.parametrize(
    "text", ["```python\n1\n", "```python\n```text\n```\n", "  ```python\n1\n```\n", "~~~python\n1\n~~~\n"]
)
def test_a_fence_that_would_hide_a_block_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        blocks("here", text)


def test_every_link_to_a_file_leads_to_one() -> None:
    links = [
        (document, link)
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
        if "://" not in link
    ]
    assert len(links) >= 5
    for document, link in links:
        assert (document.parent / link).exists(), f"{document.name} links to {link}"


# The equations of docs/mathematics.md: numbered in its blocks of `text`, and listed in its table of places in the code.

MATHEMATICS = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
NUMBER = re.compile(r" \((\d+)\)$", re.MULTILINE)


def numbered_equations() -> list[int]:
    """The numbers at the ends of lines, in order of appearance."""
    found = [block.code for block in blocks("docs/mathematics.md", MATHEMATICS) if block.language == "text"]
    return [int(n) for code in found for n in NUMBER.findall(code)]


def places_in_the_code() -> list[tuple[range, str, list[str]]]:
    """The rows `| (3)–(5) | what | `purebp/module.py` | `name`, `other` |` of the table."""
    rows = re.findall(r"^\| \((\d+)\)(?:–\((\d+)\))? \| [^|]+ \| `([^`|]+)` \| ([^|]+) \|$", MATHEMATICS, re.MULTILINE)
    return [(range(int(a), int(b or a) + 1), path, re.findall(r"`([^`]+)`", names)) for a, b, path, names in rows]


def test_equations_are_numbered_from_one() -> None:
    assert numbered_equations() == list(range(1, len(numbered_equations()) + 1))
    assert len(numbered_equations()) >= 30


def test_every_equation_has_its_place_in_the_code() -> None:
    assert sorted(n for numbers, _, _ in places_in_the_code() for n in numbers) == numbered_equations()


@pytest.mark.parametrize(("numbers", "path", "names"), places_in_the_code())
def test_the_place_of_an_equation_in_the_code_is_there(numbers: range, path: str, names: list[str]) -> None:
    assert names
    for name in names:
        the_object(path, name)


def the_object(path: str, name: str) -> object:
    """What a module of this repository calls by that (dotted) name, looked up in the module's own file."""
    assert (ROOT / path).is_file(), path
    found: Any = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    if inspect.isfunction(found) or inspect.isclass(found):
        assert inspect.getsourcefile(found) == str(ROOT / path), f"{name} is only imported there"
    return found


def test_a_place_that_is_not_there_is_noticed() -> None:
    for path, name in [
        ("purebp/textbook/backprop.py", "forwards"),
        ("purebp/missing.py", "forward"),
        ("purebp/textbook/differences.py", "forward"),
    ]:
        with pytest.raises((AssertionError, AttributeError)):
            the_object(path, name)


def test_every_reference_to_an_equation_leads_to_one() -> None:
    """`(7)` in the prose of docs/mathematics.md, `equation (7)` in the other documents and in the code."""
    prose = re.sub(r"^```.*?^```$", "", MATHEMATICS, flags=re.MULTILINE | re.DOTALL)
    cited = [int(n) for n in re.findall(r"(?<![\w)])\((\d{1,2})\)", prose)]
    for path in [*DOCUMENTS, *ROOT.glob("purebp/**/*.py")]:
        cited += [int(n) for n in re.findall(r"[Ee]quations? \((\d+)\)", path.read_text(encoding="utf-8"))]
    assert len(cited) >= 50
    assert set(cited) <= set(numbered_equations())


# README.md speaks of everything that is public, and of nothing else.

README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading of README.md."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {title!r}"
    return found[1]


def test_the_table_of_public_names_is_complete() -> None:
    cells = [row.split("|")[2] for row in section("Public names").splitlines() if row.startswith("|")]
    listed = [name for cell in cells for name in re.findall(r"`(\w+)", cell)]
    assert sorted(listed) == sorted(purebp.__all__)


def test_the_reading_order_has_every_module_once() -> None:
    rooms = (ROOT / "purebp" / room for room in ("textbook", "graphs"))
    modules = {path.name for room in rooms for path in room.glob("*.py") if path.name != "__init__.py"}
    modules |= {"tables.py", "datasets.py", "scaling.py"}
    listed = re.findall(r"^\d+\. .*?\[`(\w+\.py)`\]", section("Reading the code"), re.MULTILINE)
    assert sorted(listed) == sorted(modules)
