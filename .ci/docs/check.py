#!/usr/bin/env python
"""The site as a reader meets it, in a real browser: `python .ci/docs/check.py [SITE]`, after `python .ci/site.py`.

Every link inside leads somewhere; every page loads, at the width of a phone, without an error on the console, without a
request to another host and without scrolling sideways; a slider moves its picture; the search finds a name; the dark theme is
dark, figures included.
"""
import functools
import http.server
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".ci"))
from browser import BROWSERS, FLAGS

PHONE, DESK = dict(width=390, height=844), dict(width=1500, height=1000)
LIMIT = 5 << 20         # bytes of a page with its pictures, plotly.js aside
PATIENCE = 180_000      # milliseconds, on a slow machine
NAME = "half_aperture"  # what the search is asked for
LEAVES = {"a": "href", "img": "src", "script": "src", "link": "href"}


class Links(HTMLParser):
    "What a page asks for, and what can be linked in it."
    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        self.ids |= {held[k] for k in ("id", "name") if held.get(k)}
        if tag in LEAVES and held.get(LEAVES[tag]): self.links.append((tag, held[LEAVES[tag]]))


def check_links(site: Path) -> list:
    "Links that lead nowhere, things asked of other hosts, pages that are too large."
    pages = {p: Links(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    bad = []
    for page, held in pages.items():
        name, size = page.relative_to(site), page.stat().st_size
        for tag, link in held.links:
            if urlsplit(link).scheme or link.startswith("//"):
                own = tag == "link" and link.startswith(f"{canonical()}/")          # for search engines; nothing is fetched
                if tag != "a" and not own and not link.startswith("data:"): bad.append(f"{name} asks {link}")
                continue
            path, anchor = urldefrag(link)
            there = (page.parent / unquote(path)).resolve() if path else page
            if there.is_dir(): there /= "index.html"
            if page.name == "404.html": continue                                    # its links are absolute
            if not there.is_file(): bad.append(f"{name}: no file for {link}")
            elif anchor and there in pages and unquote(anchor) not in pages[there].ids:
                bad.append(f"{name}: no anchor for {link}")
            elif tag == "img": size += there.stat().st_size
        if size > LIMIT: bad.append(f"{name} has {size / 2**20:.1f} MB with its pictures")
    print(f"{len(pages)} pages, {sum(len(p.links) for p in pages.values())} links, {len(bad)} bad", flush=True)
    return bad


@functools.cache
def canonical() -> str:
    "Where the site will be."
    from docs.names import settings
    return settings()["doc_host"] + settings()["doc_baseurl"]


@contextmanager
def served(site: Path):
    "The site on loopback; yields its address."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs): super().__init__(*args, directory=str(site), **kwargs)
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try: yield f"http://127.0.0.1:{server.server_port}/"
    finally: server.shutdown()


def listened(context, url, heard):
    "A new page whose complaints, and whose requests elsewhere, are heard."
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    at = lambda: page.url.removeprefix(url)
    page.on("console", lambda m: heard.append(f"{at()}: console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: heard.append(f"{at()}: {e}"))
    own = (url, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(own) else heard.append(f"{at()} asks {r.url}"))
    page.on("response", lambda r: heard.append(f"{at()}: {r.status} for {r.url}") if r.status >= 400 else None)
    return page


def every_page(page, url, site: Path, heard):
    "Each page loads, and is no wider than the window."
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if name == "404.html": continue
        page.goto(url + name)
        wide, window = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size["width"]
        if wide > window: heard.append(f"{name} is {wide} pixels wide in a window of {window}")


def figures(page, url, heard):
    "Each slider moves its picture, by keys and by its buttons."
    page.goto(url + "figures.html")
    boxes = page.locator(".live")
    if not boxes.count(): heard.append("figures.html has no figure")
    for k in range(boxes.count()):
        box = boxes.nth(k)
        box.locator(".plot[data-ready]").wait_for(state="attached")
        seen = lambda: (box.locator("output").inner_text(), box.locator(".plot .scatterlayer").inner_html())
        slider, on = box.locator("input"), box.locator("button").last
        last = slider.get_attribute("max")
        move(seen, lambda: slider.press("ArrowRight"), f"figure {k} by a key", heard)
        move(seen, on.click, f"figure {k} by a button", heard)
        move(seen, lambda: slider.fill(last), f"figure {k} to its end", heard)


def move(seen, by, what, heard, seconds=60):
    "Words and picture are others after it."
    before, end = seen(), time.time() + seconds
    by()
    while time.time() < end:
        if all(a != b for a, b in zip(before, seen())): return
        time.sleep(0.1)
    heard.append(f"{what}: the picture or its words did not change")


def search(page, url, heard):
    "A name is found, and its definition is what a click leads to."
    page.goto(url + "index.html")
    page.locator("input.md-search__input").click()
    page.keyboard.type(NAME)
    found = page.locator(f".md-search-result__link[href$='#{NAME}']").first
    found.wait_for()
    found.click()
    page.wait_for_url("**/api/**")
    if not page.url.endswith(f"#{NAME}"): heard.append(f"the search for {NAME} led to {page.url}")


def themes(page, url, heard):
    "The button makes the page dark, and its figures too."
    dim = "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).every(v => v < 70)"
    page.goto(url + "figures.html")
    page.locator(".live .plot[data-ready]").first.wait_for(state="attached")
    paint = lambda: page.evaluate("JSON.stringify(document.querySelector('.live .plot').data.map(t => [t.line, t.marker]))")
    before = paint()
    if page.evaluate(dim): heard.append("the light theme is dark")
    page.locator("label[title='Switch to dark']").click()
    page.wait_for_function(f"() => {dim}")
    end = time.time() + 60
    while paint() == before and time.time() < end: time.sleep(0.1)
    if paint() == before: heard.append("a figure keeps its colours in the dark")


def main():
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "_site").resolve()
    if not (site / "index.html").exists(): sys.exit(f"there is no site in {site}: run `python .ci/site.py`")
    heard = check_links(site)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None: print(f"links only: no browser here, none of {', '.join(BROWSERS)}")
    else:
        with served(site) as url, sync_playwright() as play:
            chrome = play.chromium.launch(executable_path=browser, headless=True, args=FLAGS)
            walk = functools.partial(every_page, site=site)
            for size, what in ((DESK, (figures, search, themes)), (PHONE, (walk, figures))):
                page = listened(chrome.new_context(viewport=size, color_scheme="light"), url, heard)
                for check in what:
                    start = time.time()
                    check(page, url, heard=heard)
                    name = getattr(check, "__name__", "every page")
                    print(f"{name} at {size['width']} pixels: {time.time() - start:.0f} s", flush=True)
    for line in heard[:60]: print(line)
    sys.exit(f"{len(heard)} faults" if heard else 0)


if __name__ == "__main__": main()
