"""Where every exported name, module and notebook is on the site."""
import ast
import posixpath
import re
from configparser import ConfigParser
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
OUTER = re.compile(r"^(?:nbs/)?(?:companions/)?([\w.]+?)(?:\.ipynb)?$")     # a notebook, however it is written
INNER = re.compile(r"^(?:python -m )?([A-Za-z_][\w.]*)(?:\(.*\))?$")         # a name, or a call of it
DIRECTIVE = re.compile(r"^\s*#\s*\|\s*(\w+)[: ]*(.*)$")
# What a decade is about. A new one needs a word here, or it is called by its number.
DECADES = {"0": "Ground", "1": "Geometry", "2": "Spaces", "3": "Objectives", "4": "Encoders and models", "5": "Data",
           "6": "Training", "7": "Evaluation", "8": "Seeing", "9": "Benchmarks and checks"}


def settings() -> dict:
    "settings.ini, as setup.py reads it."
    config = ConfigParser(delimiters=["="])
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def directives(source) -> dict:
    "What stands in the lines `#| word rest` of a cell."
    found = map(DIRECTIVE.match, source.splitlines())
    return {m[1]: m[2].strip() for m in found if m}


def relative(page, to) -> str:
    "A link from one page of the site to another; both are addresses from its root."
    path, mark, anchor = to.partition("#")
    return posixpath.relpath(path, posixpath.dirname(page) or ".") + mark + anchor


@dataclass
class Notebook:
    "A notebook and its page."
    path: Path
    cells: list = field(repr=False)

    @property
    def stem(self): return self.path.stem

    @property
    def is_room(self): return self.stem[0].isdigit()

    @property
    def decade(self): return self.stem[0]

    @property
    def page(self):
        "Address of its page, with .md where others have .html."
        if self.stem == "index": return "index.md"
        return f"{'notebooks' if self.is_room else self.path.parent.name}/{self.stem}.md"

    @property
    def url(self): return self.page.removesuffix("md") + "html"

    @cached_property
    def module(self):
        "What it exports to, without the package's name; empty if nothing."
        given = (directives(c.source).get("default_exp") for c in self.cells if c.cell_type == "code")
        return next(filter(None, given), "").removesuffix(".__init__")

    @cached_property
    def opening(self) -> tuple:
        "Its title and the line below that."
        text = next((c.source for c in self.cells if c.cell_type == "markdown"), "")
        title, said = re.search(r"^# +(.+)$", text, re.M), re.search(r"^> *(.+)$", text, re.M)
        return title[1] if title else self.stem, said[1] if said else ""


def read_notebooks(nbs: Path) -> list[Notebook]:
    "Home, rooms by number, companions."
    paths = [nbs / "index.ipynb", *sorted(nbs.glob("[0-9]*.ipynb")), *sorted(nbs.glob("companions/[!_]*.ipynb"))]
    return [Notebook(p, nbformat.read(p, as_version=4).cells) for p in paths]


def defined(source) -> dict:
    "Line number -> name of what a cell defines, methods of patches included."
    try: tree = ast.parse(source)
    except SyntaxError: return {}        # a cell with magics
    found = {}
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)): continue
        found[node.lineno] = f"{owner}.{node.name}" if (owner := patched(node)) else node.name
        if isinstance(node, ast.ClassDef):
            found |= {n.lineno: f"{node.name}.{n.name}" for n in node.body if isinstance(n, ast.FunctionDef)}
    return found


def patched(node) -> str:
    "The class that a function decorated with `patch` becomes a method of."
    words = {getattr(d, "id", getattr(getattr(d, "func", None), "id", "")) for d in node.decorator_list}
    if not words & {"patch", "patch_to"}: return ""
    first = node.args.args[0].annotation if node.args.args else None
    return first.id if isinstance(first, ast.Name) else ""


@dataclass
class Names:
    "The exported names, as `_modidx` has them."
    symbols: dict       # meru_nb.module.Name -> module, without the package's name
    notebooks: list
    package: str

    def __post_init__(self):
        self.by_module = {n.module: n for n in self.notebooks if n.module}
        self.by_stem = {n.stem: n for n in self.notebooks}
        self.modules = sorted({*self.symbols.values()}, key=lambda m: (self.number(m), m))
        self.by_name = {}
        for full, module in self.symbols.items():
            own = self.own(full)
            for short in {own, own.split(".")[-1], f"{module.split('.')[-1]}.{own}"}:
                self.by_name.setdefault(short, []).append(full)

    def number(self, module): return self.by_module[module].stem if module in self.by_module else "~"

    def own(self, full) -> str:
        "A name within its module, such as Class.method."
        return full.removeprefix(f"{self.package}.").removeprefix(f"{self.symbols[full]}.")

    def of(self, module) -> list:
        "All names of a module."
        return [full for full, held in self.symbols.items() if held == module]

    def url(self, full): return f"api/{self.symbols[full]}.html#{self.own(full)}"

    def find(self, text, module="") -> str | None:
        "Address of what a backticked text names, on a page about `module`; None if it is no name of ours, or one of several."
        outer, inner = OUTER.match(text), INNER.match(text.strip())
        if outer and outer[1] in self.by_stem and outer[1] != "index": return self.by_stem[outer[1]].url
        file = text.removeprefix(f"{self.package}/").removesuffix(".py")
        name = inner[1].removeprefix(f"{self.package}.") if inner else file
        if f"{self.package}.{name}" in self.symbols: return self.url(f"{self.package}.{name}")
        dotted = name.replace("/", ".")
        if "." in dotted or dotted != text:                                    # not a bare word
            if dotted in self.modules: return f"api/{dotted}.html"
            if dotted in self.by_module: return self.by_module[dotted].url     # defines nothing of its own
        found = self.by_name.get(name, []) if inner else []
        here = [full for full in found if self.symbols[full] == module]
        exact = [full for full in found if self.own(full) == name]
        far = found if re.search(r"[A-Z_.]", name) else []       # a method called `text` is not what every text is
        for some in ([f for f in here if f in exact], here, exact, far):
            if len(some) == 1: return self.url(some[0])
            if some: return None
        return None


def read_names(notebooks) -> Names:
    "From the index that nbdev writes, and from what it leaves out."
    package = settings()["lib_name"]
    held = {}
    exec((ROOT / package / "_modidx.py").read_text(encoding="utf-8"), held)
    symbols, short = {}, lambda module: module.removeprefix(f"{package}.")
    for module, listed in held["d"]["syms"].items(): symbols |= dict.fromkeys(listed, short(module))
    for module in (n.module for n in notebooks if n.module):          # the index leaves out what a folder's __init__ defines
        path = ROOT / package / module.replace(".", "/") / "__init__.py"
        if not path.exists(): continue
        for own in defined(path.read_text(encoding="utf-8")).values():
            symbols.setdefault(f"{package}.{module}.{own}", module)
    return Names(symbols, notebooks, package)
