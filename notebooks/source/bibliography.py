"""The works that the notebooks cite: references.bib holds each once, a notebook's list names it by its key."""

import difflib
import re
from functools import cache
from pathlib import Path
from typing import ClassVar

from pybtex.backends import markdown
from pybtex.database import parse_file
from pybtex.style.formatting import unsrt
from pybtex.style.template import field, href, join

FILE = Path(__file__).with_name("references.bib")
CITED = re.compile(r"^# - \[@([^\]]*)\](.*(?:\n#   .*)*)", re.M)
HEAD = """# References

Every work that the notebooks cite, in alphabetical order, with the notebooks that cite it and why.

"""


class Markdown(markdown.Backend):
    """Markdown without a backslash before every full stop and hyphen."""

    symbols: ClassVar = {"ndash": "–", "newblock": " ", "nbsp": " "}

    def format_str(self, text: str) -> str:
        """Return the text as it is."""
        return text


class Style(unsrt.Style):
    """The usual style, but long addresses hide behind a word."""

    def format_url(self, entry):
        """Return the link to an address."""
        return href(field("url", raw=True))["online"]

    def format_doi(self, entry):
        """Return the link to a DOI."""
        return href(join["https://doi.org/", field("doi", raw=True)])["doi"]


@cache
def references() -> dict[str, str]:
    """Return the formatted reference of each key, in the file's order."""
    entries = parse_file(FILE, bib_format="bibtex").entries.values()
    return {entry.key: entry.text.render(Markdown()) for entry in Style(abbreviate_names=True).format_entries(entries)}


def reference(key: str, citing: str) -> str:
    """Return the formatted reference of `key`, which the notebook `citing` names."""
    if key not in references():
        near = ", ".join(difflib.get_close_matches(key, references())) or "none"
        raise ValueError(f"`{citing}` must cite keys of {FILE.name}; got {key!r}. Nearest: {near}.")
    return references()[key]


def put_in(text: str, citing: str) -> str:
    """Return the notebook's text with references in place of its keys, each written `[@key]`."""
    return re.sub(r"\[@([^\]]*)\]", lambda found: reference(found[1], citing), text)


def citations(source: Path) -> dict[str, str]:
    """Return the keys that a notebook's source lists, each with the note of why it is there."""
    found = CITED.findall(source.read_text(encoding="utf-8"))
    return {key: " ".join(note.replace("\n#", " ").split()) for key, note in found}


def page(sources: list[Path]) -> str:
    """Return the page of all works that these sources cite."""
    notes = {source.stem: citations(source) for source in sources}
    lines = []
    for key, text in references().items():
        cited = [f"  - [{name[:2]}]({name}.ipynb#References) {listed[key]}".rstrip()
                 for name, listed in notes.items() if key in listed]
        lines += [f"- {text}", *cited] if cited else []
    return HEAD + "\n".join(lines)
