#!/usr/bin/env python
"""Render README.md from nbs/index.ipynb with nbconvert, pictures left in assets/. `--check` only compares."""
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

root = Path(__file__).resolve().parent.parent
nb = nbformat.read(root / "nbs" / "index.ipynb", as_version=4)
nb.cells = [c for c in nb.cells if not re.match(r"\s*#\s*\|\s*(hide|default_exp)", c.source)]
text, _ = MarkdownExporter().from_notebook_node(nb)
text = re.sub(r"\n{3,}", "\n\n", text).replace("](../assets/", "](assets/").strip() + "\n"
text = "<!-- Rendered from nbs/index.ipynb by .ci/render_readme.py: edit the notebook. -->\n\n" + text
readme = root / "README.md"
if "--check" in sys.argv:
    if readme.read_text(encoding="utf-8") != text:
        sys.exit("README.md is not what nbs/index.ipynb renders to: run `python .ci/render_readme.py`")
else:
    readme.write_text(text, encoding="utf-8")
