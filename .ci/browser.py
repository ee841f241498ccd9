#!/usr/bin/env python
"""The notebooks as a reader meets them: JupyterLab in a real browser, Run All, hands on the widgets, a screenshot of each.

    python .ci/browser.py [SCREENSHOTS] [--only NAME ...]

Works on a copy of nbs/companions/*.ipynb and nbs/82*_widgets*.ipynb, and on a notebook of its own that holds the three explorers. Where there is no
chromium it says so and leaves. Everything stays on this machine: the server listens on loopback, with a token.
"""
import argparse, contextlib, inspect, io, json, os, secrets, shutil, socket, subprocess, sys, tempfile, time, urllib.request
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
    for path in [*sorted(nbs.glob("companions/*.ipynb")), *sorted(nbs.glob("82*_widgets*.ipynb"))]:
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
    workspace = path.stem.replace(".", "-")      # a name with a dot is none to JupyterLab
    page.goto(f"{url}/lab/workspaces/{workspace}/tree/{path.name}?token={token}", timeout=120_000)
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
    return box.locator(".js-plotly-plot").first.evaluate("(el, name) => { const t = el.data.find(t => t.name === name); return [Array.from(t.x), Array.from(t.y)] }", name)


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

STATES = dict(explorer=60, cone=80, gap=60)   # random states of each explorer, by its name in the notebook


def any_state(view, rng):
    "Runs in the kernel: a state that this explorer can show, its numbers with all their digits."
    from meru_nb.traverse import PATHS
    from meru_nb.widgets import ConeState, GapState, WalkState
    pick = lambda options: list(options)[rng.integers(len(options))]
    if isinstance(view.state, WalkState):
        number, steps = len(view.pictures), int(rng.integers(2, 40))
        span = tuple(sorted(rng.random(2).tolist()))
        return WalkState(pick(view.models), int(rng.integers(number)), "a red ring", int(rng.integers(-1, number)), "a thing",
                         pick(["", *view.models]), "", pick(PATHS), bool(rng.integers(2)), steps, span, int(rng.integers(steps)))
    if isinstance(view.state, GapState):
        model, pairs = pick(view.models), int(rng.integers(2, len(view.pictures) + 1))
        pinned = tuple(sorted({int(k) for k in rng.integers(0, pairs, 2)}))
        return GapState(model, int(rng.integers(len(view.models[model]))), pairs, "pca", pinned)
    return ConeState(pick(["a red thing", "a thing"]), float(rng.uniform(0, 3)), float(rng.uniform(-3, 3)),
                     c=float(10**rng.uniform(-1.5, 1)), min_radius=float(rng.uniform(0.01, 0.5)))


def to_be_seen(view) -> list:
    "Runs in the kernel: what a browser should show of a state: figures, and label, words and marks of each control."
    seen = []
    for control in (c for name, c in view.controls.items() if name != "upload"):
        value, slider = control.value, getattr(control, "slider", control)
        if hasattr(control, "slider"): words = control.says.value                     # a dial
        elif hasattr(control, "label"): words = control.label                         # one of some options
        else: words = value if isinstance(value, str) else str(value).lower()
        marks = getattr(slider, "index", slider.value) if "Slider" in type(slider).__name__ else []
        seen.append([control.description, words, list(marks) if isinstance(marks, (list, tuple)) else [marks]])
    figures = []
    for figure in [p.figure for p in view.shown] if hasattr(view, "shown") else [view.figure]:
        traces = {t.name: t for t in figure.data}
        trace = traces["here"] if len(traces["here"].x) else traces["texts"]
        figures.append([figure.layout.title.text, round(1000 * trace.x[0]), round(1000 * trace.y[0])])
    return [figures, *sorted(seen)]


def held(view, state) -> bool:
    "Runs in the kernel: whether explorer and controls hold just this state."
    return view.state == state and all(c.value == getattr(state, k) for k, c in view.controls.items() if k != "upload")


LOOK = """(box) => {
    const seen = []
    for (const w of box.querySelectorAll('.widget-dropdown, .widget-text, .widget-checkbox, .widget-hslider')) {
        const label = w.querySelector('.widget-label-basic') || w.querySelector('label'), select = w.querySelector('select'), input = w.querySelector('input')
        const readout = w.querySelector('.widget-readout'), next = w.nextElementSibling
        const says = select ? select.selectedOptions[0]?.text.replaceAll('\u00a0', ' ') : input?.type === 'checkbox' ? String(input.checked) : input ? input.value
            : next?.classList.contains('widget-label') ? next.innerText : readout?.innerText
        const marks = [...w.querySelectorAll('.noUi-handle')].map(h => Math.round(h.getAttribute('aria-valuenow')))
        seen.push([label.innerText.trim(), says, marks]) }
    const figures = [...box.querySelectorAll('.js-plotly-plot')].filter(el => el.offsetParent).map(el => {
        const t = el.data?.find(t => t.name === 'here' && t.x?.length) || el.data?.find(t => t.name === 'texts')
        return [el.layout?.title?.text, Math.round(1000 * t?.x[0]), Math.round(1000 * t?.y[0])] })
    return JSON.stringify([figures, ...seen.sort((a, b) => a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1)]) }"""


def ask_kernel(page, code) -> str:
    "Run code in the open notebook's kernel, in no cell: what it printed."
    failed, said = page.evaluate("""code => new Promise(done => {
        const asked = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({ code, store_history: false })
        let said = '', failed = ''
        asked.onIOPub = ({ header, content }) => {
            if (header.msg_type === 'stream' && content.name === 'stdout') said += content.text
            if (header.msg_type === 'error') failed = content.ename + ': ' + content.evalue }
        asked.done.then(() => done([failed, said.trim()])) })""", code)
    if failed: raise AssertionError(f"in the kernel: {failed}")
    return said


def box_of(page, name):
    "The explorer on the page that has this name in the notebook."
    within = dict(explorer=".meru-ends", cone=".meru-entailed", gap="label.widget-label:text-is('moment')")[name]
    return page.locator(".meru", has=page.locator(within)).first


def hold_states(page):
    "Random states, set in the kernel: the browser shows each, and gives none of it back changed."
    ask_kernel(page, "import json, numpy as np\nrng = np.random.default_rng(0)\n" + "\n\n".join(map(inspect.getsource, (any_state, to_be_seen, held))))
    for name, count in STATES.items():
        box = box_of(page, name); box.scroll_into_view_if_needed()
        box.locator(".js-plotly-plot .scatterlayer").first.wait_for(timeout=60_000)
        for k in range(count):
            wanted = json.loads(ask_kernel(page, f"state = any_state({name}, rng); {name}.show(state); print(json.dumps(to_be_seen({name})))"))
            end = time.time() + 60
            while (seen := json.loads(box.evaluate(LOOK))) != wanted and time.time() < end: page.wait_for_timeout(20)
            differs = [pair for pair in zip(seen, wanted) if pair[0] != pair[1]]
            assert seen == wanted, f"{name}, state {k}: the browser shows {differs[:3]}, the kernel holds the second of each"
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # what it writes back is on its way
            kept = ask_kernel(page, f"print(held({name}, state), '|', {name}.state, 'for', state)")
            assert kept.startswith("True"), f"{name}, state {k}: the browser made of it {kept}"


COLORS = """() => [...document.querySelectorAll('.meru .js-plotly-plot')].filter(el => el.offsetParent).map(el => {
    const ink = getComputedStyle(el.closest('.meru').querySelector('.widget-html-content')).color
    return [el.layout?.paper_bgcolor, el.data?.find(t => t.name === 'texts')?.marker.color.slice(0, 7), ink] })"""


def switch_theme(page):
    "JupyterLab's theme goes dark and light again: figures and words follow, and no state changes."
    from meru_nb.viz import luminance, palette
    states = lambda: ask_kernel(page, "print([x.state for x in (explorer, cone, gap)])")
    ask_kernel(page, "explorer.controls['model'].value, explorer.controls['beside'].value = list(explorer.models)[:2]")   # both, hidden before or not
    before = states()
    for theme, dark in (("Dark", True), ("Light", False)):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {theme}")
        wanted, end = (palette(dark)["page"], palette(dark)["text"]), time.time() + 60
        follow = lambda colors: len(colors) == 4 and all(tuple(c[:2]) == wanted for c in colors)
        while not follow(colors := page.evaluate(COLORS)) and time.time() < end: page.wait_for_timeout(50)
        assert follow(colors), f"JupyterLab is {theme}: figures have {colors}, not {wanted}"
        inks = [luminance([int(v) / 255 for v in c[2][4:-1].split(",")]) if c[2].startswith("rgb(") else None for c in colors]
        assert all(i is None or (i > 0.4) == dark for i in inks), f"JupyterLab is {theme}: words are written in {[c[2] for c in colors]}"
    assert states() == before, "another theme changed a state"


def shown_once(page):
    "While explorers live, the pictures of them that a saved notebook shows are there, and not seen as well."
    stills = page.locator(".jp-OutputArea-child:has(.meru) + .jp-OutputArea-child img")
    seen = [stills.nth(k).is_visible() for k in range(stills.count())]
    assert seen == [False] * 3, f"pictures beside three live explorers, and whether they are seen: {seen}"


def shoot(page, folder: Path, name):
    page.wait_for_timeout(500); page.screenshot(path=folder / f"{name}.png")


def visit(page, url, token, path: Path, shots: Path):
    "Run one notebook, and use what it offers."
    start = time.time()
    count = run_all(page, url, token, path)
    done = [f"{count} cells"]
    page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer')?.scrollTo(0, 0)"); shoot(page, shots, path.stem)
    hands = [(".meru-traversal", walk_by_hand, "traversal")]
    if path.stem == "explorers":
        hands += [(".meru-entailed", move_a_cone, "cone"), (".js-plotly-plot", watch_the_gap, "gap")]
        hands += [(".meru", shown_once, "once")]
        hands += [(".meru", hold_states, f"{sum(STATES.values())} states"), (".meru", switch_theme, "themes")]
    for where, use, name in hands:
        if not page.locator(where).count(): continue
        began = time.time(); use(page); shoot(page, shots, f"{path.stem}_{name.split()[-1]}")
        done.append(f"{name} {time.time() - began:.0f} s")
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
