"""`purebp init`: an adapter for Python, or a loop around a program, as a file to fill in, so that it can be asked."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources

from purebp.cli.files import read_text, written_anew
from purebp.oracle.asking.adapters import adapter
from purebp.textbook.arithmetic import PurebpError

HELP = "write the adapter, or for another language the loop, in which your code is checked"
DESCRIPTION = """\
Write an adapter for Python code that purebp check cannot ask as it is: mine_purebp.py for mine.py, with what was found of
its class or functions filled in; of a script that trains when it is loaded, its loop becomes a function.

Write a loop around a backpropagation in another language than Python, beside its file: mine_purebp.c for mine.c. The
loop is a whole program, with nothing but the standard library of the language. It reads requests on its standard input,
and writes an answer to each; where it says YOURS it is for you to call your function, with what was read.

C, C++, JavaScript, Rust, Java, Go, C# and Julia are known by the suffix of the file. For any other language,
docs/any-language.md has the loop in six lines. No file is overwritten."""
EXAMPLES = """\
examples:
  purebp init my_network.py                         writes my_network_purebp.py
  purebp init mine.c                                writes mine_purebp.c
  cc -O2 -o mine mine_purebp.c -lm                  when you have called your function in it
  purebp smoke -- ./mine                            does it speak?
  purebp check -- ./mine                            is it right, and if not, which line is wrong?

Exit status: 0 the file was written, 2 it was not: there is one already, or no such file or language."""


@dataclass(frozen=True, slots=True)
class Loop:
    """How the loop around programs of a language is built, where it is, and run; {loop}, {file} and so on are filled in.

    Its template is the file of purebp/data/loops with that suffix.
    """

    language: str
    suffix: str
    run: str
    build: str = ""


LOOPS = (
    Loop("C", ".c", "{program}", "cc -O2 -o {base} {loop} -lm"),
    Loop("C++", ".cpp", "{program}", "g++ -std=c++17 -O2 -o {base} {loop}"),
    Loop("JavaScript", ".js", "node {loop}"),
    Loop("Rust", ".rs", "{program}", "rustc -O -o {base} {loop}"),
    Loop("Java", ".java", "java -cp {here} {name}", "javac -d {here} {loop} {file}"),
    Loop("Go", ".go", "{program}", "go build -o {base} {loop} {file}"),
    Loop(
        "C#",
        ".cs",
        "dotnet {beside}build_purebp/{name}.dll",
        "dotnet build -p:StartupObject={name} -p:AssemblyName={name} -o {beside}build_purebp {here}",
    ),
    Loop("Julia", ".jl", "julia {loop}"),
)
SUFFIXES = {loop.suffix: loop for loop in LOOPS}
SUFFIXES |= {".cc": SUFFIXES[".cpp"], ".cxx": SUFFIXES[".cpp"], ".cjs": SUFFIXES[".js"]}


@dataclass(frozen=True, slots=True)
class Made:
    """A file to be written, what it is, and the commands that come next."""

    file: str
    text: str
    what: str
    commands: tuple[str, ...]


def _loop(loop: Loop, file: str) -> Made:
    """The loop around a file.

    >>> made = _loop(SUFFIXES[".rs"], "work/my-net.rs")
    >>> made.file, made.commands
    ('work/my-net_purebp.rs', ('rustc -O -o work/my-net work/my-net_purebp.rs', 'purebp check -- work/my-net'))
    """
    base, suffix = os.path.splitext(file)
    stem = os.path.basename(base)
    word = re.sub(r"\W|^(?=\d)", "_", stem)  # as the name of a class
    written = f"{base}_purebp{suffix}"
    directory = os.path.dirname(file)
    places = {
        "file": file,
        "base": base,
        "loop": written,
        "here": directory or ".",
        "beside": os.path.join(directory, ""),
        "program": base if directory else f"./{base}",
        "name": f"{word}_purebp",
    }
    quoted = {key: place and shlex.quote(place) for key, place in places.items()}
    commands = (loop.build.format(**quoted), f"purebp check -- {loop.run.format(**quoted)}")
    template = resources.files("purebp") / "data" / "loops" / f"mine_purebp{loop.suffix}"
    text = template.read_text(encoding="utf-8")
    text = re.sub(rf"\bmine(_purebp)?{re.escape(loop.suffix)}\b", lambda m: f"{stem}{m[1] or ''}{suffix}", text)
    text = re.sub(r"\bmine(?=_purebp\b|\b)", lambda m: word, text)
    what = f"a loop around {file}, in which purebp asks it; call your function where it says YOURS"
    return Made(written, text, what, tuple(filter(None, commands)))


def _python(file: str) -> Made:
    """An adapter for a file in Python."""
    base = os.path.splitext(file)[0]
    module, written = os.path.basename(base), f"{base}_purebp.py"
    try:
        found = adapter(module, read_text(file, "give a Python file, such as mine.py"))
    except SyntaxError as error:
        raise PurebpError(f"{file!r} is not Python: {error.msg}, line {error.lineno}") from None
    missing = f". Not found: {', '.join(found.missing)}" if found.missing else ""
    what = f"a function around {file}; complete it where it says <-{missing}"
    return Made(written, found.text, what, (f"purebp check {shlex.quote(written)}",))


MAKERS: dict[str, Callable[[str], Made]] = {suffix: partial(_loop, loop) for suffix, loop in SUFFIXES.items()}
MAKERS[".py"] = _python


def _suffix(file: str) -> str:
    return os.path.splitext(file)[1].lower()


def instead(file: str) -> str:
    """What to do with a file of another language than Python, in a sentence; "" for any other file.

    >>> instead("mine.js")
    "'mine.js' is JavaScript, and is checked as a program: purebp init mine.js writes the loop in which it is asked, \
mine_purebp.js; call your function in it, then: purebp check -- node mine_purebp.js"
    >>> instead("mine.py")
    ''
    """
    loop = SUFFIXES.get(_suffix(file))
    if loop is None:
        return ""
    base, suffix = os.path.splitext(file)
    yours = base.removesuffix("_purebp") + suffix
    made = _loop(loop, yours)
    return (
        f"{file!r} is {loop.language}, and is checked as a program: purebp init {shlex.quote(yours)} writes the loop in "
        f"which it is asked, {made.file}; call your function in it, then: {'; '.join(made.commands)}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("file", metavar="FILE", help="your code, such as my_network.py or mine.c")


def run(args: argparse.Namespace) -> int:
    """Write the file, and say what comes next; the exit status."""
    file: str = args.file
    if not os.path.isfile(file):
        raise PurebpError(f"there is no file {file!r}: give the file with your backpropagation, such as mine.c")
    if (maker := MAKERS.get(_suffix(file))) is None:
        raise PurebpError(
            f"there is no loop for {file!r}: known are {', '.join(MAKERS)}; docs/any-language.md has it for any language"
        )
    made = maker(file)
    written_anew(made.file, made.text)
    print(f"{made.file}: {made.what}. Then:", "", *(f"  {command}" for command in made.commands), sep="\n")
    return 0
