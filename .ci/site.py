#!/usr/bin/env python
"""The notebooks as a static site in _site/: no network, no Quarto, no kernel.

    python .ci/site.py [--out FOLDER] [--badges]
    python .ci/docs/check.py                       # the site in a browser

Material for MkDocs gives navigation, search, dark theme and phone width, as plain files. docs/pages.py turns notebooks into
pages, and not mkdocs-jupyter: that one asks other hosts for MathJax and require.js, puts JupyterLab's style sheet into every
page, and leaves no room to link names or to keep pictures in files of their own. jupyter-book 1 brings Sphinx and forty
packages, and asks other hosts for MathJax and Thebe. A theme of our own over nbconvert would have to write search and
navigation anew.

Equations become MathML (latex2mathml): browsers draw it themselves, in the colour of the text, without a script or another
host; KaTeX and MathJax would be scripts to ship and to wait for, and no package brings KaTeX with its fonts. The font is STIX
Two Math, which ziamath brings: without one that knows mathematics, roots and large delimiters look broken. An equation that
does not come through is an error here. Figures are alive by one plotly.js, the file that the plotly package brings.
"""
import argparse
import json
import logging
import re
import shutil
import sys
import tempfile
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.plugins import BasePlugin

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
from docs.api import api_page, modules_of
from docs.names import DECADES, ROOT, Names, read_names, read_notebooks, settings
from docs.pages import Pages

HERE = Path(__file__).resolve().parent / "docs"
COLAB = "https://colab.research.google.com"
LOGOS = "https://raw.githubusercontent.com/jupyter/design/main/logos/Badges"


class Restore(BasePlugin):
    "Puts the notebooks' HTML back into pages that mkdocs has rendered."
    def __init__(self, pages): super().__init__(); self.pages = pages
    def on_page_content(self, made, page, config, files): return self.pages.restore(made)


def by_decade(things, number) -> dict:
    "Title of a decade -> its things, in order."
    out = {}
    for thing in things:
        digit = number(thing)[0]
        title = f"{digit}0 {DECADES[digit]}" if digit in DECADES else "Elsewhere"
        out.setdefault(title, []).append(thing)
    return out


def decade_page(title, notebooks, pages, url) -> str:
    "What is in a decade, a line each."
    lines = [f"- `{n.stem}`: {n.opening[0]}. {n.opening[1]}" for n in notebooks]
    return f"# {title}\n\n{pages.prose(chr(10).join(lines), pages.env(url))}\n"


def write(work: Path, page, text):
    path = work / page
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return page


def navigation(notebooks, names: Names, pages, work: Path) -> list:
    "All pages, written; the file tree by decades, with the names of the rooms."
    rooms, others = [n for n in notebooks if n.is_room], [n for n in notebooks if not n.is_room and n.stem != "index"]
    nav = [dict(Home="index.md"), dict(Figures="figures.md")]
    nav.append(dict(Companions=[{n.opening[0]: n.page} for n in others]))
    decades = []
    for title, some in by_decade(rooms, lambda n: n.stem).items():
        index = f"notebooks/{title[:2]}/index.md"
        write(work, index, decade_page(title, some, pages, index.removesuffix("md") + "html"))
        decades.append({title: [index, *({n.stem.replace("_", " ", 1): n.page} for n in some)]})
    api = [{title: [{m: f"api/{m}.md"} for m in some]} for title, some in by_decade(names.modules, names.number).items()]
    return [*nav, dict(Notebooks=decades), dict(API=api)]


def write_pages(work: Path) -> tuple:   # the plugin, navigation
    "Everything that mkdocs reads."
    from docs.figures import EXPLORERS, figures_page            # torch, which `--badges` need not wait for
    notebooks = read_notebooks(ROOT / "nbs")
    names = read_names(notebooks)
    pages = Pages(names, work, EXPLORERS)
    for n in notebooks: write(work, n.page, "---\nhide: [navigation]\n---\n\n" * (n.stem == "index") + pages.page(n))
    for module, held in modules_of(names).items(): write(work, f"api/{module}.md", api_page(module, held, names, pages))
    write(work, "figures.md", figures_page(pages))
    return Restore(pages), navigation(notebooks, names, pages, work)


def write_assets(work: Path):
    "Style, script, and the one plotly.js."
    import plotly, ziamath
    from fontTools.ttLib import TTFont              # matplotlib has it
    from docs.figures import dark_colors
    (work / "assets").mkdir(exist_ok=True)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", work / "assets")
    shutil.copy(HERE / "site.css", work / "assets")
    font = TTFont(Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf")
    font.flavor = "woff"
    font.save(work / "assets" / "math.woff")
    script = (HERE / "live.js").read_text(encoding="utf-8").replace("DARK_COLORS", json.dumps(dark_colors()))
    (work / "assets" / "live.js").write_text(script, encoding="utf-8")


def address() -> str:
    "Where the site is published."
    given = settings()
    return f"{given['doc_host']}{given['doc_baseurl']}/"


def configuration(work: Path, out: Path, nav) -> dict:
    "What mkdocs is told. No `repo_url`: the theme would ask GitHub for stars."
    given = settings()
    def scheme(name, now, other, icon):
        return dict(media=f"(prefers-color-scheme: {now})", scheme=name, primary="custom", accent="custom",
                    toggle=dict(icon=f"material/weather-{icon}", name=f"Switch to {other}"))
    schemes = [scheme("default", "light", "dark", "night"), scheme("slate", "dark", "light", "sunny")]
    features = [f"navigation.{x}" for x in ("tabs", "indexes", "prune", "top", "footer")]
    features += ["toc.follow", "search.suggest", "search.highlight", "content.code.copy"]
    return dict(site_name=given["title"], site_description=given["description"], site_author=given["author"],
                site_url=address(), copyright=f"{given['copyright']}; Apache-2.0",
                docs_dir=str(work), site_dir=str(out), use_directory_urls=False, nav=nav, extra_css=["assets/site.css"],
                theme=dict(name="material", font=False, features=features, palette=schemes,
                           icon=dict(logo="material/chart-bubble")),
                plugins=[dict(search=dict(separator=r"[\s\-,:=\[\]()\"`/.]+"))],
                extra=dict(social=[dict(icon="fontawesome/brands/github", link=given["git_url"])]),
                markdown_extensions=["attr_list", dict(toc=dict(permalink=True, toc_depth="2-3"))])


def build_site(out: Path):
    "All of it."
    write_badges(check=True)
    if address() not in (ROOT / "README.md").read_text(encoding="utf-8"):
        sys.exit(f"README.md, which is nbs/index.ipynb, does not link {address()}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "pages"
        work.mkdir()
        restore, nav = write_pages(work)
        write_assets(work)
        (Path(folder) / "mkdocs.yml").write_text(json.dumps(configuration(work, out, nav)), encoding="utf-8")
        config = load_config(str(Path(folder) / "mkdocs.yml"))
        config.plugins["restore"] = restore
        config.mdx_configs["toc"]["slugify"] = lambda text, _: text.strip().replace(" ", "-")     # Jupyter's, which keeps names
        build(config)
    (out / ".nojekyll").touch()


def badges(stem) -> list[str]:
    "The lines of a companion that open it elsewhere."
    given = settings()
    path = f"{given['git_url'].removeprefix('https://github.com/')}/blob/{given['branch']}/nbs/companions/{stem}.ipynb"
    return [f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({COLAB}/github/{path})",
            f"[![View in nbviewer]({LOGOS}/nbviewer_badge.svg)](https://nbviewer.org/github/{path})",
            f"In Colab, first: `%pip install git+{given['git_url']}`"]


def with_badges(source, stem) -> str:
    "A companion's first cell with its badges, below title and subtitle."
    ours = re.compile(r"\[!\[(Open in Colab|View in nbviewer)|In Colab, first:")
    lines = [x for x in source.splitlines() if not ours.match(x)]
    at = next((i for i, x in enumerate(lines) if x.startswith(">")), 0) + 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*lines[:at], "", *badges(stem), "", *lines[at:]])).strip("\n")


def write_badges(check=False):
    "Each companion's first cell, with its badges; or a word about the one that lacks them."
    for path in sorted((ROOT / "nbs" / "companions").glob("[!_]*.ipynb")):
        held = json.loads(path.read_text(encoding="utf-8"))
        first = next(c for c in held["cells"] if c["cell_type"] == "markdown")
        text = with_badges(old := "".join(first["source"]), path.stem)
        if text == old: continue
        if check: sys.exit(f"{path.name} lacks its badges: run `python .ci/site.py --badges`")
        first["source"] = text.splitlines(True)
        path.write_text(json.dumps(held, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", type=Path, default=ROOT / "_site", help="folder of the site")
    p.add_argument("--badges", action="store_true", help="write the badges of the companions, and no site")
    args = p.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if args.badges: return write_badges()
    build_site(args.out.resolve())
    files = [f for f in args.out.rglob("*") if f.is_file()]
    pages, size = [f for f in files if f.suffix == ".html"], sum(f.stat().st_size for f in files)
    print(f"{len(pages)} pages, {size / 2**20:.1f} MB in {args.out}")


if __name__ == "__main__": main()
