"""The page is closed, escapes what it shows, and shows the numbers of the text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.reports.as_html import render
from purebp.oracle.reports.report import Report
from purebp.oracle.reports.story import COLUMNS, tensor_table
from tests.oracle.reports.samples import reports


class Page(HTMLParser):
    """The elements that are open, the texts of headings, and the cells of tables, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr" and "figure" not in self.open:
            self.rows.append([])
        if tag in ("th", "td") and "figure" not in self.open:
            self.rows[-1].append("")
        if tag == "h1":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("th", "td") and "figure" not in self.open:
            self.rows[-1][-1] += data
        if self.open and self.open[-1] == "h1":
            self.headings[-1] += data


@given(st.lists(reports(), max_size=3))
def test_the_page_is_closed_and_shows_the_numbers_of_the_text(shown: list[Report]) -> None:
    page = Page(render(shown))
    assert page.open == []
    assert page.headings == [report.headline for report in shown]
    assert page.rows == [row for report in shown for row in tensor_table(report.tensors)]


@given(reports())
def test_text_and_page_have_the_same_columns(report: Report) -> None:
    for text in (str(report), render([report])):
        assert all((column in text) for column in COLUMNS) or not report.tensors


@given(reports())
def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    page = render([report])
    assert not any(word in page for word in ("<script", "@import", "url(", "src=", "href="))
    assert page.count('<figure class="map">') <= max((len(case.tensors) for case in report.cases), default=0)
