"""Every work stands once and whole in references.bib, every notebook cites by key, and the page tells where."""

import datetime
import re
import unicodedata

from notebooks.source import bibliography, build

import nbformat
import pytest
from pybtex.database import Entry, parse_file, parse_string

NEEDED = {
    "article": {"author", "title", "year", "journal", "volume", "pages"},
    "book": {"author", "title", "year", "publisher"},
    "incollection": {"author", "title", "year", "booktitle", "publisher"},
    "inproceedings": {"author", "title", "year", "booktitle"},
    "misc": {"author", "title", "year"},
    "techreport": {"author", "title", "year", "institution", "number"},
}
FOUND = {"doi", "eprint", "url"}  # where a work without a publisher is to be found
ENTRIES = dict(parse_file(bibliography.FILE, bib_format="bibtex").entries)
GOOD = """@article{neal2001annealed,
  author = {Neal, Radford M.},
  title = {Annealed importance sampling},
  journal = {Statistics and Computing},
  volume = {11}, pages = {125--139}, year = {2001},
  doi = {10.1023/A:1008923215028},
}"""


def plain(text: str) -> str:
    """Return the letters and digits alone, small and without accents."""
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", text).lower())


def faults(key: str, entry: Entry) -> list[str]:
    """Say what is wrong with an entry: what it lacks, its year, its key, its addresses."""
    fields = entry.fields
    if missing := NEEDED[entry.type] - set(fields) - set(entry.persons):
        return [f"without {', '.join(sorted(missing))}"]
    found = [f"{name} must not hold {fields[name]!r}" for name in fields if not fields[name].strip()]
    if entry.type == "misc" and not FOUND & set(fields):
        found.append(f"without any of {', '.join(sorted(FOUND))}")
    if not 1900 <= int(fields["year"]) <= datetime.date.today().year:
        found.append(f"the year {fields['year']}")
    name = plain("".join(entry.persons["author"][0].prelast_names + entry.persons["author"][0].last_names))
    words = [plain(word) for word in re.split(r"[\s-]+", fields["title"])]
    if key not in {f"{name}{fields['year']}{word}" for word in words}:
        found.append("the key must be author, year and a word of the title")
    if not re.fullmatch(r"10\.\d{4,5}/\S+", fields.get("doi", "10.1000/x")):
        found.append(f"the DOI {fields['doi']}")
    if not re.fullmatch(r"\d{4}\.\d{4,5}", fields.get("eprint", "1000.0000")):
        found.append(f"the arXiv number {fields['eprint']}")
    return found


def twice(entries: dict[str, Entry]) -> list[str]:
    """Return the titles, DOIs and arXiv numbers that more than one entry has."""
    marks = [plain(entry.fields[field]) for entry in entries.values()
             for field in ("title", "doi", "eprint") if field in entry.fields]
    return sorted({mark for mark in marks if marks.count(mark) > 1})


def contradictions(text: str) -> list[str]:
    """Return the works whose title stands in the text without their first author or their year."""
    named = {key: entry for key, entry in ENTRIES.items() if plain(entry.fields["title"])[:24] in plain(text)}
    return [key for key, entry in named.items()
            if not {plain("".join(entry.persons["author"][0].last_names)), entry.fields["year"]}
            <= {plain(word) for word in text.split()}]


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_is_whole(key):
    assert faults(key, ENTRIES[key]) == []


@pytest.mark.parametrize(("old", "new", "fault"), [
    ("  author = {Neal, Radford M.},\n", "", "without author"),
    ("  journal = {Statistics and Computing},\n", "", "without journal"),
    ("@article", "@inproceedings", "without booktitle"),
    ("{11}", "{}", "volume must not hold ''"),
    ("year = {2001}", "year = {2091}", "the year 2091"),
    ("neal2001annealed", "neal2001methods", "the key must be"),
    ("neal2001annealed", "neal2002annealed", "the key must be"),
    ("Neal, Radford M.", "Hinton, Geoffrey E.", "the key must be"),
    ("{10.1023/A", "{https://doi.org/10.1023/A", "the DOI"),
    ("doi = {10.1023/A:1008923215028}", "eprint = {arXiv:1511.02543}", "the arXiv number"),
])
def test_a_fault_is_found(old, new, fault):
    assert old in GOOD
    [(key, entry)] = parse_string(GOOD.replace(old, new), bib_format="bibtex").entries.items()
    found = faults(key, entry)
    assert any(fault in told for told in found), found


def test_what_is_on_the_net_alone_must_be_findable():
    text = "@misc{ho2020note, author={Ho, J.}, title={A note}, year=2020}"
    assert faults("ho2020note", parse_string(text, bib_format="bibtex").entries["ho2020note"]) == [
        "without any of doi, eprint, url"]


def test_no_work_stands_twice():
    assert twice(ENTRIES) == []


def test_a_work_that_stands_twice_is_found():
    again = GOOD.replace("neal2001annealed", "neal2001again").replace("Annealed importance", "{Annealed} Importance")
    assert twice(dict(parse_string(f"{GOOD}\n{again}", bib_format="bibtex").entries)) == [
        "101023a1008923215028", "annealedimportancesampling"]


def test_the_works_stand_in_alphabetical_order():
    assert list(ENTRIES) == sorted(ENTRIES)


def test_every_work_is_cited():
    cited = {key for source in build.sources([]) for key in bibliography.citations(source)}
    assert set(ENTRIES) - cited == set()


@pytest.mark.parametrize("source", build.sources([]), ids=lambda path: path.stem)
def test_every_reference_of_a_notebook_is_a_key_with_a_note(source):
    items = re.findall(r"^# - (.*)", source.read_text(encoding="utf-8").partition("# ## References\n")[2], re.M)
    cited = bibliography.citations(source)
    assert [item for item in items if not item.startswith("[@")] == []
    assert len(cited) == len(items), "cited twice"
    assert [key for key, note in cited.items() if not note.endswith((".", "?"))] == []


def test_the_page_tells_what_is_cited():
    assert build.is_current(build.NOTEBOOKS / "references.ipynb", build.references_page()), "Mend with: make notebooks"


def test_the_docstrings_agree():
    texts = [path.read_text(encoding="utf-8") for path in (build.NOTEBOOKS.parent / "course_lib").rglob("*.py")]
    blocks = [block for text in texts for block in re.findall(r'^ *References?: (.*?)(?:\n\n|""")', text, re.M | re.S)]
    assert len(blocks) > 50
    assert [key for text in blocks for key in contradictions(text)] == []


@pytest.mark.parametrize(("text", "wrong"), [
    ("Neal, Annealed importance sampling,\n Statistics and Computing 11 (2001)", []),
    ("Neal, Annealed importance\n sampling (2002)", ["neal2001annealed"]),
    ("Hinton, Annealed importance sampling (2001)", ["neal2001annealed"]),
])
def test_a_contradiction_is_found(text, wrong):
    assert contradictions(text) == wrong


@pytest.fixture
def source(tmp_path):
    """A source that cites two works."""
    path = tmp_path / "11_evidence.py"
    path.write_text("# %% [markdown]\n# ## References\n#\n# - [@neal2001annealed] The method, in a note\n"
                    "#   of two lines.\n# - [@good1952rational] The score.\n")
    return path


def test_a_key_becomes_its_reference(source):
    notebook = build.build(source, source.with_suffix(".ipynb"))
    assert notebook.cells[0].source.splitlines()[2:4] == [
        "- R. M. Neal. Annealed importance sampling. *Statistics and Computing*, 11(2):125–139, 2001. "
        "[doi](https://doi.org/10.1023/A:1008923215028). The method, in a note", "  of two lines."]


def test_an_unknown_key_is_named(source):
    source.write_text(source.read_text().replace("neal2001annealed", "neal2001anealed"))
    with pytest.raises(ValueError, match=r"`11_evidence\.py` must cite keys of references\.bib; "
                                         r"got 'neal2001anealed'\. Nearest: neal2001annealed"):
        build.build(source, source.with_suffix(".ipynb"))


def test_the_page_links_a_work_to_its_notebooks(source):
    assert bibliography.page([source]).splitlines()[4:] == [
        f"- {bibliography.references()['good1952rational']}", "  - [11](11_evidence.ipynb#References) The score.",
        f"- {bibliography.references()['neal2001annealed']}",
        "  - [11](11_evidence.ipynb#References) The method, in a note of two lines."]


def test_the_page_is_built_with_the_notebooks(source, monkeypatch):
    monkeypatch.setattr(build, "SOURCES", source.parent)
    monkeypatch.setattr(build, "NOTEBOOKS", source.parent)
    build.main([])
    [cell] = nbformat.read(source.parent / "references.ipynb", as_version=4).cells
    assert cell.source == bibliography.page([source])
    assert cell.metadata.slideshow.slide_type == "skip"
    build.main(["--check"])
    source.write_text(source.read_text().replace("The score.", "The rule."))
    with pytest.raises(SystemExit, match=r"references\.ipynb: not what the texts say\. Mend with: make notebooks"):
        build.main(["--check"])
