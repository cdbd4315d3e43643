"""The report and its figures for all talks of the project, from a made-up results folder."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made.exhibits import exhibits
from made.results import make_results

from whyspiking.contract.types import Results
from whyspiking.declared import registry
from whyspiking.plots import figures
from whyspiking.plots.figures import style
from whyspiking.records import array_files, columns
from whyspiking.report import notebook, run_page, score_figures, slides
from whyspiking.report import talk_page as page
from whyspiking.talks import talk_module
from whyspiking.verdicts import score_curves

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results") / "default")


@pytest.mark.slow
def test_two_builds_of_the_report_are_identical(results, tmp_path):
    """Two kernels, so that nothing hangs on the order of a set."""
    pages = []
    for name in ("a", "b"):
        page = tmp_path / name / notebook.MAIN_PAGE
        parameters = {"results": str(results), "scale": "default"}
        notebook.make_page(
            ROOT / "notebooks" / "why_spiking.ipynb", tmp_path / name / "x.ipynb", page, parameters
        )
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 5_000_000


def test_slides_stand_alone_and_are_the_same_on_every_build(results, tmp_path):
    told = run_page.RunPage.open(results, "default")
    for name in ("a", "b"):
        slides.write(told.slides(), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(re.findall(r'href="slides/([^"]+)"', slides.links(told.answers)))
    assert {"matrix.svg", "verdicts.svg", "timing.svg", "energy.svg", "learning.svg"} <= set(files)
    for name in files:
        picture = (tmp_path / "a" / name).read_bytes()
        assert picture == (tmp_path / "b" / name).read_bytes()
        assert b"<svg" in picture and b"nan" not in picture.replace(b"resonan", b"")


@pytest.mark.parametrize("name", registry.available())
def test_signature_figures_have_caption_alternative_and_units(results, name):
    page = run_page.TalkPage.open(results, name, "default")
    for title, draw in page._plates().items():
        with style():
            drawn = draw()
        assert len(drawn.caption) > 40, title
        assert len(drawn.alt) > 20, title
        assert (results / name / drawn.source).is_file(), title
        assert "nan" not in drawn.alt.replace("nance", "")


def test_figure_without_data_is_replaced_by_the_reason(results):
    empty = Results(results / "goeltz", "goeltz", "smoke", pd.DataFrame(), pd.DataFrame())
    draw = talk_module("goeltz", "figures").figures(empty)
    assert len(draw) >= 4
    shown = page.show(lambda: registry_figure({}), "map", "")
    assert "Figure not drawn" in shown


def registry_figure(arrays):
    from whyspiking.talks.goeltz.figures import decision_map

    return decision_map(arrays)


def test_networks_on_the_same_data_share_a_figure(tmp_path):
    time_ms = np.linspace(0, 4, 41)
    arrays = {"anytime.time_ms": time_ms}
    arrays |= {f"anytime.spiking.{seed}": 0.1 + 0.8 * (time_ms > 1 + seed) for seed in (0, 1)}
    talks = {name: registry.load_talk(name) for name in ("goeltz", "comsa")}
    rows = []
    for name, experiment, tau in (("goeltz", "mnist", 1.0), ("comsa", "mnist_slow", 0.5)):
        array_files.save_arrays(arrays, tmp_path / name / experiment / "exhibits.npz")
        described = talks[name].experiments[experiment]
        rows += score_curves._along_time(described, tau, tmp_path)
    curves = columns.CURVES.table(rows)
    # A variant that kept no curve, and one that another experiment trained, have no line.
    assert set(curves["variant"]) == {"spiking"} and len(curves) == 2 * time_ms.size
    shared = score_figures.by_data(curves, talks)
    assert list(shared) == ["mnist"]
    with style():
        plate = score_figures.speed_accuracy(shared["mnist"])
        assert "goeltz · mnist: 0.900, 95 % of it after 2.1 τ" in plate.alt
        assert "comsa · mnist slow: 0.900, 95 % of it after 4.2 τ" in plate.alt
        with pytest.raises(figures.NotMeasuredError, match="Fewer than two"):
            score_figures.speed_accuracy({})
    assert score_figures.by_data(curves[curves["talk"] == "comsa"], talks) == {}


def test_report_tells_all_talks(results):
    told = run_page.RunPage.open(results, "default")
    page = "".join(
        piece
        for piece in (
            told.head(), told.verdict_table(), told.forest(), told.answer(), told.axis_sections(),
            told.constraints(), told.trained(), told.each_talk(), told.measures(), told.speed(),
            told.energy(), told.deviations(), told.data(), told.provenance(), told.glossary(),
        )
    )  # fmt: skip
    assert page.index('id="table-verdicts"') < page.index("<figure")
    for name in told.talks:
        assert f'href="{name}/report.html"' in page
        for entry in told.verdicts.loc[told.verdicts["talk"] == name, "claim"]:
            assert entry in page
    headings = [
        line.removeprefix("## ")
        for cell in json.loads((ROOT / "notebooks" / "why_spiking.ipynb").read_text())["cells"]
        for line in "".join(cell["source"]).splitlines()
        if cell["cell_type"] == "markdown" and line.startswith("## ")
    ]
    whole, _ = notebook._with_anchors(page + "".join(f"<h2>{h}</h2>" for h in headings))
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert sorted(ids) == sorted(set(ids)), "identifiers are unique in the page"
    assert set(re.findall(r'href="#([^"]+)"', whole)) <= set(ids)
    assert all("aria-label" in tag for tag in re.findall(r"<svg[^>]*>", page))
    assert len(page) < 5_000_000


def test_made_up_exhibits_cover_what_the_figures_need():
    keys = exhibits(registry.load_talk("goeltz").experiments["yinyang"])
    assert {"map.axis", "map.first_ms", "trace.time_ms"} <= set(keys)
