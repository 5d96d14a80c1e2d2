"""`purebp init`: loops that build as they are, beside a program with a main of its own, and say what is yours to do."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import purebp
from purebp.cli import main
from purebp.cli.init import LOOPS, MAKERS, SUFFIXES, instead
from tests import ROOT

LOOPS_HERE = Path(purebp.__file__).parent / "data" / "loops"
SUBJECTS = ROOT / "docs" / "examples" / "subjects"
MINE = {  # programs as people have them: with names that the loop could have too, and a main that prints
    ".c": """
        #include <stdio.h>
        typedef struct { int n; } Layer;
        double gradients(Layer *layer) { return layer->n; }
        int main(void) { puts("training"); return 0; }
    """,
    ".cpp": """
        #include <iostream>
        struct Layer { int n; };
        double gradients(const Layer &layer) { return layer.n; }
        int main() { std::cout << "training" << std::endl; return 0; }
    """,
    ".js": """
        console.log("training");
        module.exports = { gradients() {} };
    """,
    ".rs": """
        pub struct Layer { pub n: u8 }
        pub fn gradients(layer: &Layer) -> u8 { layer.n }
        fn main() { println!("training"); }
    """,
    ".java": """
        public final class mine {
            record Layer(int n) { }
            static int gradients(Layer layer) { return layer.n(); }
            public static void main(String[] args) { System.out.println("training"); }
        }
    """,
    ".go": """
        package main
        import "fmt"
        type Layer struct { n int }
        func gradients(layer Layer) { fmt.Println("training", layer.n) }
    """,
    ".cs": """
        using System;
        internal sealed class Layer { public int N { get; set; } }
        internal static class Program { private static void Main() { Console.WriteLine("training"); } }
    """,
    ".jl": """
        struct Layer n::Int end
        println("training")
    """,
}


def test_every_language_has_its_template_and_no_template_is_forgotten() -> None:
    names = {f"mine_purebp{loop.suffix}" for loop in LOOPS}
    assert {path.name for path in LOOPS_HERE.iterdir() if path.name.startswith("mine_purebp.")} >= names
    assert MINE.keys() == {loop.suffix for loop in LOOPS} and SUFFIXES.keys() <= MAKERS.keys()


@pytest.mark.parametrize("suffix", MINE)
def test_the_head_of_the_loop_has_the_commands_that_init_says(suffix: str) -> None:
    made = MAKERS[suffix](f"mine{suffix}")
    head = "\n".join(made.text.splitlines()[:8])
    assert tuple(re.findall(r"^\W*(?:    |\t)(?=\w)(.*?) *(?:\*/)?$", head, re.MULTILINE)) == made.commands


def commands(suffix: str) -> tuple[str, ...]:
    """What builds it, and what is run, or skip."""
    found = MAKERS[suffix](f"mine{suffix}").commands
    if suffix == ".cs" and shutil.which("dotnet") is None:
        (mono,) = re.findall("with Mono: (.*)", (LOOPS_HERE / "mine_purebp.cs").read_text(encoding="utf-8"))
        found = tuple(mono.split("; "))
    for tool in (shlex.split(command.removeprefix("purebp check -- "))[0] for command in found):
        if not tool.startswith("./") and shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    if suffix == ".cs" and found[0].startswith("dotnet"):
        pytest.skip("a project is wanted for dotnet")
    return found


@pytest.mark.parametrize("suffix", MINE)
def test_a_loop_builds_as_it_is_and_says_that_nothing_is_called_yet(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *build, run = commands(suffix)
    monkeypatch.chdir(tmp_path)
    Path(f"mine{suffix}").write_text(MINE[suffix], encoding="utf-8")
    assert main(["init", f"mine{suffix}"]) == 0
    assert run in capsys.readouterr().out or suffix == ".cs"
    for command in build:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    status = main(["check", "--report", "json", *shlex.split(run.removeprefix("purebp check "))])
    report = json.loads(capsys.readouterr().out)
    assert (status, report["verdict"]) == (5, "skipped")
    assert f"mine_purebp{suffix} does not call your" in report["findings"][0]["sentence"]
    assert main(["smoke", *shlex.split(run.removeprefix("purebp check "))]) in (0, 5)


@pytest.mark.parametrize("suffix", MINE)
def test_the_examples_are_the_loops_with_a_backpropagation_in_them(suffix: str) -> None:
    """Every line of a loop stands in the example of its language, in the same order, but for its head and for YOURS."""
    lines = (LOOPS_HERE / f"mine_purebp{suffix}").read_text(encoding="utf-8").splitlines()
    (begin,) = (i for i, line in enumerate(lines) if "-- YOURS --" in line)
    (end,) = (i for i, line in enumerate(lines) if "-- END OF YOURS --" in line)
    head = lines.index("", next(i for i, line in enumerate(lines) if "purebp check --" in line))
    loop = [line for line in lines[head:begin] + lines[end + 1 :] if line]
    assert len(loop) > (10 if suffix == ".js" else 60)
    (example,) = (path for path in SUBJECTS.iterdir() if path.name.lower() == f"backprop{suffix}")
    rest = iter(example.read_text(encoding="utf-8").splitlines())
    for line in (line.replace("mine_purebp", example.stem) for line in loop):
        assert line in rest, line


def test_a_file_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.c").write_text("my own", encoding="utf-8")
    Path("mine_purebp.c").write_text("my own loop", encoding="utf-8")
    assert main(["init", "mine.c"]) == 2
    assert capsys.readouterr().err.startswith("purebp: 'mine_purebp.c' is there already, and is not overwritten")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "mine.c": "my own",
        "mine_purebp.c": "my own loop",
    }


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("missing.c", "there is no file 'missing.c'"),
        ("mine.f90", "there is no loop for 'mine.f90': known are .c, .cpp"),
        ("mine", "there is no loop for 'mine'"),
        (".", "there is no file '.'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    file: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.f90", "mine"):
        Path(name).touch()
    assert main(["init", file]) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith(f"purebp: {told}") and err.count("\n") == 1
    assert sorted(os.listdir()) == ["mine", "mine.f90"]


@pytest.mark.parametrize(
    ("file", "written", "classes"),
    [("2-layer net.java", "2-layer net_purebp.java", "_2_layer_net_purebp"), ("a/b.cs", "a/b_purebp.cs", "b_purebp")],
)
def test_any_name_of_a_file_makes_a_name_of_a_class(file: str, written: str, classes: str) -> None:
    made = MAKERS[os.path.splitext(file)[1]](file)
    assert made.file == written and f"class {classes}\n" in made.text.replace(" {", "")
    assert "mine" not in made.text and any(classes in command for command in made.commands)
    assert written in {word for command in made.commands for word in shlex.split(command)} or file.endswith(".cs")


def test_another_suffix_of_the_language_stays(tmp_path: Path) -> None:
    made = MAKERS[".cc"](str(tmp_path / "net.cc"))
    assert made.file.endswith("net_purebp.cc") and '#include "net.cc"' in made.text


@pytest.mark.parametrize("suffix", MINE)
def test_check_says_how_a_program_is_checked(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"mine{suffix}"
    file.write_bytes(b"\xff")  # it is not even read
    assert main(["check", str(file)]) == 4
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    assert f"purebp init {file}" in err and all(command in err for command in MAKERS[suffix](str(file)).commands)
    assert "purebp check -- " in err


def test_check_says_it_of_the_loop_as_well_and_of_a_missing_file_that_it_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "purebp init mine.c writes" in instead("mine_purebp.c")
    assert main(["check", str(tmp_path / "mine.c")]) == 4
    assert "there is no file" in capsys.readouterr().err


def test_among_several_files_it_is_one_that_is_not_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.c").touch()
    right = ROOT / "docs" / "examples" / "two_layers.py"
    assert main(["check", str(right), str(tmp_path / "mine.c"), "--report", "json"]) == 1
    verdicts = [report["verdict"] for report in json.loads(capsys.readouterr().out)]
    assert verdicts[1] == "not-loaded"
