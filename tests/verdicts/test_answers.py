"""The synthesis on tables made for the purpose: who says what, and in which words."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made.checkouts import ROOT
from made.project import config

from whyspiking.declared import registry, strict_yaml
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.config_file import Config
from whyspiking.errors import UserError
from whyspiking.records import columns, reference
from whyspiking.report import html, sentences, talks_by_axis
from whyspiking.verdicts import answers, overview
from whyspiking.verdicts.answers import DIVIDED, NO, NONE, PART, UNDECIDED, YES, Finding

TALKS = {name: registry.load_talk(name) for name in ("goeltz", "comsa", "naud")}
NAMES = {name: talk.surname for name, talk in TALKS.items()}
CONFIG = config("default")


def finding(side="yes", effect=0.5, talk="goeltz", **changes):
    sign = {"yes": 1, "no": -1, "unclear": 0}[side]
    values = {
        "measure": "T1", "talk": talk, "experiment": "mnist",
        "locus": "hidden", "metric": "timing_index", "effect": sign * effect,
        "low": sign * effect - 0.1, "high": sign * effect + 0.1, "unit": "1", "null": 0.0,
        "side": side,
    }  # fmt: skip
    return Finding(**{**values, **changes})


def one_seed(side="unclear", **changes):
    return finding(side, low=np.nan, high=np.nan, **changes)


def entry(**changes):
    values = {
        "axis": "timing", "level": "mechanism",
        "states": "times tell more", "counts": ["T1"], "missing": "nobody measured it",
    }  # fmt: skip
    return {**values, **changes}


def axes_table(*findings):
    names = [field.name for field in dataclasses.fields(Finding)]
    rows = [{name: getattr(f, name) for name in names} for f in findings]
    table = pd.DataFrame(rows, columns=names).astype({"size": float})
    table = table.rename(columns={"side": "favours_spikes", "null": "neutral"})
    return table.assign(axis="timing", perturbation="shuffle", seeds=3, says="What is lost.")


def answer(*findings, verdicts=None, claims=None, **changes):
    measures = overview.measures(columns.METRICS.table([]), TALKS)
    verdicts = pd.DataFrame(columns=["claim"]) if verdicts is None else verdicts
    config = {"scale": "full", "answers": [entry(**changes)]}
    (found,) = answers.answers(
        axes_table(*findings), verdicts, claims or {}, measures, TALKS, config
    )
    return found


# what one talk says


@pytest.mark.parametrize(
    ("sides", "word"),
    [
        (["yes", "unclear"], YES),
        (["yes", "no"], PART),
        (["no", "unclear"], NO),
        (["unclear", "unclear"], UNDECIDED),
        ([], NONE),
    ],
)
def test_one_talk_is_summed_up_by_one_rule(sides, word):
    assert answers.word([finding(side) for side in sides]) == word


def test_a_single_seed_neither_supports_nor_spoils_anything():
    # A side without an interval is none, whatever the table says.
    cases = [one_seed()], [one_seed("yes")], [finding("yes"), one_seed("no")]
    assert [answers.word(case) for case in cases] == [UNDECIDED, UNDECIDED, YES]


def test_what_is_shown_supports_the_word_and_is_of_the_first_measure_that_does():
    weak, strong, other = finding(effect=0.2), finding(effect=0.9), finding(effect=5, measure="T2")
    stand = answers.Stand("goeltz", YES, (weak, finding("unclear"), strong, other))
    assert stand.shown is strong and answers.Stand("goeltz", NONE, ()).shown is None
    ratio = finding(effect=0.01, null=1.0)  # a hundredth is further from 1 than a double
    assert ratio.distance > finding(effect=2.0, null=1.0).distance


# what all talks say


def test_talks_are_counted_not_comparisons():
    found = answer(*[finding("yes")] * 9, finding("no", talk="comsa"), finding("no", talk="naud"))
    assert (found.word, found.talks(YES), found.measured) == (NO, ["goeltz"], 3)


def test_networks_that_two_experiments_have_count_once():
    """Those of yinyang_fine are those of yinyang; what only the one has of them counts."""
    both = [finding(experiment=name) for name in ("yinyang", "yinyang_fine")]
    own = finding(experiment="yinyang_fine", locus="input")
    counted = answer(*both, own).stands["goeltz"].findings
    assert [(f.experiment, f.locus) for f in counted] == [
        ("yinyang", "hidden"), ("yinyang_fine", "input"),
    ]  # fmt: skip


def test_without_a_majority_the_axis_is_divided():
    found = answer(finding("yes"), finding("no", talk="comsa")), answer()
    assert [axis.word for axis in found] == [DIVIDED, NONE]


def test_a_talk_without_a_number_gives_its_reason():
    found = answer(finding("yes"))
    assert found.stands["naud"].word == NONE
    assert found.stands["naud"].reason not in ("", "nobody measured it")  # its experiments tell
    assert answer(counts=["M9"]).stands["naud"].reason == "nobody measured it"


def test_a_comparison_that_could_hardly_come_out_otherwise_is_no_evidence_and_is_named():
    rows = [
        finding("yes", locus="input"),
        finding("no", talk="comsa"),
        finding("yes", talk="naud", experiment="xor", effect=0.4),
        finding("yes", talk="naud", experiment="xor", effect=0.9, locus="hidden to output"),
        finding("yes", talk="naud", experiment="xor_other", effect=0.5),
    ]
    built = {"goeltz/mnist": "built so: why", "comsa": "built so: why"}
    aside = {**built, "naud/xor/shuffle/hidden to output": "the output layer"}
    found = answer(*rows, apart=aside)
    assert {name: stand.word for name, stand in found.stands.items()} == {
        "goeltz": NONE, "comsa": NONE, "naud": YES,
    }  # fmt: skip
    assert (found.measured, found.stands["comsa"].reason) == (1, "built so: why")
    naud = found.stands["naud"]
    assert [f.effect for f in naud.findings] == [0.4, 0.5] and len(naud.apart) == 1
    said = sentences.by_level([found], TALKS)
    assert "yes in 1 of 1 talks</strong>. Not counted: " in said
    assert f"built so in 2 ({NAMES['goeltz']}: yes, {NAMES['comsa']}: no)." in said
    assert "<small>built so</small>" in talks_by_axis.table([found], TALKS)
    assert answer(*rows).measured == 3


def test_what_is_declared_to_be_no_evidence_is_in_the_recorded_table():
    """A place that no row has would set nothing apart."""
    kept = reference.table(ROOT / "results/reference/axes.csv", columns.AXES)
    for entry in CONFIG["answers"]:
        own = kept[(kept["axis"] == entry["axis"]) & kept["measure"].isin(entry["counts"])]
        places = own[["talk", "experiment", "perturbation", "locus"]].agg("/".join, axis=1) + "/"
        for place in entry.get("apart", ()):
            assert places.str.startswith(f"{place}/").any(), place


def claim(name, axis="timing"):
    place = {"experiment": "mnist", "variant": "spiking"}
    return Claim.model_construct(
        id=f"goeltz.mnist.{name}", says="It says so.", metric="accuracy", where=place, axis=axis
    )


def test_claims_count_where_they_name_the_axis():
    claims = {c.id: c for c in (claim("a"), claim("b"), claim("c", axis=None))}
    verdicts = pd.DataFrame(
        [
            {
                "claim": f"goeltz.mnist.{name}", "talk": "goeltz", "verdict": verdict,
                "label": verdict, "says": "It says so.", "value": 0.5, "low": 0.4, "high": 0.6,
                "unit": "fraction",
            }
            for name, verdict in (
                ("a", "replicated"), ("b", "replicated, within noise"), ("c", "not replicated"),
            )
        ]
    )  # fmt: skip
    found = answer(verdicts=verdicts, claims=claims, counts=["claims"])
    sides = {f.experiment: f.side for stand in found.stands.values() for f in stand.findings}
    assert sides == {"goeltz.mnist.a": "yes", "goeltz.mnist.b": "unclear"}
    assert found.word == YES


# in words


def test_timing_is_told_apart_by_who_put_the_times_there():
    talks = {name: registry.load_talk(name) for name in ("goeltz", "bohte", "clopath", "comsa")}
    found = {
        name: answers.Stand(name, word, tuple(findings))
        for name, word, findings in (
            ("goeltz", YES, [finding(experiment="yinyang")]),
            # Trains and latencies: the trains count.
            ("bohte", PART, [
                finding(experiment="shared_randman", talk="bohte"),
                finding(experiment="spoken", talk="bohte"),
                finding("no", experiment="shared_match_100", talk="bohte"),
            ]),
            ("clopath", YES, [finding(experiment="episode", talk="clopath")]),
            ("comsa", NO, [finding("no", experiment="regimes", talk="comsa")]),
        )
    }  # fmt: skip
    timed = dataclasses.replace(answer(), stands=found)
    assert sentences.inputs(timed, talks) == {
        "trains": ["bohte"], "none": ["clopath"], "constructed": ["goeltz"],
    }  # fmt: skip
    names = ("given as times in 1 of these (Goeltz)", "or drawn in 1 (Bohte)")
    said = sentences.by_level([timed], talks)
    assert all(name in said for name in names), said
    # A single seed, or a train that speaks against spikes, moves no talk.
    alone = [finding(experiment="yinyang", talk="bohte"), one_seed("yes", experiment="ecg")]
    found["bohte"] = answers.Stand(
        "bohte", YES, (finding(experiment="smnist", talk="bohte"), alone[1])
    )
    moved = dataclasses.replace(timed, stands=found)
    assert sentences.inputs(moved, talks)["constructed"] == ["goeltz", "bohte"]
    priced = sentences.inputs(dataclasses.replace(timed, axis="latency"), talks)
    assert not any(priced.values())


def test_the_summary_keeps_the_levels_apart():
    used = answer(finding("yes"))
    helps = dataclasses.replace(used, axis="latency", level="advantage", states="it is early")
    said = sentences.by_level([used, helps], TALKS)
    good, mechanism = (said.index(sentences.LEVELS[level]) for level in ("advantage", "mechanism"))
    assert good < said.index("It is early") < mechanism < said.index("Times tell more")
    assert sentences.LEVELS["advantage"] not in sentences.by_level([used], TALKS)


# matrix and forest


def test_matrix_has_a_word_for_every_talk_and_a_reason_for_every_gap():
    found = answer(finding("yes"), finding("no", talk="comsa"))
    shown = talks_by_axis.table([found], TALKS)
    assert shown.count("<tr>") == 1 + len(TALKS) + 1  # heads, talks, all together
    for word in (YES, NO, NONE):
        assert html.macros("macros").chip(*sentences.LOOK[word], word) in shown
    assert "T1 0.50 [0.40, 0.60]" in shown
    bound = answer(finding("yes", effect=1.0, low=1.0, high=1.0))
    assert "<small>T1 1</small>" in talks_by_axis.table([bound], TALKS)
    assert found.stands["naud"].reason.replace("'", "&#x27;") in shown
    assert shown.count('scope="row"') == len(TALKS) + 1


def test_a_control_of_another_size_counts_for_nothing_and_the_cell_says_why():
    apart = dataclasses.replace(finding("no", locus="mlp"), size=13_288.0)
    close = dataclasses.replace(finding("yes", talk="comsa", locus="mlp"), size=4.0)
    found = answer(apart, close)
    stand = found.stands["goeltz"]
    reason = "no matched control: 13,300 times the synapses of ReLU network"
    assert (stand.word, stand.reason) == (NONE, reason)
    assert found.talks(YES) == ["comsa"]
    assert "<small>no matched control</small>" in talks_by_axis.table([found], TALKS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"counts": ["L4"]}, ["answers.0.counts", "'L4'"]),  # of another axis
        ({"counts": ["T3"]}, ["answers.0.counts", "'T3'"]),  # has no null
        ({"axis": "latency", "counts": ["L4"]}, ["axis", "latency"]),  # answered twice
    ],
)
def test_an_answer_that_cannot_be_counted_is_refused(changes, words):
    first = {**CONFIG["answers"][0], "counts": ["T1"], **changes}
    config = {**CONFIG, "answers": [first, *CONFIG["answers"][1:]]}
    strict_yaml.parsed(Config, CONFIG, "config")
    with pytest.raises(UserError) as refused:
        strict_yaml.parsed(Config, config, "config")
    assert [word for word in words if word not in str(refused.value)] == []
