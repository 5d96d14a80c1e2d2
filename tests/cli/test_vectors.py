"""`purebp vectors`: what there is, files as they are shipped, and what is broken named with status 3."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from purebp.cli import main, vectors
from purebp.oracle.vectors.files import SCHEMA, load, shipped
from purebp.oracle.vectors.vector import ASKED_FOR, FAMILIES
from tests.oracle.vectors.samples import FILES

NAMES = [*(f"{family}.json" for family in FAMILIES), SCHEMA]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    return main(["vectors", *words]), *capsys.readouterr()


def test_the_list_holds_every_family_with_what_its_answers_must_hold(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(capsys, "list")
    head, *rows = [line.split(None, 2) for line in out.splitlines()]
    assert (status, err, head) == (0, "", ["family", "tests", "expected"])
    wanted = [[each, str(len(FILES[each]["tests"])), ", ".join(ASKED_FOR[each]) or "an error"] for each in FAMILIES]
    assert rows == wanted


@pytest.mark.parametrize("family", FAMILIES)
def test_the_list_of_a_family_holds_every_test_with_its_flags(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(capsys, "list", family)
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows == [[vector.id, *vector.flags] for vector in load(family)]


def test_files_are_exported_as_they_are_shipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "new" / "place"
    status, out, err = told(capsys, "export", str(place))
    assert (status, err, out.splitlines()) == (0, "", [str(place / name) for name in NAMES])
    assert {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()} == {
        name: shipped(name) for name in NAMES
    }


@pytest.mark.parametrize("words", [["--lines"], ["--lines", "--floats", "bits"]])
def test_lines_are_for_what_has_a_form_in_words(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = told(capsys, "export", str(tmp_path), *words)
    names = [f"{family}.txt" for family in FAMILIES if family != "refused"]
    assert (status, out.splitlines()) == (0, [str(tmp_path / name) for name in names])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for path in tmp_path.iterdir():
        patterns = re.findall(r"(?<= )[0-9a-f]{16}(?=\s)", path.read_text())
        assert bool(patterns) == ("bits" in words)


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("precious")
    for name in ("file", "file/below"):
        status, out, err = told(capsys, "export", str(tmp_path / name))
        assert (status, out) == (2, "") and "cannot make the directory" in err and str(tmp_path / name) in err
    assert (tmp_path / "file").read_text() == "precious"


def test_verify_ends_with_status_3_and_names_the_vector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as shortly:  # tests/oracle/vectors/test_making.py makes all of them anew
        shortly.setattr(vectors, "FAMILIES", ("loss", "refused"))
        assert main(["vectors", "verify"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{family}.json: {len(FILES[family]['tests'])} tests, all as they should be" for family in ("loss", "refused")
    ]
    broken = copy.deepcopy(FILES["loss"])
    broken["tests"][7]["expected"]["loss"] *= 1 + 2**-50
    (tmp_path / "loss.json").write_text(json.dumps(broken))
    assert main(["vectors", "verify", str(tmp_path / "loss.json")]) == 3
    out, err = capsys.readouterr()
    assert f"{broken['tests'][7]['id']}: expected is not what it should be" in err and "1 problem" in out
    (tmp_path / "other.json").write_text("[]")
    assert main(["vectors", "verify", str(tmp_path / "other.json")]) == 2
    assert "no file of test vectors" in capsys.readouterr().err


def test_every_file_is_verified_whatever_the_others_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    file = {
        **copy.deepcopy(FILES["forward"]),
        "tests": copy.deepcopy(FILES["forward"]["tests"][:3]),
        "numberOfTests": 3,
    }
    good.write_text(json.dumps(file))
    for test in file["tests"][:2]:
        test["hash"] = "0" * 64
    bad.write_text(json.dumps(file))
    status, out, err = told(capsys, "verify", str(bad), str(good))
    assert (status, len(err.splitlines())) == (3, 2) and all(test["id"] in err for test in file["tests"][:2])
    assert out.splitlines() == [f"{bad}: 3 tests, 2 problems", f"{good}: 3 tests, all as they should be"]


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no file"), ("[", ""), ("{}", "no file of test vectors"), ("\xff", "")]
)
def test_what_is_no_file_of_vectors_is_one_line(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_text(content, encoding="latin-1")
    status, out, err = told(capsys, "verify", str(file))
    assert (status, out, err.count("\n")) == (2, "", 1) and words in err and str(file) in err


def test_what_is_too_large_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "large.json").open("wb") as stream:
        stream.truncate(vectors.MOST + 1)
    assert "is larger than 64 MiB" in told(capsys, "verify", str(tmp_path / "large.json"))[2]


@pytest.mark.parametrize("words", [[], ["frob"], ["list", "frob"], ["export"], ["export", "d", "--floats", "frob"]])
def test_what_to_do_is_wanted(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = told(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1) and "--help" in err
