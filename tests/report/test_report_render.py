from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from medray.report.render import anchors, data_uri, numeric_columns, render
from medray.report.sections import (
    Figure,
    Gallery,
    Group,
    Highlights,
    Interval,
    Number,
    Quantity,
    Report,
    Section,
    Sum,
    Table,
    Text,
)

VOID = {"meta", "img", "br", "hr", "link", "input"}
EVIL = '<script>alert("1")</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'
FIGURE = Figure(EVIL, SVG, f'" onerror="x {EVIL}', EVIL, wide=True)
ALL = (
    Highlights(EVIL, (Number(EVIL, Interval(0.9, 0.8, 0.95), EVIL), Number("n", 3, "x")), EVIL),
    Table(EVIL, (EVIL, "b"), ((EVIL, 1), ("x", None)), EVIL),
    Gallery(EVIL, (FIGURE, FIGURE), EVIL),
    FIGURE,
    Text(EVIL, (EVIL,), "caution"),
    Sum(EVIL, EVIL, 3, ((EVIL, 3),), EVIL),
    Group(EVIL, (Text("", (EVIL,)), FIGURE), EVIL),
)


class Walk(HTMLParser):
    """Fails on a tag that is closed in the wrong place; collects tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def walked(html: str) -> Walk:
    walk = Walk()
    walk.feed(html)
    walk.close()
    assert walk.open == []
    return walk


def page(*sections: Section) -> str:
    return render(Report(EVIL, EVIL, [(EVIL, EVIL)], sections))


def test_tags_balance_and_nothing_is_a_script() -> None:
    tags = walked(page(*ALL)).seen
    assert "script" not in {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "<script" not in page(*ALL)


def test_every_place_that_shows_data_escapes_it() -> None:
    html = page(*ALL)
    assert EVIL not in html
    # the head shows the title twice, the subtitle and one fact; each section is named in the contents
    assert html.count("&lt;script&gt;") == repr(ALL).count("<script>") + 5 + len(ALL)


def test_nothing_is_loaded_from_outside() -> None:
    html = page(*ALL)
    assert not re.search(r"https?://|//[a-z]", html)
    for _, attributes in walked(html).seen:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/"))
    assert "default-src 'none'" in html
    assert "url(" not in html


def test_images_come_through_whole_and_have_words() -> None:
    images = [attributes for tag, attributes in walked(page(FIGURE)).seen if tag == "img"]
    assert base64.b64decode((images[0]["src"] or "").split(",")[1]) == SVG
    assert images[0]["alt"] == FIGURE.alt


def test_other_bytes_are_no_image() -> None:
    assert data_uri(b"\x89PNG\r\n\x1a\n").startswith("data:image/png;base64,")
    with pytest.raises(ValueError, match="neither PNG nor SVG"):
        data_uri(b"GIF89a")


@pytest.mark.parametrize(
    ("parts", "state", "words"),
    [
        ((0, 97, 3, 20), "sum holds", "✓ adds up"),
        ((0, 97, 3, 17), "sum broken", "✗ 3 unaccounted for"),
        ((0, 1197, 3, 20), "sum broken", "✗ 1,100 counted twice"),
    ],
)
def test_a_sum_says_whether_it_adds_up(parts: tuple[int, ...], state: str, words: str) -> None:
    names = ("known", "ingested", "duplicate", "quarantined")
    html = page(Sum("Ingest", "listed", 120, tuple(zip(names, parts, strict=True))))
    assert f'class="{state}"' in html
    assert words in html
    assert ("≠" in html) == ("broken" in state)


def test_columns_of_numbers_go_right() -> None:
    table = Table(
        "",
        ("name", "n", "value", "time", "mixed", "absent"),
        (("a", 1, Interval(0.5, 0.4, 0.6), Quantity("3 s"), 1, None), ("b", 2, 0.25, Quantity("4 s"), "x", 2)),
    )
    assert numeric_columns(table) == [False, True, True, True, False, True]
    assert numeric_columns(Table("", ("a",), ())) == [False]
    html = page(table)
    assert '<td class="number"><span>0.250</span></td>' in html
    assert "(0.400 to 0.600)" in html


def test_an_empty_table_says_so() -> None:
    assert "nothing to show" in page(Table("t", ("a", "b"), ()))


def test_long_reports_have_contents_that_lead_somewhere() -> None:
    assert "<nav" not in page(*ALL[:2])
    tags = walked(page(*ALL)).seen
    goals = {attributes["id"] for tag, attributes in tags if tag == "section" and "id" in attributes}
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    assert len(links) == len(ALL) == len(goals)
    assert {f"#{goal}" for goal in goals} == set(links)


def test_anchors_of_equal_titles_differ() -> None:
    assert len(set(anchors((Text("A b!", ()), Text("A b!", ()), Text("€", ()))))) == 3


def test_the_same_report_is_the_same_page() -> None:
    assert page(*ALL) == page(*ALL)
