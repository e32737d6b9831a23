"""The pictures that lie beside the script that draws them are what it draws."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from tests.docs.manual import DOCS, ROOT, load

FOLDER = DOCS / "pictures"
make = load("pictures/make.py")

#: how wide a letter of each style is, roughly
_WIDTHS = {"title": 8.6, "code": 7.6, "line": 6.4, "small": 6.4, "": 8.0}


def test_the_folder_has_the_pictures_that_the_script_draws() -> None:
    assert {path.name for path in FOLDER.glob("*.svg")} == set(make.PICTURES)


@pytest.mark.parametrize("name", make.PICTURES)
def test_a_picture_is_what_the_script_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == make.PICTURES[name]().svg(), (
        "run: python docs/pictures/make.py"
    )


@pytest.mark.parametrize("name", make.PICTURES)
def test_a_picture_is_on_a_page(name: str) -> None:
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    assert any(f"pictures/{name})" in page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize("name", make.PICTURES)
def test_a_picture_is_readable_in_light_and_in_dark(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"]
    assert "prefers-color-scheme: dark" in text
    used = set(re.findall(r"var\((--\w+)\)", text))
    light, dark = text.split("@media", 1)
    assert used <= set(re.findall(r"(--\w+):", light))
    assert used <= set(re.findall(r"(--\w+):", dark))


@pytest.mark.parametrize("name", make.PICTURES)
def test_no_text_runs_out_of_a_picture(name: str) -> None:
    root = ElementTree.fromstring((FOLDER / name).read_text(encoding="utf-8"))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        content = text.text or ""
        wide = len(content) * _WIDTHS[text.get("class", "")]
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]]
        left = float(text.attrib["x"]) - share * wide
        assert left > 0, content
        assert left + wide < width, content
        assert 0 < float(text.attrib["y"]) < height, content
