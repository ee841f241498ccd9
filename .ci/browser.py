#!/usr/bin/env python
"""The notebooks as a reader meets them: JupyterLab in a real browser, Run All, hands on the widgets, a screenshot of each.

    python .ci/browser.py [SCREENSHOTS] [--only NAME ...]

Works on a copy of nbs/companions/*.ipynb and nbs/82_widgets.ipynb, and on a notebook of its own that holds the three explorers. Where there is no
chromium it says so and leaves. Everything stays on this machine: the server listens on loopback, with a token.
"""
import argparse, contextlib, io, json, os, secrets, shutil, socket, subprocess, sys, tempfile, time, urllib.request
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
EXPLORERS = {"traversal": "from meru_nb.widgets import *\nexplorer = TraversalExplorer(['meru_demo', 'atmg_demo'])\nexplorer",
             "gap": "gap = GapExplorer({'two': ['atmg_demo', 'meru_demo']}, shape_pictures(60), pairs=60)\ngap", "cone": "cone = ConeExplorer('meru_demo', shape_pictures(60), caption='a red thing')\ncone"}
TIMEOUT = 300  # seconds for a notebook on a slow machine


def copy_notebooks(nbs: Path, work: Path):
    "Our notebooks without their outputs, and one that shows the explorers."
    for path in [*sorted(nbs.glob("companions/*.ipynb")), nbs / "82_widgets.ipynb"]:
        nb = nbformat.read(path, 4)
        for cell in nb.cells:
            if cell.cell_type == "code": cell.outputs, cell.execution_count = [], None
        nbformat.write(nb, work / path.name)
    cells = [nbformat.v4.new_code_cell(source) for source in EXPLORERS.values()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=dict(kernelspec=dict(name="python3", display_name="Python 3", language="python"))), work / "explorers.ipynb")


@contextlib.contextmanager
def jupyter_lab(work: Path, home: Path):
    "A JupyterLab on loopback that asks nobody and remembers nothing; yields its address and token."
    with socket.socket() as s: s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]
    settings = home / "settings"
    for name, held in {"apputils-extension/notification": dict(fetchNews="false", checkForUpdates=False), "notebook-extension/tracker": dict(windowingMode="none", autoStartDefaultKernel=True)}.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True); path.write_text(json.dumps(held))
    token, url = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    env = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "MERU_NB_STATIC")} | dict(
        JUPYTER_CONFIG_DIR=str(home / "config"), JUPYTER_RUNTIME_DIR=str(home / "runtime"), IPYTHONDIR=str(home / "ipython"), JUPYTERLAB_SETTINGS_DIR=str(settings), JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        JUPYTER_TOKEN=token)
    log = open(home / "lab.log", "w")
    lab = subprocess.Popen([sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root", "--expose-app-in-browser", f"--ServerApp.root_dir={work}"], env=env, stdout=log, stderr=log)
    try:
        for _ in range(240):
            if lab.poll() is not None: raise RuntimeError(f"JupyterLab ended with {lab.returncode}: {(home / 'lab.log').read_text()[-2000:]}")
            with contextlib.suppress(OSError): urllib.request.urlopen(f"{url}/api?token={token}", timeout=5); break
            time.sleep(0.5)
        yield url, token
    finally:
        lab.terminate()
        try: lab.wait(20)
        except subprocess.TimeoutExpired: lab.kill()


def run_all(page, url, token, path: Path):
    "Open a notebook, run all of it, save it; an error if any cell has one."
    page.goto(f"{url}/lab/workspaces/{path.stem}/tree/{path.name}?token={token}", timeout=120_000)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'", timeout=120_000)
    page.evaluate("() => { window.meruRan = 'no'; window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => window.meruRan = 'yes', e => window.meruRan = String(e)) }")
    page.wait_for_function("() => window.meruRan !== 'no'", timeout=TIMEOUT * 1000)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    cells = [c for c in nbformat.read(path, 4).cells if c.cell_type == "code" and c.source.strip()]
    for i, c in enumerate(cells):
        for o in c.outputs:
            if o.output_type == "error": raise AssertionError(f"code cell {i}: {o.ename}: {o.evalue}")
    never = [i for i, c in enumerate(cells) if not c.execution_count]
    if never: raise AssertionError(f"code cells {never[:5]} were not run")
    return len(cells)


def trace(box, name):
    "Coordinates of one trace of a live figure, as the browser holds them."
    return box.locator(".js-plotly-plot").first.evaluate("""async (el, name) => {
        const find = () => el.data?.find(t => t.name === name), end = Date.now() + 60000
        while (!find()?.x && Date.now() < end) await new Promise(done => setTimeout(done, 100))      // a figure is there before its points are
        return [Array.from(find().x), Array.from(find().y)] }""", name)


def until(read, differs_from, what, seconds=60):
    "What `read` gives once it is no longer the same."
    end = time.time() + seconds
    while time.time() < end:
        new = read()
        if new != differs_from: return new
        time.sleep(0.2)
    raise AssertionError(f"{what} did not change within {seconds} s")


def control(box, name): return box.locator(".jupyter-widgets", has=box.page.locator(f"label.widget-label:text-is('{name}')")).last

def slide(box, name, presses=6, key="ArrowRight"):
    "Move a slider by its keys."
    handle = control(box, name).locator(".noUi-handle").first
    handle.focus()
    for _ in range(presses): handle.press(key)


def choose(box, name, index) -> bool:
    "Choose another option; False if there is no other."
    select = control(box, name).locator("select")
    last = select.locator("option").count() - 1
    if last > 0: select.select_option(index=min(index, last))
    return last > 0


def spot(box, name, index=0):
    "Where on the screen a point of a trace is."
    return box.locator(".js-plotly-plot").first.evaluate("""(el, [name, i]) => {
        const t = el.data.find(t => t.name === name), l = el._fullLayout, at = el.querySelector('.nsewdrag').getBoundingClientRect()
        return [at.left + l.xaxis.c2p(t.x[i]), at.top + l.yaxis.c2p(t.y[i])] }""", [name, index])


def upload(page, box, name, content: bytes):
    "Choose a file, as the dialogue does."
    with page.expect_file_chooser() as chooser: box.locator("button.widget-upload, .widget-upload button").first.click()
    chooser.value.set_files(dict(name=name, mimeType="application/octet-stream", buffer=content))


def walk_by_hand(page):
    "A slider, another image, another method, another model, a file: captions and figure follow."
    box = page.locator(".meru-traversal").first
    box.scroll_into_view_if_needed(); box.locator(".js-plotly-plot .scatterlayer").first.wait_for(timeout=60_000)
    words, mark, path = (lambda: box.locator(".meru-at").first.inner_text()), (lambda: trace(box, "here")), (lambda: trace(box, "path"))
    captions = lambda: box.locator(".meru-captions").first.inner_text()
    before = words(), mark()
    slide(box, "step"); until(words, before[0], "the step's caption"); until(mark, before[1], "the mark in the figure")
    before = captions(), path()
    choose(box, "from", 3); until(captions, before[0], "the captions"); until(path, before[1], "the path")
    before = path()
    choose(box, "to", 8); before = until(path, before, "the path to another image")
    before = captions(), path()
    control(box, "method").locator("select").select_option("geodesic"); until(path, before[1], "the path by another method"); until(captions, before[0], "the captions by another method")
    before = path(); field = box.get_by_placeholder("or write one").first
    field.fill("a red ring"); field.press("Enter"); until(path, before, "the path from a caption")
    assert "a red ring" in box.locator(".meru-ends").first.inner_text()
    before = captions()
    if choose(box, "model", 1): until(captions, before, "the captions of another model")
    assert not box.locator(".meru-error").count(), box.locator(".meru-error").first.inner_text()
    control(box, "pool").locator("input").fill("nowhere.txt"); control(box, "pool").locator("input").press("Enter")
    until(lambda: box.locator(".meru-error").count(), 0, "the message about a pool that is not there")
    before = mark(); slide(box, "step", 1); until(mark, before, "the mark, with the last good pool"); assert box.locator(".meru-error").count() == 1
    control(box, "pool").locator("input").fill("shapes"); control(box, "pool").locator("input").press("Enter")
    until(lambda: box.locator(".meru-error").count(), 1, "the message, once the pool is there,")
    before = path(); upload(page, box, "notes.txt", b"hello"); until(lambda: box.locator(".meru-error").count(), 0, "the message about a file that is no image")
    assert "notes.txt: not an image" in box.locator(".meru-error").first.inner_text() and path() == before
    png = io.BytesIO(); Image.radial_gradient("L").save(png, "PNG"); upload(page, box, "sun.png", png.getvalue())
    until(path, before, "the path from an image of one's own"); box.locator(".meru-ends img[alt='sun.png']").first.wait_for(timeout=20_000)
    assert not box.locator(".meru-error").count() and "sun.png" in control(box, "from").locator("select option:checked").inner_text()


def move_a_cone(page):
    "A slider, and the text dragged by its circle."
    box = page.locator(".jp-OutputArea-output", has=page.locator(".meru-entailed")).last
    box.scroll_into_view_if_needed()
    text = lambda: trace(box, "texts")
    before = text(); slide(box, "radius"); before = until(text, before, "the text by its slider")
    x, y = spot(box, "texts")
    page.mouse.move(x, y); page.mouse.down(); page.mouse.move(x + 40, y - 40, steps=8); page.mouse.up()
    until(text, before, "the text by its circle")


def watch_the_gap(page):
    "Another moment moves the points; the mouse over a point shows its pair, and a click draws its geodesic."
    box = page.locator(".jp-OutputArea-output", has=page.locator("label.widget-label:text-is('moment')")).last
    box.scroll_into_view_if_needed()
    before = trace(box, "images"); slide(box, "moment", 1, "ArrowLeft"); until(lambda: trace(box, "images"), before, "the images at another moment")
    shown = lambda why: [int(b.split()[1]) for b in box.locator("tr b").all_inner_texts() if b.startswith(why)]
    page.mouse.move(*spot(box, "images", 7)); until(lambda: len(shown("pair")), 0, "the pair under the mouse")
    pair, row = shown("pair")[0], box.locator("tr", has_text="pair ").first      # 7, or what lies on it
    assert row.locator("img").count() == 1 and len(row.inner_text().splitlines()) > 2, row.inner_text()
    lines = lambda: trace(box, "geodesics"); before = lines(); page.mouse.down(); page.mouse.up(); x, y = until(lines, before, "the geodesic of a pinned pair")
    ends = [[round(v, 4) for v in (x[i], y[i])] for i in (0, -2)]                # then comes a gap
    assert ends == [[round(v[pair], 4) for v in trace(box, name)] for name in ("texts", "images")], (pair, ends)
    until(lambda: shown("pinned"), [], "the list of pinned pairs"); assert shown("pinned") == [pair]


STATES = """import json
import numpy as np
from dataclasses import replace
from meru_nb.traverse import PATHS
rng = np.random.default_rng(0)
def pick(options): return options[rng.integers(len(options))]
def any_walk():
    models, steps, n = list(explorer.models), int(rng.integers(2, 40)), len(explorer.pictures)
    return WalkState(pick(models), int(pick([-2, *range(n)])), pick(['a red ring', 'a thing']), int(rng.integers(-2, n)), 'a star', pick(['', *models]), '',
                     pick(PATHS), bool(rng.integers(2)), steps, tuple(sorted(rng.random(2).tolist())), int(rng.integers(steps)))
def any_gap():
    pairs = int(rng.integers(2, 61))
    return GapState('two', int(rng.integers(2)), pairs, 'pca', tuple(sorted({int(k) for k in rng.integers(0, pairs, 2)})))
def any_cone():
    settings = dict(c=float(10**rng.uniform(-1.5, 1)), min_radius=float(rng.uniform(0.01, 0.5)))
    return replace(cone.start(pick(['a red thing', 'a round shape']), **settings), radius=float(rng.uniform(0, 3)), turn=float(rng.uniform(-3, 3)))
def said(control):
    for name in ('says', 'label'):
        if hasattr(control, name): return getattr(control.says, 'value') if name == 'says' else control.label
    return control.value if isinstance(control.value, bool) else str(control.value)
views, held = (explorer, gap, cone), [None] * 3
makers = dict(zip(views, (any_walk, any_gap, any_cone)))
def still_held():
    for view, state in zip(views, held): assert state is None or view.state == state, f'{view.state} was {state}'
def another():
    still_held()
    for i, view in enumerate(views): held[i] = makers[view](); view.show(held[i])
    print(json.dumps([sorted([[c.description, said(c)] for k, c in v.controls.items() if k != 'upload'], key=lambda row: row[0]) for v in views]))
"""

KERNEL = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel, future = kernel.requestExecute({ code, store_history: false })
    let out = "", wrong = null
    future.onIOPub = m => { if (m.header.msg_type === "stream" && m.content.name === "stdout") out += m.content.text
                            if (m.header.msg_type === "error") wrong = m.content.ename + ": " + m.content.evalue }
    await future.done
    return [out, wrong] }"""

SHOWN = """el => {
    const rows = []
    for (const c of el.querySelectorAll(".widget-dropdown, .widget-text, .widget-combobox, .widget-checkbox, .widget-slider")) {
        const [select, box, field, readout] = ["select", "input[type=checkbox]", "input", ".widget-readout"].map(s => c.querySelector(s))
        const label = (box ? box.parentElement : c.querySelector("label")).textContent.trim()
        const beside = c.nextElementSibling, hidden = !readout || getComputedStyle(readout).display === "none"
        rows.push([label, select ? select.selectedOptions[0].text.replaceAll("\\u00a0", " ") : box ? box.checked : c.classList.contains("widget-slider") ? (hidden ? beside.textContent : readout.textContent) : field.value]) }
    return rows.map((row, i) => [row, i]).sort(([a, i], [b, j]) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : i - j).map(([row]) => row) }"""


def kernel(page, code) -> str:
    "What code prints in the kernel of the notebook that is open."
    out, wrong = page.evaluate(KERNEL, code)
    if wrong: raise AssertionError(wrong)
    return out


def hold_states(page, rounds=67):
    "Three explorers are set to states drawn at random: what the controls say in the browser, and what comes back to the kernel, is what was set."
    boxes = [page.locator(".meru").nth(i) for i in range(3)]
    kernel(page, STATES)
    for i in range(rounds):
        for name, box, want in zip(EXPLORERS, boxes, json.loads(kernel(page, "another()"))):
            end = time.time() + 20
            while (shown := box.evaluate(SHOWN)) != want:
                if time.time() > end: raise AssertionError(f"state {i}: the {name} explorer shows {shown} in the browser, {want} were set")
                time.sleep(0.05)
    page.wait_for_timeout(1000); kernel(page, "still_held()")


def follow_theme(page, folder: Path):
    "Figures and words become dark and light with JupyterLab, and no state changes; a screenshot of each, wide and narrow."
    figures = "() => [...document.querySelectorAll('.meru .js-plotly-plot')].map(e => e._fullLayout.paper_bgcolor)"
    words = "() => [...document.querySelectorAll('.meru .widget-html-content')].map(e => getComputedStyle(e).color)"
    size = page.viewport_size
    for name in ("Dark", "Light"):
        page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: `JupyterLab ${name}` })", name)
        page_color = kernel(page, f"from meru_nb.viz import palette; print(palette({name == 'Dark'})['page'])").strip()
        until(lambda: {c.lower() for c in page.evaluate(figures)} == {page_color.lower()}, False, f"figures to {page_color} in JupyterLab {name}")
        inks = {sum(map(float, c[c.index("(") + 1:-1].split(",")[:3])) for c in page.evaluate(words)}
        assert all((ink > 3 * 128) == (name == "Dark") for ink in inks), f"words in JupyterLab {name}: {inks}"
        for width in (900, 1500):
            page.set_viewport_size(dict(size, width=width))
            for where in EXPLORERS:
                page.locator(".meru").nth(list(EXPLORERS).index(where)).evaluate("e => e.scrollIntoView()")
                shoot(page, folder, f"{where}_{name.lower()}_{width}")
        page.set_viewport_size(size)
    kernel(page, "still_held()")


def shoot(page, folder: Path, name):
    page.wait_for_timeout(500); page.screenshot(path=folder / f"{name}.png")


def visit(page, url, token, path: Path, shots: Path):
    "Run one notebook, and use what it offers."
    start = time.time()
    count = run_all(page, url, token, path)
    done = [f"{count} cells"]
    page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer')?.scrollTo(0, 0)"); shoot(page, shots, path.stem)
    hands = [(".meru-traversal", walk_by_hand, "traversal")]
    if path.stem == "explorers": hands += [(".meru-entailed", move_a_cone, "cone"), (".js-plotly-plot", watch_the_gap, "gap")]
    for where, use, name in hands:
        if page.locator(where).count(): use(page); shoot(page, shots, f"{path.stem}_{name}"); done.append(f"{name} by hand")
    if path.stem == "explorers":
        hold_states(page); follow_theme(page, shots); done.append("201 states held, dark and light")
    print(f"{path.name}: {', '.join(done)}, {time.time() - start:.0f} s", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("screenshots", nargs="?", type=Path, help="folder, made if need be; default: a temporary one")
    p.add_argument("--only", nargs="*", help="names of notebooks, without .ipynb")
    args = p.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None: print(f"skipped: no browser here, none of {', '.join(BROWSERS)}"); return 0
    failed = []
    with tempfile.TemporaryDirectory() as home, sync_playwright() as play:
        home = Path(home); work = home / "work"; work.mkdir()
        shots = args.screenshots or home / "screenshots"; shots.mkdir(parents=True, exist_ok=True)
        copy_notebooks(Path(__file__).resolve().parent.parent / "nbs", work)
        with jupyter_lab(work, home) as (url, token):
            chrome = play.chromium.launch_persistent_context(str(home / "profile"), executable_path=browser, headless=True, args=FLAGS, viewport=dict(width=1400, height=1500))
            for path in sorted(work.glob("*.ipynb")):
                if args.only and path.stem not in args.only: continue
                page = chrome.new_page()
                try: visit(page, url, token, path, shots)
                except Exception as err:
                    failed.append(path.name); print(f"{path.name}: FAILED: {str(err)[:600]}", flush=True)
                    with contextlib.suppress(Exception): shoot(page, shots, f"{path.stem}_failed")
                with contextlib.suppress(Exception): page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
                page.close()
            chrome.close()
    print(f"{len(failed)} notebooks failed: {', '.join(failed)}" if failed else "no notebook failed in the browser")
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
