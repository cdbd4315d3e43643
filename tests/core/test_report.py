import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from made_exhibits import exhibits
from made_results import make_results

from whyspiking import (
    claims,
    figures,
    markup,
    measures_table,
    registry,
    report,
    sections,
    slides,
    sources,
    speed_figures,
    story,
    study,
    svg,
)
from whyspiking.claims_file import Band, Claim
from whyspiking.contract import Results
from whyspiking.errors import UserError
from whyspiking.figures import Plate, style
from whyspiking.registry import Experiment, Talk, Variant
from whyspiking.verdict_table import verdict_table

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def plate():
    with style():
        drawn = Plate(2)
        ax = drawn.panels(1, 1)[0, 0]
        ax.plot([0, 1], [0, 1], label="a line", clip_on=True)
        ax.set_xlabel("time, ms")
    return drawn


def talk(provenance="definition", scaled=None):
    experiment = Experiment(
        talk="toy",
        name="task",
        title="A toy task",
        kind="classification",
        data_key="toy",
        provenance=provenance,
        battery=("jitter",),
        published={"epochs": 300, "tau": 5.0},
        units={"tau": "ms"},
        sources={"epochs": "Table 1", "tau": "Methods <b>"},
        scaled=scaled or {},
        variants={"spiking": Variant("spiking", "spiking", "the network", ())},
    )
    papers = {"p": {"cite": "Author, A. A title. Journal 1 (2021).", "doi": "10.1/x"}}
    return Talk("toy", "A toy", "A. Speaker", "Why?", papers, 2.0, "s", {"task": experiment}, ROOT)


def claim(name, role="secondary", **changes):
    values = {
        "id": f"toy.task.{name}",
        "role": role,
        "says": f"It says {name} & more.",
        "source": {"paper": "p", "where": "Fig. 1"},
        "metric": "accuracy",
        "where": {"experiment": "task", "variant": "spiking"},
        "versus": None,
        "published": 0.9,
        "spread": None,
        "seeds": None,
        "test": "value",
        "better": "larger",
        "accept": {"default": Band(0.8, np.inf)},
        "negative_control": None,
        "data": "definition",
    }
    return Claim(**{**values, **changes})


def verdicts(registered, found, scale="default"):
    """Judge claims on made-up values: id -> one value per seed."""
    rows = [
        {
            "scale": scale, "talk": "toy", "experiment": "task", "variant": "spiking",
            "seed": seed, "engine": "brian2", "perturbation": "none", "locus": "",
            "strength": 0.0, "metric": entry.metric, "value": value, "unit": "fraction",
            "trials": 1000,
        }
        for entry in registered
        for seed, value in enumerate(found.get(entry.id, []))
    ]  # fmt: skip
    one_each = [pd.DataFrame([r for r in rows if r["metric"] == e.metric]) for e in registered]
    empty = pd.DataFrame(columns=list(rows[0]) if rows else [])
    judged = [
        claims.judge_all(t if len(t) else empty, [e], scale=scale)
        for e, t in zip(registered, one_each, strict=True)
    ]
    return pd.concat(judged, ignore_index=True)


# figures inside pages


def test_svg_takes_the_colour_of_the_page_and_stays_apart_from_others():
    picture = svg.inline(plate(), "one", 'a "line" <rising>')
    assert 'role="img"' in picture
    assert 'aria-label="a &quot;line&quot; &lt;rising&gt;"' in picture
    assert "currentColor" in picture
    assert "#010203" not in picture
    ids = re.findall(r'\bid="([^"]+)"', picture)
    assert ids and all(name.startswith("one-") for name in ids)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', picture))
    assert used and used <= set(ids)
    assert "<style" not in picture
    assert "<metadata" not in picture


def test_svg_is_the_same_on_every_build():
    assert svg.inline(plate(), "one", "a") == svg.inline(plate(), "one", "a")


def points(path):
    """Where a path goes, absolute, from either spelling; an independent reading of the grammar."""
    numbers = r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?"
    here, start, found = np.zeros(2), np.zeros(2), []
    for command, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", path):
        values = [float(x) for x in re.findall(numbers, rest)]
        if command in "zZ":
            here = start
        elif command in "hv":
            for value in values:
                here = here + ([value, 0] if command == "h" else [0, value])
                found.append(here)
        else:
            pairs = np.reshape(values, (-1, {"m": 1, "l": 1, "q": 2, "c": 3}[command.lower()], 2))
            for pair in pairs:
                absolute = pair + here if command.islower() else pair
                found.extend(absolute)
                here = absolute[-1]
                if command in "mM":
                    start, command = here, "l" if command == "m" else "L"
    return np.array(found)


@pytest.mark.parametrize(
    "path",
    [
        "M 0 356.4 L 691.2 356.4 L 691.2 0 L 0 0 L 0 356.4 z",
        "M 55.361 292.04 L 55.361 289.62 M 55.361 286.67 L 55.361 284.26 L 55.361 284.26",
        "M 1 1 L 1.5 0.75 L 2.25 3 C 0 1 2 3 4.005 5 z M 3 3 L 0.4 -0.4 L -0.004 0.996",
        "M 10 -0.999 Q 1.006 2 -3.5 4 L -3.5 40 L 100.25 40",
    ],
)
def test_short_paths_go_where_the_long_ones_went(path):
    short = svg.compact(path)
    assert len(short) < len(path)
    np.testing.assert_allclose(points(short), points(path), atol=0.0051)


def test_rounding_does_not_add_up_along_a_path():
    x = np.cumsum(np.full(500, 0.0149))
    path = "M 0 0 " + " ".join(f"L {a:.4f} 1.2345" for a in x)
    assert abs(points(svg.compact(path))[-1] - [x[-1], 1.2345]).max() < 0.0051


def test_an_unknown_path_is_left_alone():
    assert svg.compact("M 0 0 A 1 1 0 0 1 2 2") == "M 0 0 A 1 1 0 0 1 2 2"


# equations


def test_equations_become_numbered_mathml():
    block = report.mathml(r"\frac{a_1}{b} \tag{3}", display=True)
    assert 'id="eq-3"' in block
    assert "(3)</span>" in block
    assert "<mfrac>" in block
    assert "tag" not in block
    assert report.mathml("x_1", display=False).startswith("<math")


@pytest.mark.parametrize("latex", [r"a \! b", r"\begin{aligned} a &= b \end{aligned}", "a & b"])
def test_equations_that_cannot_be_converted_are_refused(latex):
    with pytest.raises(ValueError, match="MathML"):
        report.mathml(latex, display=True)


def test_dollars_in_code_are_no_equations():
    lifted: list[str] = []
    text = report._lift_equations("cost `a $b$ c` and $x_i * y_i$, then\n\n$$z$$", lifted, "here")
    assert "`a $b$ c`" in text
    assert len(lifted) == 2
    assert "$" not in text.replace("`a $b$ c`", "")


# numbers


@pytest.mark.parametrize(
    ("x", "unit", "shown"),
    [
        (0.959, "fraction", "95.9 %"),
        (0.9973, "fraction", "99.73 %"),
        (-0.0001, "fraction", "0.0 %"),
        (-0.25, "fraction", "−25.0 %"),
        (0.0, "1", "0"),
        (17.234, "1", "17.2"),
        (1234.5, "ms", "1234 ms"),
        (2.5e7, "1", "2.50×10<sup>7</sup>"),
        (float("inf"), "ms", "&gt; max"),
        (float("nan"), "ms", "–"),
    ],
)
def test_numbers_are_written_for_readers(x, unit, shown):
    assert markup.value(x, unit) == shown


def test_one_seed_is_said_to_have_no_interval():
    assert "no interval" in markup.interval(0.9, np.nan, np.nan, "fraction")
    assert "[85.0, 95.0]" in markup.interval(0.9, 0.85, 0.95, "fraction")


def test_open_bands_are_inequalities():
    assert markup.band(0.95, np.inf, "fraction") == "≥ 95.0 %"
    assert markup.band(-np.inf, 2.0, "ms") == "≤ 2 ms"
    assert markup.band(12, 22, "1") == "12 … 22"


# the verdict table


def test_every_verdict_has_its_own_symbol_word_and_chip():
    assert set(markup.VERDICT_LOOK) == set(claims.VERDICTS)
    assert len({look[0] for look in markup.VERDICT_LOOK.values()}) == len(claims.VERDICTS)
    for verdict in claims.VERDICTS:
        shown = markup.chip(verdict, claims.label(verdict, "default")).markup
        assert claims.label(verdict, "default") in shown
        assert shown.startswith('<span class="chip ')


def test_failed_and_key_claims_are_as_visible_as_others():
    registered = [
        claim("good", metric="accuracy"),
        claim("bad", "key", metric="accuracy_fresh", spread=0.007, seeds=20),
        claim("absent", metric="undecided"),
    ]
    found = {"toy.task.good": [0.95, 0.951, 0.952], "toy.task.bad": [0.5, 0.51, 0.52]}
    table = verdicts(registered, found)
    page = verdict_table(table, {c.id: c for c in registered}, {"toy": talk()}, many=True)
    for word in ("replicated at reduced scale", "not replicated", "not measured"):
        assert f"</span> {word}</span>" in page
    assert page.index("toy.task.bad") < page.index("toy.task.good")  # the key claim is first
    assert "± 0.7 sd" in page
    assert "It says good &amp; more." in page
    assert "Author 2021, Fig. 1" in page
    assert page.count("<tr data-talk") == 3
    assert 'class="controls"' in page


def test_stand_in_data_are_named_beside_the_number():
    entry = claim("good", data="synthetic")
    table = verdicts([entry], {entry.id: [0.9, 0.91]})
    page = verdict_table(table, {entry.id: entry}, {"toy": talk("synthetic")}, many=False)
    row = page[page.index("<tbody>") :]
    assert '<span class="data synthetic">stand-in data</span>' in row


def test_negative_control_that_passes_is_called_out():
    entry = claim("good", negative_control={"variant": "linear"})
    table = verdicts([entry], {entry.id: [0.9, 0.91]})
    table["control_value"], table["control_passes"] = 0.9, True
    shown = verdict_table(table, {entry.id: entry}, {"toy": talk()}, many=False)
    assert "linear: passes too" in shown
    table["control_passes"] = False
    shown = verdict_table(table, {entry.id: entry}, {"toy": talk()}, many=False)
    assert "linear: misses, as it must" in shown


# the other sections


def test_verdicts_are_counted():
    registered = [claim("a", "key", metric="accuracy"), claim("b", metric="accuracy_fresh")]
    table = verdicts(registered, {"toy.task.a": [0.9, 0.9, 0.91], "toy.task.b": [0.1, 0.1, 0.11]})
    said = sections.counts(table)
    assert "<strong>1 of 1 key claims</strong>" in said
    assert "Of 1 secondary claims 0 replicated" in said
    told = sections.key_claims(table, {"toy": talk()})
    assert "It says a &amp; more" in told
    assert "It says b" not in told


def test_smoke_pages_carry_a_banner():
    assert "plumbing only" in story.banner("smoke")
    assert story.banner("default") == ""


def test_deviations_give_published_used_and_why():
    scaled = {
        "default": {"epochs": {"value": 30, "why": "time"}, "tau": {"value": 5.0, "why": "x"}}
    }
    shown = sections.deviations([talk(scaled=scaled)], "default")
    assert "300" in shown and ">30<" in shown and "time" in shown
    assert "<code>tau</code>" not in shown  # equal to the published value: no deviation
    assert "published value" in sections.deviations([talk(scaled=scaled)], "paper")


def test_missing_measures_give_their_reason():
    metrics = pd.DataFrame(
        [
            {
                "talk": "toy", "experiment": "task", "variant": "spiking", "seed": seed,
                "perturbation": "jitter", "locus": "hidden", "metric": "sigma50", "value": value,
                "unit": "ms",
            }
            for seed, value in enumerate((1.0, 1.2))
        ]
    )  # fmt: skip
    page = measures_table.measures_table(metrics, {"toy": talk()})
    assert "1.1 ms" in page
    assert "0.55 τ" in page  # tau_char is 2 ms
    assert "neither sent in nor replayed" in page
    assert "no matched control in this experiment" in page
    assert "trained at one size only" in page
    assert "measured in another experiment" not in page
    described = talk()
    other = replace(described.experiments["task"], name="other")
    both = replace(described, experiments={**described.experiments, "other": other})
    page = measures_table.measures_table(metrics, {"toy": both})
    assert "measured in another experiment of the same talk" in page


def test_provenance_names_commit_state_and_hashes():
    manifest = {
        "commit": "abc", "uncommitted_changes": True, "command": "snakemake",
        "config": {"seeds": [0, 1], "seeds_of": [{"experiment": "toy.task", "seeds": [3]}]},
        "config_sha256": "fff", "python": "3.13", "versions": {"numpy": "2"},
        "machine": {"cpu": "a <cpu>", "system": "Linux", "arch": "x"},
        "talks": {"toy": {"jobs": 1, "wall_seconds": 2, "cpu_seconds": 1, "max_rss_mb": 5}},
        "data": {"mnist": {"provenance": "original", "sha256": {"train": "aaa"}}},
    }  # fmt: skip
    shown = sections.provenance(manifest)
    for part in ("abc with uncommitted changes", "a &lt;cpu&gt;", "toy.task: [3]", "aaa", "fff"):
        assert part in shown


def test_a_run_of_another_scale_is_refused(tmp_path):
    metrics = pd.DataFrame({"scale": ["smoke"]})
    with pytest.raises(UserError, match="'default' was asked for"):
        story.check_scale(metrics, "default", tmp_path / "metrics.csv")
    with pytest.raises(UserError, match="does not exist"):
        story.find(tmp_path / "absent")


# the notebooks


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    for source in cells:
        kind = nbformat.v4.new_code_cell
        if source.startswith("#"):
            kind = nbformat.v4.new_markdown_cell
        notebook.cells.append(kind(source))
    notebook.cells[1].metadata["tags"] = ["parameters"]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_page_is_self_contained_and_the_same_on_every_build(tmp_path):
    source = write_notebook(
        tmp_path / "toy.ipynb",
        "# A title\n\ntext with $x_1$\n\n$$y = x^2 \\tag{1}$$",
        "results: str = ''\nword: str = 'default'",
        "## A section",
        "from whyspiking.markup import Html\nHtml(f'<p>{word}</p>')",
    )
    pages = []
    for name in ("a", "b"):
        page = tmp_path / f"{name}.html"
        parameters = {"results": str(tmp_path), "word": "changed"}
        report.make_page(source, tmp_path / f"{name}.ipynb", page, parameters)
        pages.append(page.read_text().replace(f"{name}.ipynb", "x.ipynb"))
    assert pages[0] == pages[1]
    page = pages[0]
    assert "<p>changed</p>" in page
    assert "<title>A title</title>" in page
    assert '<a href="#a-section">A section</a>' in page
    assert 'id="eq-1"' in page
    assert "$$" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    executed = json.loads((tmp_path / "a.ipynb").read_text())
    assert "papermill" not in json.dumps(executed["metadata"])
    assert str(tmp_path) not in page


@pytest.mark.slow
def test_two_builds_of_the_report_are_identical(results, tmp_path):
    """Two kernels, so that nothing hangs on the order of a set."""
    pages = []
    for name in ("a", "b"):
        page = tmp_path / name / report.MAIN_PAGE
        parameters = {"results": str(results), "scale": "default"}
        report.make_page(
            ROOT / "notebooks" / "why_spiking.ipynb", tmp_path / name / "x.ipynb", page, parameters
        )
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 5_000_000


def test_slides_stand_alone_and_are_the_same_on_every_build(results, tmp_path):
    told = study.Study.open(results, "default")
    for name in ("a", "b"):
        slides.write(told, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(re.findall(r'href="slides/([^"]+)"', slides.links(told.answers)))
    assert {"matrix.svg", "verdicts.svg", "timing.svg", "energy.svg", "learning.svg"} <= set(files)
    for name in files:
        picture = (tmp_path / "a" / name).read_bytes()
        assert picture == (tmp_path / "b" / name).read_bytes()
        assert b"<svg" in picture and b"nan" not in picture.replace(b"resonan", b"")


def test_every_caption_of_the_snakemake_report_exists():
    rules = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
    found = []
    for path in rules:
        text = path.read_text(encoding="utf-8")
        names = re.findall(r'(?:caption=|^report: )"([^"]+)"', text, flags=re.MULTILINE)
        found += [(path.parent / name).resolve() for name in names]
        assert text.count("report(") == len(re.findall(r"caption=", text))
    assert len(found) >= 6
    assert all(path.is_file() and len(path.read_text()) > 80 for path in found)
    kept = sorted((ROOT / "workflow" / "report").iterdir())
    assert sorted(set(found)) == kept, "a caption that nothing shows"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "error", "words"),
    [
        ("1 / 0", Exception, "ZeroDivisionError"),
        (
            "from whyspiking.errors import UserError\nraise UserError('mend it')",
            UserError,
            "mend it",
        ),
    ],
)
def test_failing_cell_leaves_no_half_report(tmp_path, cell, error, words):
    source = write_notebook(tmp_path / "toy.ipynb", "# A title", "results: str = ''", cell)
    folder = tmp_path / "out"
    parameters = {"results": str(tmp_path)}
    with pytest.raises(error, match=words):
        report.make_page(source, folder / "r.ipynb", folder / "r.html", parameters)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"colour": "green"}, "does not name 'colour'"),
        ({"results": 7}, "'results' is 7; expected 'str'"),
        ({"results": None}, "'results' is None; expected 'str'"),
    ],
)
def test_parameters_that_a_notebook_does_not_ask_for_are_refused(tmp_path, parameters, words):
    source = write_notebook(tmp_path / "toy.ipynb", "# A title", "results: str = ''")
    with pytest.raises(UserError, match=words):
        report.run_notebook(source, tmp_path / "out.ipynb", parameters)
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_short_clean_and_runnable_by_others(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"]["name"] == "python"
    assert len(notebook["cells"]) < 15
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    typed = {line.split(" = ")[0] for line in "".join(tagged[0]["source"]).splitlines()}
    assert typed in ({"results: str", "scale: str"}, {"results: str", "scale: str", "talk: str"})
    for cell in code:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        defined = ast.walk(ast.parse("".join(cell["source"])))
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in defined)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            report._lift_equations("".join(cell["source"]), [], path.name)


# all talks of the project


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results") / "default")


@pytest.mark.parametrize("name", registry.available())
def test_signature_figures_have_caption_alternative_and_units(results, name):
    story = study.Story.open(results, name, "default")
    for title, draw in story._plates().items():
        with style():
            drawn = draw()
        assert len(drawn.caption) > 40, title
        assert len(drawn.alt) > 20, title
        assert (results / name / drawn.source).is_file(), title
        assert "nan" not in drawn.alt.replace("nance", "")


def test_figure_without_data_is_replaced_by_the_reason(results):
    empty = Results(results / "goeltz", "goeltz", "smoke", pd.DataFrame(), pd.DataFrame())
    draw = registry.module("goeltz").figures(empty)
    assert len(draw) >= 4
    shown = story.show(lambda: registry_figure({}), "map", "")
    assert "Figure not drawn" in shown.markup


def registry_figure(arrays):
    from whyspiking.replications.goeltz.drawing import decision_map

    return decision_map(arrays)


def test_networks_on_the_same_data_share_a_figure():
    time_ms = np.linspace(0, 4, 41)
    arrays = {"anytime.time_ms": time_ms}
    arrays |= {f"anytime.spiking.{seed}": 0.1 + 0.8 * (time_ms > 1 + seed) for seed in (0, 1)}
    made = [
        speed_figures.curve(arrays, "spiking", label, "mnist", tau)
        for label, tau in (("one", 1.0), ("other", 0.5))
    ]
    assert speed_figures.curve(arrays, "absent", "x", "mnist", 1.0) is None
    with style():
        plate = speed_figures.speed_accuracy(made, "mnist")
        assert "one: 0.900, 95 % of it after 2.1 τ" in plate.alt
        assert "other: 0.900, 95 % of it after 4.2 τ" in plate.alt
        with pytest.raises(figures.NotMeasuredError, match="yinyang"):
            speed_figures.speed_accuracy(made, "yinyang")


def test_report_tells_all_talks(results):
    told = study.Study.open(results, "default")
    page = "".join(
        piece.markup
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
    whole, _ = report._with_anchors(page + "".join(f"<h2>{h}</h2>" for h in headings))
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert sorted(ids) == sorted(set(ids)), "identifiers are unique in the page"
    assert set(re.findall(r'href="#([^"]+)"', whole)) <= set(ids)
    assert all("aria-label" in tag for tag in re.findall(r"<svg[^>]*>", page))
    assert len(page) < 5_000_000


def test_made_up_exhibits_cover_what_the_figures_need():
    keys = exhibits(registry.load_talk("goeltz").experiments["yinyang"])
    assert {"map.axis", "map.first_ms", "trace.time_ms"} <= set(keys)


def test_pages_depend_on_all_that_draws_them():
    files = {Path(name).name for name in sources.of_stage("page")}
    assert files >= {"study.py", "story.py", "forests.py", "style.css", "page.html.j2"}
    trained = {Path(name).name for name in sources.of_talk("goeltz", "train")}
    assert not trained & {"study.py", "figures.py", "drawing.py", "style.css"}
    assert not trained & {"comparisons.py", "markup.py"}, "nor on what only drawing imports"


def test_importing_the_page_maker_is_cheap():
    code = "import sys, whyspiking.report; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
