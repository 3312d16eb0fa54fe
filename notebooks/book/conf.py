"""How Sphinx makes the book; `build.py` writes the pages that it reads."""

from importlib.util import find_spec
from pathlib import Path

import course_lib

MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"  # one file, no fonts

project = "Generative AI from First Principles"
author = "The contributors to Generative AI from First Principles"
release = course_lib.__version__
language = "en-GB"
extensions = ["myst_nb", "sphinx.ext.mathjax"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 6
myst_heading_slug_func = "notebooks.book.build.anchor"

mathjax_path = MATHJAX.joinpath("tex-svg-full.js").name
# The course's tables, which are HTML outputs, have their formulas between dollars.
mathjax3_config = {"tex": {"inlineMath": [["$", "$"], ["\\(", "\\)"]]}}
myst_mathjax_classes = "math|text_html"

highlight_language = "none"

html_theme = "furo"
pygments_dark_style = "a11y-dark"
html_title = project
html_static_path = ["book.css", str(MATHJAX / mathjax_path)]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it would be fetched, which a browser refuses to a page opened as a file
html_show_copyright = False
