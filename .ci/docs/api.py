"""API pages: signatures, and what the comments of parameters say of shapes and units."""
import html
import importlib
import inspect
import warnings
from operator import attrgetter

from fastcore.docments import docments

from .names import defined, relative


def modules_of(names) -> dict:
    "All modules, imported first: a patch gives its method only then."
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                    # a module that has moved says so
        for module in names.modules: found[module] = importlib.import_module(f"{names.package}.{module}")
    return found


def text_of(value) -> str:
    "An annotation or a default as one would write it; empty where there is none."
    if value is inspect.Parameter.empty: return ""
    if isinstance(value, str) and "\n" not in value: return repr(value) if value else '""'
    if value is type(None): return ""                            # of a default, and says nothing
    if inspect.isclass(value) and not getattr(value, "__args__", None): return value.__name__
    if inspect.isroutine(value): return getattr(value, "__name__", str(value))
    if "HAS_DEFAULT_FACTORY" in (said := str(value)) or "<factory>" in said: return "made anew"
    return said.replace("typing.", "") if len(said) < 80 and " at 0x" not in said else "…"


def annotation(value): return value if isinstance(value, str) else text_of(value)

def rows_of(thing) -> list:
    "Name, annotation, default and comment of each parameter; the last may be `return`."
    if not callable(thing) or inspect.isclass(thing) and "__init__" not in vars(thing): return []
    try: held = docments(thing, full=True)
    except (TypeError, ValueError, OSError, SyntaxError): return []
    rows = [(k, annotation(v.anno), text_of(v.default), v.docment or "") for k, v in held.items() if k != "self"]
    rows = [r for r in rows if r[0] != "return" or r[1] not in ("", "None") or r[3]]
    return rows if any(any(r[1:]) for r in rows) else []          # names alone stand in the signature


def sentence(thing) -> str:
    "The first line of its docstring, and of no other."
    said = getattr(thing, "__doc__", None) or ""
    made = inspect.isclass(thing) and said.startswith(f"{thing.__name__}(")       # by dataclass
    return "" if made or not said.strip() else inspect.cleandoc(said).splitlines()[0]


def table(rows, pages, env) -> str:
    "Parameters as a table, one a row."
    if not rows: return ""
    env = env | dict(own={r[0] for r in rows})                    # a parameter is not what else has its name
    def row(name, kind, default, said):
        shown = f"<code>{html.escape(name)}</code>" if name != "return" else "<em>returns</em>"
        coded = [f"<code>{html.escape(x)}</code>" if x else "" for x in (kind, default)]
        cells = [shown, *coded, pages.inline(said.replace("\n", " "), env)]
        return "<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
    head = "<tr><th>parameter</th><th>type</th><th>default</th><th>shape, unit, meaning</th></tr>"
    body = "".join(row(*r) for r in rows)
    return f'<div class="wide"><table class="parameters"><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def signature(own, thing) -> str:
    "One line of Python."
    thing = thing.fget if isinstance(thing, property) else thing
    if isinstance(thing, type) and "__init__" not in vars(thing): return f"class {own}"
    bare = lambda p: str(p.replace(annotation=p.empty, default=p.empty)) + "=…" * (p.default is not p.empty)
    try: shown = [bare(p) for p in inspect.signature(thing).parameters.values()]
    except (TypeError, ValueError): shown = ["…"]
    return ("class " if inspect.isclass(thing) else "") + f"{own}({', '.join(shown)})"


def entry(full, module, names, pages, env) -> list:
    "One name: heading, signature, sentence, table, and where it is shown."
    own = names.own(full)
    owner, _, last = own.rpartition(".")
    try: thing = inspect.getattr_static(attrgetter(owner)(module) if owner else module, last)
    except AttributeError: return []
    bare = thing.fget if isinstance(thing, property) else getattr(thing, "__func__", thing)
    said, notebook = sentence(bare), names.by_module.get(names.symbols[full])
    shown = f'<code class="signature">{html.escape(own if isinstance(thing, property) else signature(own, bare))}</code>'
    there = f"{relative(env['url'], notebook.url)}#def-{own}" if notebook else ""
    where = f'<a class="shown" href="{there}">shown in {notebook.stem}</a>' if notebook else ""
    words = f"<p>{pages.inline(said, env)}</p>" if said else ""
    body = f'<p class="entry">{shown} {where}</p>{words}{table(rows_of(bare), pages, env)}'
    return [f"{'###' if '.' in own else '##'} `{own}`", pages.stash(body)]


def api_page(module, held, names, pages) -> str:
    "All names of a module, in the order in which they are defined."
    notebook = names.by_module.get(module)
    env = pages.env(f"api/{module}.html", module)
    out = [f"# {names.package}.{module}"]
    if notebook:
        out.append(pages.stash(f'<p class="about">{pages.inline(notebook.opening[1], env)} '
                               f'<a href="{relative(env["url"], notebook.url)}">{notebook.path.name}</a></p>'))
    lines = {own: n for n, own in defined(inspect.getsource(held)).items()}
    order = lambda full: (lines.get(names.own(full).split(".")[0], 0), lines.get(names.own(full), 0))
    for full in sorted(names.of(module), key=order): out += entry(full, held, names, pages, env)
    return "\n\n".join(out) + "\n"
