"""Notebooks as pages: prose, equations, code, pictures, and a link from every name to its definition."""
import base64
import hashlib
import html
import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .equations import mathml
from .names import ROOT, Names, defined, directives, relative, settings

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}

def code_html(source, language="python") -> str:
    "Code with its colours as classes."
    try: lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound: lexer = get_lexer_by_name("text")
    return highlight(source.rstrip(), lexer, HtmlFormatter(wrapcode=True))


RULES = "code_inline fence link_open image math_inline math_inline_double math_block table_open table_close".split()


@dataclass
class Pages:
    "Turns notebooks into what mkdocs reads: headings in Markdown, and everything else as HTML that it leaves alone."
    names: Names
    work: Path                                   # where pages are written
    live: dict = field(default_factory=dict)     # word in a cell -> (what it makes, address of a figure like it)
    blocks: list = field(default_factory=list)   # HTML, by number

    def __post_init__(self):
        self.git, self.branch = settings()["git_url"], settings()["branch"]
        self.md = MarkdownIt("commonmark", dict(html=True)).enable(["table", "strikethrough"])
        self.md.use(dollarmath_plugin, double_inline=True)
        for name in RULES:
            self.md.renderer.rules[name] = getattr(self, name)

    # rules of the renderer: tokens, i, options, env; env holds the page's address and module
    def code_inline(self, tokens, i, options, env):
        text, to = tokens[i].content, None
        open_links = sum(dict(link_open=1, link_close=-1).get(t.type, 0) for t in tokens[:i])
        if not open_links and text not in env["own"]: to = self.names.find(text, env["module"])
        made = f"<code>{html.escape(text)}</code>"
        return f'<a class="name" href="{relative(env["url"], to)}">{made}</a>' if to else made

    def fence(self, tokens, i, options, env): return code_html(tokens[i].content, tokens[i].info.strip())
    def math_inline(self, tokens, i, options, env): return mathml(tokens[i].content)
    def math_inline_double(self, tokens, i, options, env): return mathml(tokens[i].content, True)
    def math_block(self, tokens, i, options, env): return mathml(tokens[i].content, True)
    def table_open(self, tokens, i, options, env): return '<div class="wide"><table>'
    def table_close(self, tokens, i, options, env): return "</table></div>"

    def link_open(self, tokens, i, options, env):
        return f'<a href="{html.escape(self.target(tokens[i].attrs["href"], env))}">'

    def image(self, tokens, i, options, env):
        source, alt = tokens[i].attrs["src"], html.escape(tokens[i].content)
        if re.match(r"https?:", source): return f'<span class="badge">{alt}</span>'       # the site asks no other host
        data = (env["folder"] / source).read_bytes()
        return f'<img alt="{alt}" src="{self.keep(data, Path(source).suffix[1:], env)}">'

    def target(self, href, env) -> str:
        "Where a link of a notebook leads on the site: to a page, or to the file in the repository."
        if re.match(r"[a-z]+:|#|/", href): return href
        path, mark, anchor = href.partition("#")
        other = self.names.by_stem.get(Path(path).stem) if path.endswith(".ipynb") else None
        if other: return relative(env["url"], other.url) + mark + anchor
        return f"{self.git}/blob/{self.branch}/{(env['folder'] / path).resolve().relative_to(ROOT)}"

    def keep(self, data: bytes, suffix, env) -> str:
        "Write a picture once, however often it is shown; its address from the page."
        name = f"pictures/{hashlib.sha256(data).hexdigest()[:16]}.{suffix}"
        (self.work / "pictures").mkdir(exist_ok=True)
        (self.work / name).write_bytes(data)
        return relative(env["url"], name)

    def stash(self, made) -> str:
        "A line of Markdown that stands for HTML."
        self.blocks.append(made)
        return f"BLOCK-{len(self.blocks) - 1}-"

    def restore(self, page_html) -> str:
        "A page with its HTML put back."
        return re.sub(r"<p>BLOCK-(\d+)-</p>", lambda m: self.blocks[int(m[1])], page_html)

    def env(self, url, module="", folder=ROOT) -> dict:
        "What the rules know of a page."
        return dict(url=url, module=module, folder=folder, pointed=False, own=())

    def prose(self, text, env) -> str:
        "Markdown of a cell: its headings as they are, the rest rendered."
        tokens, out, some = self.md.parse(text, env), [], []
        def flush():
            if some: out.append(self.stash(self.md.renderer.render(some, self.md.options, env)))
            some.clear()
        for i, t in enumerate(tokens):
            if t.type == "heading_open" and not t.level:
                flush()
                out.append(f"{'#' * int(t.tag[1])} {tokens[i + 1].content}")
            elif i and tokens[i - 1].type == "heading_open" or t.type == "heading_close" and not t.level: continue
            else: some.append(t)
        flush()
        return "\n\n".join(out)

    def inline(self, text, env) -> str: return self.md.renderInline(text, env)

    def output(self, o, env) -> str:
        "One output of a cell."
        if o.output_type == "stream": return pre(o.text)
        if o.output_type == "error": return pre(f"{o.ename}: {o.evalue}")
        data, about = o.data, o.get("metadata", {})
        for kind in (k for k in PICTURES if k in data):
            raw = data[kind].encode() if kind == "image/svg+xml" else base64.b64decode(data[kind])
            width = about.get(kind, {}).get("width")
            size = f' width="{width}"' if width else ""
            source = self.keep(raw, PICTURES[kind], env)
            return f'<img class="picture" alt="Picture drawn by the code above" src="{source}"{size}>'
        if "text/html" in data: return f'<div class="wide">{data["text/html"]}</div>'
        if "text/markdown" in data: return self.md.render(data["text/markdown"], env)
        if any("widget-view" in k for k in data): return ""                # nothing without a kernel
        return pre(data.get("text/plain", ""))

    def code(self, cell, env) -> str:
        "A code cell with its outputs; empty if it is hidden."
        said = directives(cell.source)
        source = re.sub(r"^\s*#\s*\|.*\n?", "", cell.source, flags=re.M).strip("\n")
        if said.keys() & {"hide", "default_exp"} or not source.strip(): return ""
        exported = said.keys() & {"export", "exports"}
        spots = "".join(f'<span id="def-{name}"></span>' for name in defined(source).values()) if exported else ""
        made = code_html(source)
        if exported: made = self.linked(made, source, env)
        shown = "".join(self.output(o, env) for o in cell.outputs)
        label = f'<span class="where">{self.names.package}.{env["module"]}</span>' if exported else ""
        below = f'<div class="output" data-search-exclude>{shown}</div>' if shown.strip() else ""
        return f'<div class="cell{" exported" if exported else ""}">{spots}{label}{made}</div>{below}{self.instead(source, env)}'

    def linked(self, made, source, env) -> str:
        "Code whose definitions lead to their entries among the API pages."
        lines, named = made.split("\n"), re.compile(r'(<span class="n[cf](?: [\w-]+)?">\w+</span>)')
        for number, name in defined(source).items():
            full = f"{self.names.package}.{env['module']}.{name}"
            if full not in self.names.symbols or number > len(lines): continue
            there = relative(env["url"], self.names.url(full))
            lines[number - 1] = named.sub(rf'<a class="name" href="{there}">\1</a>', lines[number - 1], count=1)
        return "\n".join(lines)

    def instead(self, source, env) -> str:
        "A word below a widget about what can be moved without a kernel."
        found = [(what, to) for word, (what, to) in self.live.items() if re.search(rf"\b{word}\(", source)]
        if not found or env["pointed"]: return ""
        what, to = found[0]
        env["pointed"] = True                                   # once a page will do
        return (f'<p class="instead">Here is {what} that can be moved without a kernel: '
                f'<a href="{relative(env["url"], to)}">figures</a>.</p>')

    def page(self, notebook) -> str:
        "A notebook as Markdown."
        env = self.env(notebook.url, notebook.module, notebook.path.parent)
        out = [self.stash(self.about(notebook))] if notebook.stem != "index" else []
        for cell in notebook.cells:
            if cell.cell_type == "markdown": made = self.prose(cell.source, env)
            elif cell.cell_type == "code" and (made := self.code(cell, env)): made = self.stash(made)
            if made: out.append(made)
        if not any(m.startswith("# ") for m in out): out.insert(0, f"# {notebook.opening[0]}")
        elif len(out) > 1 and out[0].startswith("BLOCK"):    # the title comes first
            title, _, rest = out[1].partition("\n\n")
            if title.startswith("# "): out[:2] = [title, rest, out[0]]
        return "\n\n".join(out) + "\n"

    def about(self, notebook) -> str:
        "Where a page comes from."
        path = notebook.path.relative_to(ROOT)
        links = [f'<a href="{self.git}/blob/{self.branch}/{path}">{path}</a>']
        if notebook.module in self.names.modules:
            there = relative(notebook.url, f"api/{notebook.module}.html")
            links.append(f'<a href="{there}"><code>{self.names.package}.{notebook.module}</code></a>')
        return f'<p class="about">{" · ".join(links)}</p>'


def pre(text) -> str:
    text = ANSI.sub("", text).rstrip()
    return f"<pre>{html.escape(text)}</pre>" if text else ""
