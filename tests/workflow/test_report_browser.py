"""The finished page in a real browser: offline, both themes, contrast, print."""

import html
import re

import pytest
from made.browser import CHROMIUM, MEASURE_CONTRAST, ask, chromium
from made.checkouts import ROOT
from made.results import make_results, make_talk_pages

from whyspiking.report import slides
from whyspiking.report.notebook import make_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

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
