"""Sections of the report from made-up claims: numbers, the table of verdicts, what deviates."""

import numpy as np
import pandas as pd
import pytest
from made.measured import rows, table
from made.toy_talk import described, talk_of
from markupsafe import escape

from whyspiking.declared.claims_file import Claim
from whyspiking.errors import UserError
from whyspiking.records import labels, tables, verdict_columns
from whyspiking.records.footprint import kilowatt_hours
from whyspiking.report import abstracts, html, sections, talk_page
from whyspiking.report.sections import verdict_table
from whyspiking.verdicts import judge, overview, rule
from whyspiking.verdicts.comparison import ReferenceResults

SOURCE = {"publication": "p21", "source_location": "Fig. 1", "value": 0.9}


def talk(provenance="definition", scaled=None):
    experiment = described(
        "task",
        title="A toy task",
        data={"data_set": "toy", "data_source": provenance},
        robustness_tests=("jitter",),
        parameters={
            "epochs": {"value": 300, "source": "Table 1"},
            "tau": {"value": 5.0, "unit": "ms", "source": "Methods <b>"},
        },
        scale_overrides=scaled or {},
        variants={"spiking": {"variant_role": "spiking", "description": "the network"}},
    )
    papers = {"p21": {"citation": "Author, A. A title. Journal 1 (2021).", "doi": "10.1/x"}}
    return talk_of(
        {"task": experiment},
        title="A toy",
        speaker="A. Speaker",
        question="Why?",
        publications=papers,
    )


def claim(name, role="secondary", **changes):
    values = {
        "id": f"toy.task.{name}",
        "claim_role": role,
        "origin": "published",
        "statement": f"It says {name} & more.",
        "source": SOURCE,
        "metric": "accuracy",
        "rows": {"experiment": "task", "variant": "spiking"},
        "test_type": "value",
        "better_direction": "larger",
        "criteria": {"full": [0.8, None]},
    }
    found = Claim(**{**values, **changes})
    found._data = "definition"
    return found


def verdicts(registered, found, scale="default"):
    """Judge claims on made-up values: id -> one value per seed."""
    place = {"scale": scale, "talk": "toy", "experiment": "task", "n_trials": 1000}
    judged = [
        judge.judge_all(table(rows(found.get(e.id, []), e.metric, **place)), [e], scale=scale)
        for e in registered
    ]
    return pd.concat(judged, ignore_index=True)


def page_of(table, registered):
    """The verdict table of the report."""
    claims = {entry.id: entry for entry in registered}
    return verdict_table(table, claims, talk(), ReferenceResults())


# numbers


@pytest.mark.parametrize(
    ("x", "unit", "shown"),
    [
        (0.959, "fraction", "95.9 %"),
        (0.9973, "fraction", "99.73 %"),
        (0.974, "fraction", "97.4 %"),
        (-0.0001, "fraction", "0.0 %"),
        (-0.25, "fraction", "−25.0 %"),
        (-0.25, "points", "−25.0 points"),
        (0.024, "points", "+2.4 points"),
        (0.0, "1", "0"),
        (17.234, "1", "17.2"),
        (1234.5, "ms", "1230 ms"),
        (2.5e7, "1", "2.50×10<sup>7</sup>"),
        (float("inf"), "ms", "&gt; max"),
        (float("nan"), "ms", "–"),
    ],
)
def test_numbers_are_written_for_readers(x, unit, shown):
    assert html.value(x, unit) == shown


def test_intervals_and_bands_are_written_for_readers():
    assert "no interval" in html.interval(0.9, np.nan, np.nan, "fraction")
    assert "[85, 95]" in html.interval(0.9, 0.85, 0.95, "fraction")
    assert html.band(0.95, np.inf, "fraction") == "≥ 95.0 %"
    assert html.band(-np.inf, 2.0, "ms") == "≤ 2 ms"
    assert html.band(12, 22, "1") == "12 … 22"
    assert html.band(0.02, np.inf, "points") == "≥ 2.0 points"
    assert html.band(-0.01, 0.02, "points") == "−1.0 … 2.0 points"


def test_differences_of_shares_are_in_points_and_shares_end_at_a_hundred_per_cent():
    told = html.inline(0.024, -0.012, 0.06, "fraction", signed=True)
    assert told == html.inline(0.024, -0.012, 0.06, "points") == "+2 points [−1, 6]"
    assert html.inline(0.7, 0.285, 1.115, "fraction") == "70 % [28, 100]"
    assert html.inline(0.9666, 0.9654, 0.9678, "fraction") == "96.7 % [96.5, 96.8]"
    assert html.inline(0.995, 0.9941, 0.9959, "fraction") == "99.50 % [99.41, 99.59]"
    assert html.inline(0.9990, 0.9981, 0.9999, "fraction") == "99.90 % [99.81, 99.99]"
    assert html.inline(1.2, 0.9, 1.5, "fraction") == "120 % [90, 150]"
    assert html.inline(1.0, 1.0, 1.0, "1") == "1", "seeds that agree leave no interval"
    assert html.inline(0.95, -0.2, 2.1, "points").endswith("[−20, 210]")
    rows = pd.DataFrame(
        [("value", "accuracy", "fraction"), ("difference", "accuracy", "fraction"),
         ("equivalence", "accuracy", "fraction"), ("value", "lost", "fraction"),
         ("difference", "decision_time", "ms")],
        columns=["test_type", "metric", "unit"],
    )  # fmt: skip
    assert list(labels.in_points(rows)["unit"]) == ["fraction", *["points"] * 3, "ms"]


# the verdict table


def test_every_verdict_has_its_own_symbol_word_and_chip():
    assert set(html.VERDICT_LOOK) == set(rule.VERDICTS)
    assert len({look[0] for look in html.VERDICT_LOOK.values()}) == len(rule.VERDICTS)
    for verdict in rule.VERDICTS:
        row = {"verdict": verdict, "qualification": "one network"}
        shown = html.macros("macros").verdict(row)
        assert f"</span> {verdict}</span> <small>one network</small>" in shown
        assert shown.startswith('<span class="chip ')


def test_checks_have_a_table_of_their_own_and_history_stands_beside_the_verdict():
    look = {"commit": "77a7cd3", "recipe": "five epochs", "value": 0.9, "verdict": "inconclusive"}
    registered = [
        claim("key", "key", metric="accuracy", earlier_evaluations=[look]),
        claim("check", metric="equal_decisions", origin="check"),
    ]
    table = verdicts(registered, {"toy.task.key": [0.95, 0.951], "toy.task.check": [0.99, 0.99]})
    page = page_of(table, registered)
    claimed, checks = page.split("Checks: 1 of 1 pass")
    assert "toy.task.key" in claimed and "toy.task.check" not in claimed
    assert "toy.task.check" in checks
    assert "on test data (five epochs, commit 77a7cd3): 0.9, inconclusive" in claimed
    assert table.set_index("claim")["n_earlier_evaluations"].to_dict() == {
        "toy.task.key": 1,
        "toy.task.check": 0,
    }


def test_the_rule_is_explained_with_how_often_it_errs():
    page = sections.how_to_read()
    for word in rule.VERDICTS:
        assert f"</span> {word}</span>" in page
    for word, says in rule.CONDITIONS.items():
        assert f"<dt>{word}</dt><dd>{escape(says)}</dd>" in page
    study = tables.read(rule.STUDY, verdict_columns.RULE_STUDY)
    most = study.loc[~study["is_true"].astype(bool), "replicated"].max()
    assert f"replicated in at most {100 * most:.1f} %" in page


def test_failed_and_key_claims_are_as_visible_as_others():
    registered = [
        claim("good", metric="accuracy"),
        claim(
            "bad",
            "key",
            metric="accuracy_fresh",
            source={**SOURCE, "standard_deviation": 0.007, "n_seeds": 20},
        ),
        claim("absent", metric="undecided"),
    ]
    found = {"toy.task.good": [0.95, 0.951, 0.952], "toy.task.bad": [0.5, 0.51, 0.52]}
    table = verdicts(registered, found)
    page = page_of(table, registered)
    for word in ("replicated", "not replicated", "not measured"):
        assert f"</span> {word}</span>" in page
    assert page.index("toy.task.bad") < page.index("toy.task.good")  # the key claim is first
    for part in (
        "± 0.7 (standard deviation)",
        "It says good &amp; more.",
        "Author 2021, Fig. 1",
    ):
        assert part in page
    assert page.count("<tr>\n<td class=") == 3


def test_stand_in_data_are_named_beside_the_number():
    entry = claim("good")
    entry._data = "synthetic"
    table = verdicts([entry], {entry.id: [0.9, 0.91]})
    page = verdict_table(table, {entry.id: entry}, talk("synthetic"), ReferenceResults())
    row = page[page.index("<tbody>") :]
    assert '<span class="data synthetic">surrogate data</span>' in row


def test_negative_control_that_passes_is_called_out():
    entry = claim("good", negative_control={"variant": "linear"})
    table = verdicts([entry], {entry.id: [0.9, 0.91]})
    assert "<small>not measured</small>" in page_of(table, [entry])
    table["control_value"], table["control_meets_criterion"] = 0.9, True
    shown = verdict_table(table, {entry.id: entry}, talk(), ReferenceResults())
    assert "linear: meets the criterion, too" in shown
    table["control_meets_criterion"] = False
    shown = verdict_table(table, {entry.id: entry}, talk(), ReferenceResults())
    assert "linear: misses the criterion, as required" in shown


def test_a_control_of_a_smoke_run_is_not_called_unmeasured():
    """A claim without a band there is not judged, nor is what it is held against."""
    entry = claim("good", negative_control={"variant": "linear"})
    table = verdicts([entry], {entry.id: [0.9]}, "smoke")
    shown = verdict_table(table, {entry.id: entry}, talk(), ReferenceResults())
    assert "not measured" not in shown
    assert shown.count(rule.SMOKE_RUN) == 1 and shown.count("<small>not judged</small>") == 1
    assert abstracts._describe_comparison(entry, table.iloc[0]) == "control linear: not judged"


def test_what_a_claim_misses_stands_below_its_verdict():
    entry = claim("good")
    assert "<small>failed: criterion</small>" in page_of(
        verdicts([entry], {entry.id: [0.1] * 3}), [entry]
    )
    assert "failed: " not in page_of(verdicts([entry], {entry.id: [0.9, 0.91]}), [entry])


# the other sections


def test_the_short_table_has_the_key_claim_first():
    registered = [claim("a", "key", metric="accuracy"), claim("b", metric="accuracy_fresh")]
    found = {"toy.task.a": [0.9, 0.9, 0.91], "toy.task.b": [0.1, 0.1, 0.11]}
    table = verdicts(registered, found)
    claims = {entry.id: entry for entry in registered}
    shown = sections.short_table(table, {"toy": talk()}, ReferenceResults(), claims)
    assert shown.count("<tr data-talk") == 2
    assert shown.index("It says a &amp; more") < shown.index("It says b"), "the key claim first"


def test_smoke_pages_carry_a_banner():
    assert "It gives no verdicts" in html.macros("pages").banner("smoke")
    assert html.macros("pages").banner("default") == ""


def test_deviations_give_published_used_and_why():
    scaled = {
        "full": {
            "epochs": {"value": 30, "reason": "time is short"},
            "tau": {"value": 5.0, "reason": "no reason"},
        }
    }
    shown = sections.deviations(talk(scaled=scaled), "default", ReferenceResults())
    assert "300" in shown and ">30<" in shown and "time is short" in shown
    assert "<code>tau</code>" not in shown  # equal to the published value: no deviation
    assert "published value" in sections.deviations(
        talk(scaled=scaled), "paper", ReferenceResults()
    )


def test_the_table_of_measures_has_a_row_for_each_network():
    variants = {
        "spiking": {"variant_role": "spiking", "description": "the network"},
        "mlp": {"variant_role": "control", "description": "its control"},
        "ablated": {"variant_role": "ablation", "description": "no part of it"},
    }
    toy = talk_of({"task": described("task", variants=variants)})
    place = {"talk": "toy", "experiment": "task", "location": "hidden"}
    trained = {**place, "engine": "jax"}
    metrics = table(
        rows([0.5, 0.7], "robustness_area", perturbation="delete", **place),
        rows([0.2, 0.4], "robustness_area", perturbation="jitter", **place),
        rows([0.8, 1.0], "timing_index", perturbation="shuffle", **place),
        rows([9.0, 9.0], "timing_index", perturbation="shuffle", **trained),
        rows([0.1, 0.1], "robustness_area", perturbation="delete", variant="mlp", **trained),
        rows([0.9, 0.9], "robustness_area", perturbation="delete", variant="ablated", **place),
    )
    measures = overview.measures(metrics, toy)
    assert measures["variant"].tolist() == ["spiking"] * 3 + ["mlp"]
    timing = measures.set_index("metric").loc["timing_index"]
    assert timing["value"] == pytest.approx(0.9), "the engine of training is left out"
    assert timing["ci_low"] < 0 and timing["ci_high"] > 1 and timing["n_seeds"] == 2
    page = sections.measures_table(measures)
    assert "30.0 % … 60.0 %" in page and "jitter, hidden spikes … deleted, hidden spikes" in page
    assert "10.0 %" in page and "ReLU network" in page
    assert page.count('<td class="number" data-sort=""><span class="soft">–') == 5


def test_the_table_of_data_says_whether_values_are_given_as_spike_times():
    shown = html.macros("sections").data_table([talk()])
    assert "<td>values given as spike times</td>" in shown


def test_provenance_names_commit_state_and_hashes():
    manifest = {
        "commit": "abc", "uncommitted_changes": True, "command": "snakemake",
        "config": {"seeds": [0, 1], "seeds_of": [{"experiment": "toy.task", "seeds": [3]}]},
        "config_sha256": "fff", "python": "3.13", "versions": {"numpy": "2"},
        "machine": {"cpu": "a <cpu>", "system": "Linux", "arch": "x", "speed_factor": 1.5},
        "talks": {"toy": {"jobs": 1, "wall_seconds": 2, "cpu_seconds": 1, "max_rss_mb": 5}},
        "data": {"mnist": {"provenance": "original", "sha256": {"train": "aaa"}}},
    }  # fmt: skip
    shown = html.macros("sections").provenance(manifest, kilowatt_hours(manifest["talks"]))
    for part in (
        "abc with uncommitted changes", "a &lt;cpu&gt;", "toy.task: [3]", "aaa", "fff",
        "3.3e-06 kWh",
    ):  # fmt: skip
        assert part in shown


def test_a_run_of_another_scale_is_refused(tmp_path):
    metrics = pd.DataFrame({"scale": ["smoke"]})
    with pytest.raises(UserError, match="'default' was asked for"):
        talk_page.check_scale(metrics, "default", tmp_path / "metrics.csv")
    with pytest.raises(UserError, match="does not exist"):
        talk_page.find(tmp_path / "absent")
