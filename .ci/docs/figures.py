"""Figures that move without a kernel: every state is computed here, and the page shows one of them.

A traversal is stepped through, and a gap is closed or widened. Both are drawn by `meru_nb.viz` from the demo models that travel
with the package.
"""
import base64
import html
import io
import json
from dataclasses import dataclass

import torch
from PIL import Image

from meru_nb.checkpoint import demo_models, load_model
from meru_nb.data.shapes import make_sample
from meru_nb.data.transforms import eval_pixels
from meru_nb.evals.retrieval import retrieval
from meru_nb.pool import embed_pool, embed_texts, read_pool
from meru_nb.spaces.move import shift
from meru_nb.traverse import traverse
from meru_nb.viz import Layout, lay_out, palette, place, plotly_layout, plotly_traces

CLEAR = "rgba(0,0,0,0)"
START = 9              # of the held-out pictures: where the traversals begin
STEPS, SHARES = 41, [k / 20 for k in range(-10, 31)]
# What a widget shows, and where the same is on the site.
EXPLORERS = dict(TraversalExplorer=("a traversal", "figures.html#A-traversal"),
                 GapExplorer=("a gap", "figures.html#A-gap"))


def png(pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def hyperbolic() -> dict:
    "Name -> demo model, of those that have a root of their own."
    models = {name: load_model(name) for name in demo_models()}
    return {name: m for name, m in models.items() if m.space.origin and name.startswith(("atmg", "meru"))}


def embed(model, samples):   # list of pixels -> (N, D)
    return model.encode_image(torch.stack([eval_pixels(png(p), model.image_size, exact=True) for p in samples])).float()


def at_home(figure):
    "A figure of the notebooks as the site shows it: as wide as there is room, on the page's own colour."
    font = dict(color=palette(False)["ink"], family="system-ui, sans-serif")
    figure.update_layout(template=None, width=None, height=None, autosize=True, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR)
    figure.update_layout(title=None, annotations=[], dragmode=False, margin=dict(l=0, r=0, t=30, b=0))
    return figure.update_layout(font=font, hoverlabel=dict(font_family=font["family"]))


def rounded(value):
    "Plain numbers of five digits: half the size."
    if isinstance(value, dict): return {k: rounded(v) for k, v in value.items() if v is not None}
    if hasattr(value, "tolist"): value = value.tolist()
    if isinstance(value, (list, tuple)): return [rounded(v) for v in value]
    return (None if value != value else round(value, 5)) if isinstance(value, float) else value


def embedded(figure, frames, words, note, label, start=0) -> str:
    "A figure with a slider over its frames, and words that go with each."
    plain = figure.to_plotly_json()
    data = rounded(dict(data=plain["data"], layout=plain["layout"], frames=frames, words=words))
    held = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    last, label = len(words) - 1, html.escape(label)
    return (f'<div class="live" data-search-exclude><div class="plot" role="img" aria-label="{label}"></div>'
            f'<div class="slide"><button type="button" aria-label="one step back">‹</button>'
            f'<input type="range" min="0" max="{last}" value="{start}" aria-label="{label}">'
            f'<button type="button" aria-label="one step on">›</button></div>'
            f'<output>{html.escape(words[start])}</output><p class="note">{html.escape(note)}</p>'
            f'<script type="application/json">{held}</script></div>')


def dark_colors() -> dict:
    "A colour of the light palette -> the same of the dark one."
    return {light.upper(): palette(True)[role] for role, light in palette(False).items()}


def pick(layout, name) -> int:
    "The number of a trace."
    return [t["name"] for t in plotly_traces(layout)].index(name)


def threaded(layout, step, number) -> list:
    "The mark at a step, and a thread from it to where its caption lives."
    x, y = layout.xy["path"][step].tolist()
    there = [layout.xy["text"][number].tolist()] if number < len(layout.xy["text"]) else []
    thread = [(x, y), *there] if there else []
    return [dict(x=[x], y=[y]), dict(x=[p[0] for p in thread], y=[p[1] for p in thread])]


@dataclass
class Near(Layout):
    "A layout of which another part is shown."
    half: float = 1.0   # of the side

    @property
    def window(self): return self.half


def around(layout) -> Near:
    "The walk and most of the pool: a few strangers may lie outside."
    far = max(float(layout.xy["path"].norm(dim=-1).max()), float(layout.xy["text"].norm(dim=-1).quantile(0.9)))
    return Near(**vars(layout), half=min(1.3 * far, layout.window))


def walk_figure(model, name, start=START) -> str:
    "A walk from one picture to the root, a frame a step."
    pixels, about = make_sample(0, "val", start)
    pool, space = read_pool("shapes"), model.space
    texts, root, image = embed_pool(model, pool, cache=False), space.root(), embed(model, [pixels])
    walk = traverse(image[0], texts, root, space, steps=STEPS, cone_filter=False, names=pool.names)
    layout = around(lay_out(space, "anchor", anchor=image[0], image=image, text=texts, path=walk.points))
    figure = at_home(plotly_layout(layout, at=0, height=460, hover=dict(text=pool.names)))
    spots, words = [pick(layout, "here"), pick(layout, "geodesics")], []
    frames = [dict(traces=spots, data=threaded(layout, k, number)) for k, number in enumerate(walk.index.tolist())]
    for k, (text, radius) in enumerate(zip(walk.texts, space.radius(walk.points).tolist())):
        words.append(f"step {k}, radius {radius:.2f}: {text}")
    data, said = base64.b64encode(png(pixels)).decode(), html.escape(about["hierarchy"][-1])
    picture = f'<img alt="{said}" width=64 height=64 src="data:image/png;base64,{data}">'
    met = "".join(f"<li>{html.escape(c)}</li>" for c in walk.captions)
    head = f'<div class="walk">{picture}<ol>{met}</ol></div>'
    return head + embedded(figure, frames, words, f"{name}; {layout.note}", f"A walk of {name} to the root")


def gap_figure(model, name, count=150) -> str:
    "Both modalities moved towards each other, a frame a share of the gap."
    made = [make_sample(0, "val", i) for i in range(count)]
    captions = [about["hierarchy"][-1] for _, about in made]
    group = torch.tensor([captions.index(c) for c in captions])
    image, text, space = embed(model, [p for p, _ in made]), embed_texts(model, captions), model.space
    layout = lay_out(space, "pca", image=image, text=text)
    spots = [pick(layout, "images"), pick(layout, "texts")]
    frames, words, percent = [], [], lambda found: f"{100 * found['R@1']:.0f}%"
    for share in SHARES:
        i, t, left = shift(space, image, text, share)
        xy = [place(layout, space, p) for p in (i, t)]
        found = retrieval(space, i, t, group, group)
        frames.append(dict(traces=spots, data=[dict(x=p[:, 0], y=p[:, 1]) for p in xy]))
        words.append(f"{100 * share:.0f}% of the gap closed: centres {left:.2f} apart; the right picture is first for "
                     f"{percent(found['t2i'])} of captions, the right caption for {percent(found['i2t'])} of pictures")
    far = max(float(d[k].abs().max()) for f in frames for d in f["data"] for k in "xy")
    layout = Near(**vars(layout), half=1.05 * far)
    figure = at_home(plotly_layout(layout, height=460, hover=dict(image=captions, text=captions)))
    note = f"{name}, {count} held-out pairs; {layout.note}"
    return embedded(figure, frames, words, note, f"The gap of {name}", start=SHARES.index(0))


def side_by_side(draw, models) -> str:
    "A figure of each model, in a row where there is room."
    drawn = [f"<section><h3>{name}</h3>{draw(m, name)}</section>" for name, m in models.items()]
    return f'<div class="pair">{"".join(drawn)}</div>'


WORDS = dict(top="""
What the explorers `TraversalExplorer` and `GapExplorer` show in JupyterLab, computed beforehand for the demo models. Slide, step
with the arrows of the keyboard, and point at marks. Distance from the root is exact on the page; below each figure stands what
the projection does to the rest.""", walk="""
From a picture to the root, with `traverse`: at each step the best caption of a pool of drawn shapes, and a thread to where that
caption lives. Triangles are the pool's captions, each with its words.""", gap="""
Pictures and captions of the same pairs, moved towards each other by `shift`, or apart. Does a model find better without its gap?
Slide, and read the numbers.""")


@torch.no_grad()
def figures_page(pages) -> str:
    "The page of moving figures, as Markdown with HTML kept aside."
    env, models = pages.env("figures.html"), hyperbolic()
    for m in models.values(): m.eval(); m.space.requires_grad_(False)
    say = lambda key: pages.prose(WORDS[key], env)
    drawn = lambda draw: pages.stash(side_by_side(draw, models))
    out = ["# Figures that move", say("top")]
    out += ["## A traversal", say("walk"), drawn(walk_figure), "## A gap", say("gap"), drawn(gap_figure)]
    scripts = "".join(f'<script src="assets/{name}"></script>' for name in ("plotly.min.js", "live.js"))
    return "\n\n".join(["---\nhide: [navigation]\n---", *out, pages.stash(scripts)]) + "\n"
