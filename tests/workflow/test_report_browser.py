"""The finished page in a real browser: offline, both themes, contrast, print."""

import html
import json
import re
import shutil
import subprocess

import pytest
from made.checkouts import ROOT
from made.hangs import limit
from made.results import make_results, make_talk_pages

from whyspiking.report import slides
from whyspiking.report.notebook import make_page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

# For every text, the contrast of its colour with the first opaque background behind it.
MEASURE_CONTRAST = """
const parse = (c) => { const v = c.match(/[\\d.]+/g).map(Number);
  return c.startsWith("color(") ? v.slice(0, 3).map((x) => 255 * x).concat(v[3] ?? 1) : v; };
const lum = (c) => { const l = c.slice(0, 3).map((x) => x / 255)
  .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
const behind = (e) => { for (; e; e = e.parentElement) {
  const b = parse(getComputedStyle(e).backgroundColor); if ((b[3] ?? 1) === 1) return b; }
  return parse(getComputedStyle(document.documentElement).backgroundColor); };
document.querySelectorAll("details").forEach((d) => { d.open = true; });
const low = []; let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || e.closest("script, style, option")) continue;
  const s = getComputedStyle(e);
  const ink = e.closest("svg") && !["none"].includes(s.fill) ? parse(s.fill) : parse(s.color);
  const [a, b] = [lum(ink), lum(behind(e))].sort((x, y) => y - x);
  texts += 1;
  const contrast = (a + 0.05) / (b + 0.05);
  const words = walker.currentNode.textContent.trim().slice(0, 40);
  if (contrast < 4.5) low.push([contrast.toFixed(2), e.tagName, words]);
}
const out = document.createElement("pre"); out.id = "measured";
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
out.textContent = JSON.stringify({ texts, low,
  repeated: ids.filter((id, k) => ids.indexOf(id) !== k),
  loaded: performance.getEntriesByType("resource").map((r) => r.name),
  page: getComputedStyle(document.body).backgroundColor });
document.body.append(out);
"""
# What a reader's keyboard and mouse do: sort, filter, print.
USE = """
const table = document.getElementById("table-verdicts");
const first = () => table.tBodies[0].rows[0].textContent;
const button = table.tHead.rows[0].cells[1].querySelector("button");
button.click(); const up = first(); button.click(); const down = first();
const search = document.querySelector(".controls input");
const every = [...document.querySelectorAll("#claim-tables tbody tr")];
const rows = () => every.filter((r) => !r.hidden);
search.value = "no such claim"; search.dispatchEvent(new Event("input"));
const shown = rows().length;
search.value = ""; search.dispatchEvent(new Event("input"));
const all = rows().length;
const filters = {};
for (const choice of document.querySelectorAll(".controls select")) {
  choice.selectedIndex = choice.options.length - 1;
  choice.dispatchEvent(new Event("input"));
  const some = rows();
  filters[choice.name] = some.length > 0 && some.length < all &&
    some.every((r) => r.dataset[choice.name] === choice.value);
  choice.selectedIndex = 0; choice.dispatchEvent(new Event("input"));
}
const reached = [...document.querySelectorAll(
  "table.sortable th button, .controls select, .controls input, .scroll, summary, a[href]")]
  .filter((e) => !e.closest("details:not([open])") || e.tagName === "SUMMARY");
const lost = reached.filter((e) => {
  e.focus(); return document.activeElement !== e; }).map((e) => e.outerHTML.slice(0, 80));
dispatchEvent(new Event("beforeprint"));
const before = getComputedStyle(document.body).backgroundColor;
document.getElementById("theme").click();
const paper = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
  .filter((rule) => rule.media?.mediaText === "print").flatMap((rule) => [...rule.cssRules]);
const whole = paper.some((rule) =>
  rule.selectorText?.includes(".scroll.tall") && rule.style.maxHeight === "none");
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ whole, sorted: up !== down, shown, filters, lost,
  several: reached.length > 100,
  status: document.querySelector(".controls [role=status]").textContent,
  told: document.getElementById("announcer").textContent,
  state: table.tHead.rows[0].cells[1].getAttribute("aria-sort"),
  open: [...document.querySelectorAll("details")].every((d) => d.open),
  themed: before !== getComputedStyle(document.body).backgroundColor });
document.body.append(out);
"""


FIRST_SCREEN = """
const bottom = (e) => document.querySelector(e).getBoundingClientRect().bottom;
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ told: bottom(".first .told"), shown: bottom(".first svg"),
  height: innerHeight, width: innerWidth, needed: document.documentElement.scrollWidth,
  said: document.querySelectorAll(".first .told strong").length });
document.body.append(out);
"""


def chromium(tmp_path, *words, size="1200,900"):
    """Run Chromium without network; returns standard output and error."""
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={size}", *words,
        ],
        capture_output=True,
        text=True,
        timeout=limit(),
        check=False,
    )  # fmt: skip
    return done.stdout, done.stderr


def ask(tmp_path, page, script, theme="light", size="1200,900"):
    """Open a copy of the page with a script at its end; returns what the script measured."""
    text = page.read_text(encoding="utf-8")
    text = text.replace('<html lang="en">', f'<html lang="en" style="color-scheme: {theme}">')
    copy = page.with_name(f"{page.stem}.{theme}.html")
    copy.write_text(text.replace("</body>", f"<script>{{{script}}}</script></body>"), "utf-8")
    dom, log = chromium(tmp_path, "--dump-dom", copy.as_uri(), size=size)
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, flags=re.DOTALL)
    assert found is not None, log[-2000:]
    return json.loads(html.unescape(found.group(1)))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    results = make_results(tmp_path_factory.mktemp("run") / "default")
    make_talk_pages(results)
    target = results / "why_spiking.html"
    parameters = {"results": str(results), "scale": "default"}
    make_page(
        ROOT / "notebooks" / "why_spiking.ipynb", results / "why_spiking.ipynb", target, parameters
    )
    slides.write(target, results / slides.FOLDER)
    return target


def test_page_opens_offline_without_a_complaint(tmp_path, page):
    _, log = chromium(tmp_path, "--dump-dom", page.as_uri())
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert page.stat().st_size < 5_000_000


def test_every_number_leads_to_a_file_of_the_run(page):
    text = page.read_text(encoding="utf-8")
    links = {html.unescape(link) for link in re.findall(r'href="([^"#:]+)"', text)}
    # The pages of the talks are made by jobs of their own.
    missing = [x for x in links if not x.endswith("report.html") and not (page.parent / x).exists()]
    assert missing == []
    assert {"goeltz/verdicts.csv", "axes.csv", "slides/matrix.svg", "goeltz/metrics.csv"} <= links
    anchors = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= anchors


@pytest.mark.parametrize(
    ("theme", "background"), [("light", "255, 255, 255"), ("dark", "21, 24, 29")]
)
def test_text_is_readable_in_both_themes(tmp_path, page, theme, background):
    measured = ask(tmp_path, page, MEASURE_CONTRAST, theme)
    assert background in measured["page"]
    assert measured["texts"] > 500
    assert (measured["low"], measured["repeated"]) == ([], [])
    assert [name for name in measured["loaded"] if not name.startswith("data:")] == []


def test_the_first_screen_holds_the_answer(tmp_path, page):
    measured = ask(tmp_path, page, FIRST_SCREEN, size="1300,900")
    assert measured["said"] == 4
    assert 0 < measured["told"] <= measured["height"] <= 900
    assert 0 < measured["shown"] <= measured["height"]


def test_a_phone_shows_the_page_without_scrolling_sideways(tmp_path, page):
    measured = ask(tmp_path, page, FIRST_SCREEN, size="390,844")
    assert measured["width"] < 520  # what Chromium makes of it
    assert measured["needed"] <= measured["width"]


def test_table_sorts_filters_and_everything_opens_for_print(tmp_path, page):
    measured = ask(tmp_path, page, USE)
    assert re.fullmatch(r"(\d+) of \1 shown", measured.pop("status"))
    assert measured == {
        "whole": True,  # paper shows every row of a table that scrolls on a screen
        "sorted": True,
        "shown": 0,
        "filters": dict.fromkeys(("role", "origin", "talk", "verdict", "data"), True),
        "lost": [],  # nothing that the keyboard cannot reach
        "several": True,
        "told": "sorted by Claim, descending",
        "state": "descending",
        "open": True,
        "themed": True,
    }


def test_page_prints(tmp_path, page):
    target = tmp_path / "page.pdf"
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri())
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", content)
    assert len(pages) >= 30  # with everything open
