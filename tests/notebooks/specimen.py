"""A notebook that keeps every rule, for the tests that break it."""

import nbformat
from nbformat import NotebookNode
from reading import Lesson

LESSON = Lesson({"mean", "scale", "total"}, {"first", "second"}, {"look", "play"})
HEAD = """\
# 08 · Specimen

**Question.** What does a good notebook look like?

**You will be able to**
- say the mean: [mean](#Exercise-mean)
- say the scale: [scale](#Exercise-scale)
- say the total: [total](#Exercise-total)

**You need** nothing.

**Time.** 30 minutes.

**Measured.** *Run all* takes 5 s and 300 MiB on 2 CPU cores."""
STUB = """\
def {name}(x):
    \"\"\"Return the {name} of x.\"\"\"
    raise NotImplementedError

check.{name}({name})"""
TEXT = "We look at this. $$a = b$$\n\n" + "word " * 150


def markdown(source: str, slide: str = "slide") -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": slide}})


def code(source: str, *tags: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"slideshow": {"slide_type": "-"}, "tags": list(tags)})


def exercise(name: str) -> list[NotebookNode]:
    return [markdown(f"### Exercise `{name}`\n\n{TEXT}"), code(STUB.format(name=name), "exercise")]


def specimen() -> NotebookNode:
    """Return the notebook; its lesson is `LESSON`."""
    body = [markdown(HEAD), code("import torch\nfrom course_lib.lessons.n08_specimen import bets, check")]
    for bet, explorer in (("first", "look"), ("second", "play")):
        body += [markdown(TEXT), code(f"bets.{bet}()"), markdown(TEXT), code(f"explorers.{explorer}()"),
                 markdown(TEXT), code("value = 1.0\nshow(figure, alt=f'It is {value}.')"),
                 markdown(TEXT), code(f"bets.{bet}.settle(0)")]
    for name in ("mean", "scale", "total"):
        body += [*exercise(name), markdown("Speak slowly.", "notes")]
    tail = [markdown("## What you learnt\n\nThis."), markdown("## The statements, measured"),
            code("evidence('S1', 'one', 1.0, expect=(0, 2))"), markdown("## Still intractable\n\nThat."),
            markdown("## In practice\n\nSee [a library](https://example.org/library)."), code("import math"),
            markdown("## References\n\n1. [A book](https://example.org/book).")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=body + tail, metadata=metadata)
