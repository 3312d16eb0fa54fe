"""The words and signs of the course: glossary.toml holds each once; here they become a page of text."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

FILE = Path(__file__).with_name("glossary.toml")
NOTEBOOKS = sorted(path.stem for path in FILE.parent.glob("[0-9][0-9]_*.py"))
HEAD = """# Words and signs

Every technical word of the course in a sentence or two, with the place where it is explained; then the signs. A word
without a place is one that the course assumes. A link opens the notebook; once it is open, a second click leads to the
place. Back to [Start here](00_start_here.ipynb)."""


@dataclass(frozen=True)
class Word:
    """A word, what it means, the forms under which it appears, and the notebook and heading that explain it.

    Without a heading it is the notebook's head, without a notebook the word is assumed.
    """

    name: str
    text: str
    forms: str
    number: str = ""
    heading: str = ""


@cache
def words() -> list[Word]:
    """Return all words, A to Z."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["words"]
    return sorted((word(name, **entry) for name, entry in entries.items()), key=lambda word: word.name.lower())


def word(name: str, text: str, forms: str = "", place: str = "") -> Word:
    """Return the word; unless told, its forms are its name and the plural."""
    number, _, heading = place.partition(" ")
    return Word(name, text, forms or re.escape(name) + "s?", number, heading)


def signs() -> list[dict[str, str]]:
    """Return all signs, in the file's order."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["signs"]


def link(word: Word) -> str:
    """Return the link to the place where the word is explained, as JupyterLab resolves it; empty without a place."""
    if not word.number:
        return ""
    name = next(name for name in NOTEBOOKS if name.startswith(word.number))
    if not word.heading:
        return f" [{word.number}]({name}.ipynb)"
    return f" [{word.number}, {word.heading}]({name}.ipynb#{word.heading.replace(' ', '-')})"


def page() -> dict[str, str]:
    """Return the page's cells by name: its head, the words by letter, the signs."""
    cells = {"head": HEAD}
    for letter, found in groupby(words(), key=lambda word: word.name[0].upper()):
        lines = [f"- **{word.name}**: {word.text}{link(word)}" for word in found]
        cells[f"letter-{letter}"] = "\n".join([f"## {letter}", "", *lines])
    rows = [f"| {entry['sign']} | {entry['text']} |" for entry in signs()]
    cells["signs"] = "\n".join(["## Signs", "", "| sign | meaning |", "| --- | --- |", *rows])
    return cells
