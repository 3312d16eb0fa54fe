"""Words before they are explained: where the notebooks mention and explain the words of the glossary."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from notebooks.source.glossary import Word

import nbformat
from reading import headings, without_fences

AHEAD = {"Still intractable", "In practice", "References"}  # sections that look ahead, or out of the course
BOLD = re.compile(r"\*\*([^*]+)\*\*")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: the notebook's name, the cell's number, the heading above, the text as it is written."""

    name: str
    cell: int
    heading: str
    text: str

    @property
    def at(self) -> tuple[str, int]:
        return self.name, self.cell

    @cached_property
    def prose(self) -> str:
        """The words that the reader sees, without formulas and code, lines joined."""
        text = re.sub(r"\$\$.*?\$\$|\$.*?\$|`[^`]*`|<[^>]*>", " ", self.text, flags=re.S)
        return re.sub(r"\s+", " ", re.sub(r"\]\([^)]*\)", "]", text))

    def explains(self, word: Word) -> bool:
        """Tell whether the word stands here in bold."""
        return any(re.fullmatch(word.forms, bold, re.I) for bold in BOLD.findall(self.prose))

    def mentions(self, word: Word) -> bool:
        """Tell whether the word stands here in any form."""
        return bool(re.search(rf"\b(?:{word.forms})(?!\w)", self.prose, re.I))

    def links_to(self, place: "Paragraph", word: Word) -> bool:
        """Tell whether a link leads from here to where the word is explained."""
        anchor = f"#{word.heading.replace(' ', '-')}" if word.heading else ""
        inside = self.name == place.name and anchor and f"]({anchor})" in re.sub(r"\s+", " ", self.text)
        return bool(inside) or f"]({place.name}.ipynb{anchor})" in self.text


def paragraphs(notebooks: list[Path]) -> list[Paragraph]:
    """Return all that is read, in order; what looks ahead, headings, tables and a speaker's notes are left out."""
    return [found for path in notebooks for found in read(path)]


def read(path: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of one notebook."""
    heading = ""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type != "markdown" or cell.source.startswith("*Speaker notes.*"):
            continue
        aims = r"^\*\*You will be able to\*\*.*?(?=^\*\*You need)" if number == 0 else r"(?!)"
        for text in re.split(r"\n\s*\n", re.sub(aims, "", without_fences(cell.source), flags=re.M | re.S)):
            title = headings(text)
            heading = title[-1] if title and number else heading
            if heading not in AHEAD and not title and not text.startswith("|"):
                yield Paragraph(path.stem, number, heading, text)


def complaints(words: list[Word], found: list[Paragraph]) -> Iterator[str]:
    """Say which words are not explained at their place, explained twice, or mentioned before."""
    for word in words:
        explained = [paragraph for paragraph in found if paragraph.explains(word)]
        place = next((paragraph for paragraph in explained if stands_at(paragraph, word)), None)
        if place is None:
            yield f"`{word.name}` must stand in bold under {word.number} {word.heading}"
            continue
        for paragraph in explained:
            if paragraph.at != place.at and not paragraph.links_to(place, word):
                yield f"`{word.name}` must be in bold once, or link back; again in {where(paragraph)}"
        for paragraph in found:
            if paragraph.at < place.at and paragraph.mentions(word) and not paragraph.links_to(place, word):
                yield f"`{word.name}` must be explained before it is used, or linked; used in {where(paragraph)}"


def stands_at(paragraph: Paragraph, word: Word) -> bool:
    """Tell whether the paragraph stands under the heading that the glossary names."""
    return paragraph.name.startswith(word.number) and paragraph.heading == word.heading


def where(paragraph: Paragraph) -> str:
    """Return notebook, cell and the paragraph's beginning."""
    return f"{paragraph.name}, cell {paragraph.cell}: {paragraph.prose.strip()[:60]}"
