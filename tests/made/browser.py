"""A page in Chromium, without network: what a script measures in it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from made.hangs import limit

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Colours as numbers, and the contrast of two of them.
COLOURS = """
const parse = (c) => { const v = c.match(/[\\d.]+/g).map(Number);
  return c.startsWith("color(") ? v.slice(0, 3).map((x) => 255 * x).concat(v[3] ?? 1) : v; };
const lum = (c) => { const l = c.slice(0, 3).map((x) => x / 255)
  .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => p - q);
  return (y + 0.05) / (x + 0.05); };
"""
# For every text, the contrast of its colour with the first opaque background behind it.
MEASURE_CONTRAST = (
    COLOURS
    + """
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
  texts += 1;
  const contrast = ratio(ink, behind(e));
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
)


def chromium(tmp_path: Path, *words: str, size: str = "1200,900") -> tuple[str, str]:
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


def ask(
    tmp_path: Path,
    page: Path,
    script: str,
    theme: str = "light",
    size: str = "1200,900",
    words: tuple[str, ...] = (),
) -> Any:
    """Open a copy of the page with a script at its end; returns what the script measured.

    Args:
        tmp_path: For Chromium's own files.
        page: The page.
        script: It leaves JSON in an element `measured`.
        theme: light or dark.
        size: Of the window.
        words: Further options of Chromium.
    """
    text = page.read_text(encoding="utf-8")
    text = text.replace('<html lang="en">', f'<html lang="en" style="color-scheme: {theme}">')
    copy = page.with_name(f"{page.stem}.{theme}.html")
    copy.write_text(text.replace("</body>", f"<script>{{{script}}}</script></body>"), "utf-8")
    dom, log = chromium(tmp_path, "--dump-dom", *words, copy.as_uri(), size=size)
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, flags=re.DOTALL)
    assert found is not None, log[-2000:]
    return json.loads(html.unescape(found.group(1)))
