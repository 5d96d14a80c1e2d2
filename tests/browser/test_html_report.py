"""The HTML report in a real browser (`make browser`): Chromium renders it, on a phone's width too, without a network.

Chromium is driven by its own command line: the DOM it ends up with, and a picture of the page.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from purebp.oracle.reports import render
from tests.examples import CANDIDATES, EXAMPLES, reported

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]


def browse(page: Path, *options: str) -> str:
    """What Chromium prints for the page."""
    if not BROWSER:
        pytest.skip("there is no Chromium (Debian: apt install chromium)")
    command = [BROWSER, *QUIET, f"--user-data-dir={page.parent / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=120).stdout


@pytest.fixture
def page(tmp_path: Path) -> Path:
    written = tmp_path / "report.html"
    examples = ["two_layers", "two_layers_wrong", "two_layers_with_biases_wrong"]
    reports = [reported(EXAMPLES / f"{name}.py") for name in examples]
    written.write_text(render(reports, "html"), encoding="utf-8")
    return written


def test_the_browser_shows_verdicts_sentences_and_a_heat_map_per_tensor(page: Path) -> None:
    dom = browse(page, "--dump-dom")
    assert dom.count("<h1 ") == 3
    assert dom.count('<h1 class="ok"') == 1
    assert "f′ is evaluated at a instead of z in every layer" in dom
    assert dom.count('<figure class="map">') == 2 + 2 + 4
    assert re.search(r'<td style="background: ?hsl\(350', dom)


def test_the_page_loads_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|@import|url\(|src=", text)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window(page: Path, width: int) -> None:
    """Nothing makes it wider than the window: tables and numbers scroll in boxes of their own."""
    probe = page.with_name("probe.html")
    measure = f"<iframe id=f style='width:{width}px;height:900px;border:0' srcdoc=\"\"></iframe><p id=out></p><script>"
    measure += "const f = document.getElementById('f'); f.onload = () => { const d = f.contentDocument.documentElement;"
    measure += " document.getElementById('out').textContent = 'width ' + d.scrollWidth + ' of ' + d.clientWidth; };"
    measure += f" f.srcdoc = {page.read_text(encoding='utf-8')!r};</script>"
    probe.write_text(f"<!doctype html><meta charset=utf-8>{measure}", encoding="utf-8")
    found = re.search(r"width (\d+) of (\d+)", browse(probe, "--virtual-time-budget=4000", "--dump-dom"))
    assert found is not None
    assert 0.9 * width < int(found[2]) <= width  # less its scroll bar
    assert int(found[1]) <= int(found[2])


def test_a_picture_of_the_page_is_no_empty_one(page: Path) -> None:
    picture = page.with_name("page.png")
    browse(page, "--window-size=390,844", f"--screenshot={picture}")
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24])[0] == 390
    assert len(data) > 10_000
    assert CANDIDATES
