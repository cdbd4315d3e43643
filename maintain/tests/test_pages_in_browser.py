"""The recorded pages in a real browser: alone, offline, both themes, by keyboard, on paper."""

import html
import re
import shutil
from importlib import resources

import pytest
from made.browser import CHROMIUM, COLOURS, MEASURE_CONTRAST, ask, chromium
from made.checkouts import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

RECORD = ROOT / "results" / "reference"
PAGES = ("report.html", "scherr/report.html")
AXE = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
"""The rules of accessible pages, by Deque."""
# What a page shows only if a reader asks for it.
OPEN = """
document.querySelectorAll("details").forEach((d) => { d.open = true; });
document.querySelectorAll(".choices > [hidden]").forEach((e) => { e.hidden = false; });
"""
VIOLATED = (
    OPEN
    + """
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => {
  const out = document.createElement("pre"); out.id = "measured";
  out.textContent = JSON.stringify(violations.map((v) => [v.id, v.nodes[0].html.slice(0, 120)]));
  document.body.append(out); });
"""
)
FRAMED = (
    "const { scrollHeight: height } = document.documentElement;"
    + OPEN
    + """
const { scrollWidth: needed } = document.documentElement;
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => {
  parent.postMessage({ width: innerWidth, needed, height,
    violations: violations.map((v) => [v.id, v.nodes[0].html.slice(0, 160)]) }, "*"); });
"""
)
WAIT = """
addEventListener("message", ({ data }) => {
  const out = document.createElement("pre"); out.id = "measured";
  out.textContent = JSON.stringify(data); document.body.append(out); });
"""
LINKS = """
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify([...document.querySelectorAll("a[href]")]
  .map((e) => e.getAttribute("href")).filter((to) => !/^(#|https:|data:)/.test(to)));
document.body.append(out);
"""
# What a reader's keyboard and mouse do: sort, filter, print.
USE = """
document.querySelectorAll("details").forEach((d) => { d.open = true; });
const table = document.getElementById("table-claims");
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
  .filter((e) => !e.closest("details:not([open]), [hidden]") || e.tagName === "SUMMARY")
  .filter((e) => e.getClientRects().length); // one form of a figure is not shown at this width
const lost = reached.filter((e) => {
  e.focus(); return document.activeElement !== e; }).map((e) => e.outerHTML.slice(0, 80));
const before = getComputedStyle(document.body).backgroundColor;
document.getElementById("theme").click();
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ sorted: up !== down, shown, filters, lost,
  several: reached.length > 40,
  status: document.querySelector(".controls [role=status]").textContent,
  told: document.getElementById("announcer").textContent,
  state: table.tHead.rows[0].cells[1].getAttribute("aria-sort"),
  themed: before !== getComputedStyle(document.body).backgroundColor });
document.body.append(out);
"""

# Every heading of every sortable table, twice: what was thrown, and where the order is another.
SORT = """
const wrong = [];
window.onerror = (words) => { wrong.push(words); return true; };
const said = (c) => c.dataset.sort ??
  [...c.childNodes].find((n) => n.textContent.trim())?.textContent.trim().toLowerCase() ?? "";
const amount = (c) => said(c).replace("−", "-").replaceAll(",", "");
const number = (c) => c.dataset.sort === undefined && c.classList.contains("number");
const value = (c) => number(c) ? String(parseFloat(amount(c))) : said(c);
const known = (c) => c !== undefined && !["", "NaN"].includes(value(c));
const after = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
const heads = [...document.querySelectorAll("table.sortable thead th")];
let unknown = 0;
for (const head of heads) for (const sign of [1, -1]) {
  if (!head.querySelector("button")) { wrong.push(`${head.textContent}: cannot sort`); break; }
  head.querySelector("button").click();
  const cells = [...head.closest("table").tBodies[0].rows].map((r) => r.cells[head.cellIndex]);
  const there = cells.filter(known), place = `${head.closest("table").id}, ${head.textContent}`;
  unknown += cells.length - there.length;
  if (cells.slice(0, there.length).some((c) => !known(c))) wrong.push(`${place}: not last`);
  const texts = there.map(value);
  if (texts.some((x, k) => k > 0 && sign * after(texts[k - 1], x) > 0)) wrong.push(place);
}
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ heads: heads.length, unknown, wrong });
document.body.append(out);
"""


LENGTH = """
const out = document.createElement("pre");
out.id = "measured";
out.textContent = JSON.stringify({ screens: document.documentElement.scrollHeight / 900,
  width: innerWidth, needed: document.documentElement.scrollWidth });
document.body.append(out);
"""
FIRST_SCREEN = """
const bottom = (e) => document.querySelector(e).getBoundingClientRect().bottom;
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ told: bottom(".first .told"), shown: bottom(".forest tbody"),
  height: innerHeight, width: innerWidth, needed: document.documentElement.scrollWidth,
  said: document.querySelectorAll(".first .told > p").length });
document.body.append(out);
"""
# Parts of figures that the better of their fill and edge does not tell 3:1 from the areas behind.
# Grids, the area around a line, and the grey levels of activity are pale by design.
MARKS = (
    OPEN
    + """
const over = ([c, a], b) => b.map((x, k) => a * c[k] + (1 - a) * x);
const paint = (e, kind) => { const s = getComputedStyle(e);
  if (s[kind] === "none" || (kind === "stroke" && !parseFloat(s.strokeWidth))) return null;
  const c = parse(s[kind]); return [c, (c[3] ?? 1) * s[`${kind}Opacity`] * s.opacity]; };
const area = (e, x, y) => { const box = e.getBoundingClientRect();
  return Math.min(box.width, box.height) > 12 && e.isPointInFill && paint(e, "fill") &&
    e.isPointInFill(new DOMPoint(x, y).matrixTransform(e.getScreenCTM().inverse())); };
const page = parse(getComputedStyle(document.body).backgroundColor).slice(0, 3);
const faint = new Set(); let marks = 0;
for (const e of document.querySelectorAll(
  "figure svg :is(path, line, circle, rect, use)")) {
  if (e.matches("defs *, clipPath *, .hit, .veil, .area, .grid, .activity *")) continue;
  const box = e.getBoundingClientRect(), long = e.getTotalLength?.() ?? 0;
  const on = (k) => e.getPointAtLength(k / 9 * long).matrixTransform(e.getScreenCTM());
  const points = long ? [0.1, 1, 2.2, 3, 4, 5, 6.2, 7, 8.9].map(on) : [];
  points.push({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  for (const { x, y } of points) {
    const stack = document.elementsFromPoint(x, y), place = stack.indexOf(e);
    const [front, back] = [stack.slice(0, place), stack.slice(place + 1)].map((some) =>
      some.filter((f) => area(f, x, y)).map((f) => paint(f, "fill")).reverse());
    if (place < 0 || front.some(([, alpha]) => alpha === 1)) continue; // it is hidden there
    const behind = back.reduce((b, f) => over(f, b), page);
    const seen = (c) => front.reduce((b, f) => over(f, b), c);
    const own = ["fill", "stroke"].map((kind) => paint(e, kind)).filter(Boolean);
    const best = Math.max(...own.map((f) => ratio(seen(over(f, behind)), seen(behind))));
    marks += 1;
    if (best < 3) faint.add(`${e.closest("figure").id} ${e.tagName} ${best.toFixed(1)}`);
  }
}
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify({ marks, faint: [...faint] });
document.body.append(out);
"""
)
PALE = '<figure id="pale"><svg><rect width="99" height="99" fill="#8884"/></svg></figure>'


@pytest.fixture(scope="module")
def mailed(tmp_path_factory):
    """Folder of the pages without anything beside them."""
    folder = tmp_path_factory.mktemp("mailed")
    for name in PAGES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(RECORD / name, folder / name)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_offline_without_a_complaint(tmp_path, mailed, name):
    _, log = chromium(tmp_path, "--dump-dom", (mailed / name).as_uri())
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert (mailed / name).stat().st_size < 3_000_000


@pytest.mark.parametrize("name", PAGES)
def test_alone_no_link_is_dead_and_in_its_place_all_lead_to_a_file(tmp_path, mailed, name):
    assert ask(tmp_path, mailed / name, LINKS) == []
    page_folder = (tmp_path / "results" / "reference" / name).parent
    page_folder.mkdir(parents=True)
    shutil.copy(RECORD / name, page_folder)
    links = ask(tmp_path, page_folder / "report.html", LINKS)
    assert len(links) > 5
    record_folder = (RECORD / name).parent
    assert [link for link in links if not (record_folder / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_breaks_no_rule_of_accessibility(tmp_path, mailed, name):
    options = ("--virtual-time-budget=60000",)
    assert ask(tmp_path, mailed / name, AXE + VIOLATED, words=options) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_page_of_any_width_breaks_no_rule_and_does_not_scroll_sideways(
    tmp_path, mailed, theme, width
):
    """Chromium has no windows of less than 500 pixels, so the page is shown in a frame."""
    text = (mailed / "report.html").read_text(encoding="utf-8")
    text = text.replace('<html lang="en">', f'<html lang="en" style="color-scheme: {theme}">')
    script = f"<script>{{{AXE}}}{{{FRAMED}}}</script></body>"
    framed = html.escape(text.replace("</body>", script), quote=True)
    frame = mailed / f"frame-{theme}-{width}.html"
    frame.write_text(
        f'<!doctype html><html lang="en"><body style="margin:0"><iframe title="page" '
        f'style="border:0" width="{width}" height="900" srcdoc="{framed}"></iframe></body></html>',
        encoding="utf-8",
    )
    layout = ask(tmp_path, frame, WAIT, words=("--virtual-time-budget=60000",))
    assert (layout["width"], layout["violations"]) == (width, [])
    assert layout["needed"] <= width
    assert width != 390 or layout["height"] <= 17 * 844, "a phone shows it on 17 screens"


def test_a_broken_rule_is_found(tmp_path, mailed):
    broken = mailed / "broken.html"
    text = (mailed / "report.html").read_text(encoding="utf-8")
    broken.write_text(text.replace("</main>", "<button></button></main>"), encoding="utf-8")
    options = ("--virtual-time-budget=60000",)
    (violation,) = ask(tmp_path, broken, AXE + VIOLATED, words=options)
    assert violation[0] == "button-name"


@pytest.mark.parametrize(
    ("theme", "background"), [("light", "255, 255, 255"), ("dark", "21, 24, 29")]
)
def test_text_is_readable_in_both_themes(tmp_path, mailed, theme, background):
    measured = ask(tmp_path, mailed / "report.html", MEASURE_CONTRAST, theme)
    assert background in measured["page"]
    assert measured["texts"] > 500
    assert (measured["low"], measured["repeated"]) == ([], [])
    assert [name for name in measured["loaded"] if not name.startswith("data:")] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_that_figures_draw_is_seen_on_what_lies_behind(tmp_path, mailed, theme):
    page = mailed / "pale.html"
    text = (mailed / "report.html").read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", f"{PALE}</main>"), encoding="utf-8")
    measured = ask(tmp_path, page, COLOURS + MARKS, theme, size="1440,40000")
    assert measured["marks"] > 1800
    (pale,) = measured["faint"]
    assert pale.startswith("pale rect")


def test_the_first_screen_holds_the_answer(tmp_path, mailed):
    measured = ask(tmp_path, mailed / "report.html", FIRST_SCREEN, size="1440,900")
    assert measured["said"] == 3
    assert 0 < measured["told"] <= measured["height"] <= 900
    assert 0 < measured["shown"] <= measured["height"]


def test_the_page_has_at_most_seven_screens(tmp_path, mailed):
    measured = ask(tmp_path, mailed / "report.html", LENGTH, size="1280,900")
    assert 3 < measured["screens"] <= 7


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_a_page_without_scrolling_sideways(tmp_path, mailed, name):
    measured = ask(tmp_path, mailed / name, LENGTH, size="390,844")
    assert measured["width"] < 520  # what Chromium makes of it
    assert measured["needed"] <= measured["width"]


def test_claims_are_sorted_and_filtered_by_keyboard_too(tmp_path, mailed):
    measured = ask(tmp_path, mailed / "report.html", USE)
    assert re.fullmatch(r"(\d+) of \1 shown", measured.pop("status"))
    assert measured == {
        "sorted": True,
        "shown": 0,
        "filters": dict.fromkeys(("role", "origin", "talk", "verdict", "data"), True),
        "lost": [],  # nothing that the keyboard cannot reach
        "several": True,
        "told": "sorted by Claim, descending",
        "state": "descending",
        "themed": True,
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_column_sorts_both_ways_with_what_has_no_value_last(tmp_path, mailed, name):
    measured = ask(tmp_path, mailed / name, SORT)
    assert measured["heads"] > 10
    assert measured["wrong"] == []


def test_the_page_prints_on_at_most_nine_sheets(tmp_path, mailed):
    target = tmp_path / "page.pdf"
    page = (mailed / "report.html").as_uri()
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={target}", page)
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", content)) <= 9
