"""When to use spikes, and what would decide the rest: tables that follow the frontiers."""

from dataclasses import replace

import numpy as np
import pytest
from made.frontier_points import UP, family, points, rule
from made.project import config
from scipy import special

from whyspiking.declared import registry
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns
from whyspiking.records.reference import FOLDER
from whyspiking.report import first_screen, when
from whyspiking.verdicts import advantage, frontiers, programme
from whyspiking_maintain import readme

TITLES = {"span": "Span recall: which?", "sound": "Sound: where?", "yinyang": "Yin-Yang: a check"}
OPEN_BY = (0.5, 1.0, 1.9)


def compare(*rows):
    table = points(*rows)
    tables = [module.table(table, config()["energy"]) for module in (frontiers, advantage)]
    return first_screen.Comparisons(*tables, TITLES)


def three():
    """Spikes dearer on one task, cheaper by events on the next, open on the last."""
    yield from (family(name, task="span", times=x) for name, x in (("lif", 2), ("gru", 1)))
    yield from [
        family("lif", task="sound", clock=90.0),
        family("leaky_units", task="sound", times=3.0),
    ]
    yield from [family("lif", task="yinyang", times=OPEN_BY), family("relu", task="yinyang")]
    yield family("leaky_units", [(1, 0.6)], task="yinyang")


def timed(**seconds):
    """Rows of durations.csv for trainings on Yin-Yang."""
    own = {"scale": "full", "rule": "train", "experiment": "yinyang_trained", "n_jobs": 5}
    return columns.DURATIONS.table(
        [own | {"variant": name, "cpu_seconds": x} for name, x in seconds.items()]
    )


def test_every_task_with_references_has_its_row():
    talks = [registry.load_talk(name) for name in registry.with_protocol(registry.available())]
    asked = [x for talk in talks for x in talk.experiments if f"{x}_trained" in talk.experiments]
    first = [first_screen.titles()[name].split()[0].rstrip(":") for name in asked]
    assert sorted(first) == sorted(task.title.split()[0] for task in shared_tasks().values())


def test_a_row_has_the_ratio_its_interval_and_the_verdicts():
    span, sound, yinyang = when.table(compare(*three()))
    assert span[:3] == ("events; an earlier one must be kept", "Span", "100 / 100")
    assert span[3:] == ("2.0 [2.0, 2.0]", "2.0, 2.0", "GRUs", "more energy (4)", "1.00")
    assert sound[6] == "less energy (2), more energy (2)"
    assert yinyang[0] == "one number per input" and yinyang[5] == "ReLU networks"
    assert yinyang[6] == "inconclusive (4)"
    logs = np.log(OPEN_BY)
    half = special.stdtrit(2, 0.975) * logs.std(ddof=1) / np.sqrt(3)
    low, high = np.exp(logs.mean() - half), np.exp(logs.mean() + half)
    assert yinyang[3] == f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.1f}]"
    assert yinyang[7] == f"{np.exp(half):.2f}", "a ratio closer to 1 is not distinguished from it"


def test_a_row_without_a_ratio_says_why():
    better = rule("Own", [(0.5, 0.95)] * 3, task="span")
    row = when.table(compare(*three(), better))[0]
    assert (row[3], row[4], row[6]) == ("not assessed", "–", "not assessed (4)")
    too_low = family("lif", [(1, 0.6)], task="sound")
    (row,) = when.table(compare(too_low, family("leaky_units", task="sound")))
    assert row[3:] == ("accuracy not reached", "–", "–", "accuracy not reached (4)", "–")


def test_the_range_is_over_the_other_cost_models_that_are_assessed():
    """The method is better where units are updated by events only."""
    better = rule("Own", [(0.5, 0.95)] * 3, task="span", clock=200.0)
    networks = family("lif", task="span", times=2.0), family("gru", task="span")
    (row,) = when.table(compare(*networks, better))
    assert (row[3], row[4]) == ("not assessed", "2.0, 2.0")
    assert row[6] == "not assessed (2), more energy (2)"


def test_readme_has_the_rows_of_the_reference_results():
    text = readme.README.read_text(encoding="utf-8")
    assert when.markdown(first_screen.recorded(FOLDER)) in text
    assert when.markdown(None).startswith("| No reference networks are recorded yet | – |")


# ---- a programme ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "spread", "fewer"),
    [(0.5, 0.4, 0.7), (0.0, 0.2, 0.7), (0.03, 0.1, 0.7), (0.1, 0.3, 0.35), (-1.0, 0.8, 0.7)],
)
def test_so_many_seeds_decide_four_times_in_five_and_fewer_do_not(mean, spread, fewer):
    draw, needed = np.random.default_rng(1), programme.needed(mean, spread)

    def decided(n):
        logs = draw.normal(mean, spread, (4000, n))
        half = special.stdtrit(n - 1, 0.975) * logs.std(axis=1, ddof=1) / np.sqrt(n)
        ends = np.exp([logs.mean(axis=1) - half, logs.mean(axis=1) + half])
        return np.mean([advantage.word(*x) != advantage.INCONCLUSIVE for x in ends.T])

    assert decided(needed) > 0.78 > decided(max(2, int(fewer * needed)))


def test_what_is_open_and_reached_is_proposed_with_its_networks_and_minutes():
    found = compare(*three())
    (one,) = programme.table(found.advantage, found.networks, timed(lif=30.0, relu=60.0))
    logs = np.log(OPEN_BY)
    assert (one["task"], one["compared_with"], one["accounts"]) == ("yinyang", "relu", MAIN)
    assert (one["ratio"], one["spread"]) == pytest.approx((np.exp(logs.mean()), logs.std(ddof=1)))
    assert one["n_seeds"] == programme.needed(logs.mean(), logs.std(ddof=1)) > one["seen"] == 3
    assert (one["networks"], one["minutes"]) == (
        one["n_seeds"] * 2 * len(UP),
        pytest.approx(one["n_seeds"] * 1.5),
    )
    (one,) = programme.table(found.advantage, found.networks, timed(lif=30.0))
    assert np.isnan(one["minutes"])
    said = str(first_screen.programme(found, timed(lif=30.0)))
    assert "Yin-Yang" in said and f">{one['n_seeds']}<" in said and "not timed" in said
    decided = compare(family("lif", task="span"), family("leaky_units", [(1, 0.6)], task="span"))
    assert not first_screen.programme(decided, timed()).strip(), "nothing is open, or not reached"


def test_at_most_five_are_proposed_the_cheapest_first():
    spreads = {f"t{k}": (1 / (1.2 + k), 1.0, 1.2 + k) for k in (5, 1, 3, 0, 2, 4)}
    rows = [family("lif", task=name, times=x) for name, x in spreads.items()]
    found = compare(*rows, *(family("leaky_units", task=name) for name in spreads))
    own = programme.table(found.advantage, found.networks, timed())
    assert [x["task"] for x in own] == ["t0", "t1", "t2", "t3", "t4"]
    page = first_screen.programme(replace(found, titles={x: x for x in spreads}), timed())
    assert page.count("<tr><td>") == 5
