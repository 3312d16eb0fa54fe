"""Lecture mode: larger type, folded code, and PageDown from heading to heading."""

from string import Template

from IPython.display import HTML, display

BEGUN = (
    "Lecture mode: PageDown and PageUp step from heading to heading; a selected cell shows its code. "
    "<code>lecture(False)</code> ends it."
)
CSS = """
.jp-Notebook { --jp-content-font-size1: 22px; --jp-code-font-size: 20px; --jp-ui-font-size1: 18px;
  --jp-widgets-font-size: 18px; --jp-content-presentation-font-size1: 22px; --jp-code-presentation-font-size: 20px; }
.jp-Notebook .jp-CodeCell:not(.jp-mod-selected, :focus-within, :hover) .jp-Cell-inputArea {
  max-height: 2.4em; overflow: hidden; opacity: 0.7; }
"""

# Put into the page's head, for a cell that is scrolled away takes its own styles with it.
SCRIPT = Template("""<p>$said</p><script>
window.courseLecture?.abort();
document.getElementById("course-lecture")?.remove();
if ($on) {
  const style = document.createElement("style");
  style.id = "course-lecture";
  style.textContent = `$css`;
  document.head.append(style);
  window.courseLecture = new AbortController();
  document.addEventListener("keydown", (event) => {
    const down = { PageDown: true, PageUp: false }[event.key];
    const page = [...document.querySelectorAll(".jp-Notebook .jp-WindowedPanel-outer, .jp-Notebook")]
      .find((element) => element.scrollHeight > element.clientHeight && element.offsetParent);
    if (down === undefined || !page || event.target.closest(".cm-editor, input, textarea")) return;
    const top = page.getBoundingClientRect().top;
    const away = (heading) => heading.getBoundingClientRect().top - top - 10;  // pixels
    const headings = [...page.querySelectorAll(".jp-RenderedMarkdown :is(h1, h2, h3)")]
      .filter((heading) => heading.checkVisibility({ visibilityProperty: true }));  // not those of other slides
    const next = down ? headings.find((h) => away(h) > 1) : headings.findLast((h) => away(h) < -1);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    page.scrollTop += away(next);
  }, { capture: true, signal: window.courseLecture.signal });
}
</script>""")


def lecture(on: bool = True) -> None:
    """Switch this JupyterLab page to lecture mode, or back: type, figures, folded code, keys."""
    from .. import plots  # matplotlib is loaded only when asked for

    plots.style(scale=1.5 if on else 1.0)
    said = BEGUN if on else "Lecture mode has ended."
    display(HTML(SCRIPT.substitute(said=said, on=str(on).lower(), css=CSS)))
