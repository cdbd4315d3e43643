"""The ground: floors in a table, what is shown of a task, what must be tuned."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from made.frontier_points import family, points
from made.markup import plain

from whyspiking.declared import registry, tuning_file
from whyspiking.declared.config import read
from whyspiking.errors import UserError
from whyspiking.records.metrics_columns import METRICS
from whyspiking.report import tasks_section
from whyspiking.talks.ground.protocol import FILE, protocol
from whyspiking.verdicts import advantage, floors, literature

TALK = registry.load_talk("ground")
CONFIG = read(folder=FILE.parents[4] / "config")


def measured(shares=(), seeds=(900, 901, 902)) -> pd.DataFrame:
    """Rows of the floors of span recall: all near guessing, but the reference and some others."""
    given = dict.fromkeys(protocol().baselines, 0.25) | {"reference": 1.0} | dict(shares)
    place = {"talk": "ground", "experiment": "span_recall", "variant": "floors", "engine": "numpy"}
    place |= {
        "location": "",
        "strength": 0.0,
        "scale": "full",
        "unit": "fraction",
        "n_trials": 2000,
    }
    return METRICS.table(
        place | {"perturbation": name, "metric": "accuracy", "seed": seed, "value": share}
        for (name, share), seed in itertools.product(given.items(), seeds)
    )


def built(**values) -> pd.DataFrame:
    """Rows of a network of numbers that was built for span recall."""
    rows = measured(seeds=[900])[:1].assign(variant="leaky", perturbation="none")
    return pd.concat([rows.assign(metric=name, value=value) for name, value in values.items()])


def test_a_floor_is_at_chance_tells_a_part_or_decides():
    shares = {"counts_linear": 0.279, "counts_relu": 0.97, "ranks_relu": 0.5, "last_relu": 0.281}
    found = floors.table(measured(shares)).set_index("baseline")
    assert found["outcome"].drop_duplicates().to_list() == [
        floors.AT_CHANCE, floors.DECIDES, floors.PART, floors.REFERENCE,
    ]  # fmt: skip
    assert found.loc["counts_linear", "outcome"] == floors.AT_CHANCE
    assert found.loc["last_relu", "outcome"] == floors.PART
    own = found.loc["counts_relu"]
    assert own["must_fail"] and own["n_seeds"] == 3 and own["ci_low"] < 0.97 < own["ci_high"] < 1
    assert not found.loc["trace_relu", "must_fail"] and set(found["chance"]) == {0.25}
    less = floors.table(measured(shares | {"counts_relu": 0.96}))  # 0.71 of 0.75, 0.95 decide
    assert floors.DECIDES not in set(less["outcome"])
    assert floors.table(measured()[:0]).empty


def test_a_task_is_shown_with_what_was_built():
    leaky = built(accuracy=0.999, n_parameters=64, n_messages=2.28, updates_clock_driven=8 * 136)
    shown = plain(tasks_section.built(TALK, leaky)["span_recall"])
    says = TALK.experiments["span_recall"].variants["leaky"].description
    assert f"{says} 8 units, 2.28 messages 99.90 %" in shown
    volley = tasks_section.built(TALK, measured()[:0])["volley_recall"]
    assert "No hand-designed network is known" in volley and "table" not in volley


def test_floors_of_all_tasks_stand_in_one_matrix():
    volley = measured({"last_relu": 0.4}).assign(experiment="volley_recall")
    shares = {"counts_linear": 0.26, "traces_relu": 0.97, "trace_relu": 0.5}
    told = floors.table(pd.concat([measured(shares), volley]))
    shown = tasks_section.matrix(told, {"volley_recall": "Volley: a", "span_recall": "Span: b"})
    head, *rows = (x for x in re.findall(r"<tr>(.*?)</tr>", shown, re.DOTALL))
    assert plain(head) == "Input Volley Span" and len(rows) == len(protocol().baselines)
    cells = {floor: re.findall(r'<span class="([^"]*)">(\d+)', row)
             for floor, row in zip(protocol().baselines, rows, strict=True)}  # fmt: skip
    assert cells["counts_linear"] == [("at-chance vetoed", "25"), ("at-chance vetoed", "26")]
    assert cells["last_relu"] == [("above-chance vetoed", "40"), ("at-chance vetoed", "25")]
    assert cells["traces_relu"][1] == ("solves", "97")
    assert cells["reference"] == [("reference", "100")] * 2
    vetoed = sum(told["must_fail"])
    assert f"{vetoed - 1} of {vetoed} underlined means are." in plain(shown)
    assert not tasks_section.matrix(told[:0], {})


def tuned(folder, drop=0, accuracy=None) -> None:
    """Tables of all networks of the last grids, but for some; the first ends as told."""
    (folder / "tuning").mkdir()
    for task in protocol().training:
        rows = [
            (name, json.dumps(setting, sort_keys=True), seed, 8, 0.5, 1.0)
            for name, own in protocol().families.items()
            if task in own
            for setting, seed in itertools.product(own[task].settings(), protocol().tuning_seeds)
        ]
        names = ["family", "setting", "seed", "n_hidden", "accuracy", "cpu_seconds"]
        table = pd.DataFrame(rows, columns=pd.Index(names))
        kept = table[: len(table) - drop * (task == "span_recall")]
        if task == "span_recall" and accuracy is not None:
            kept.loc[kept.index[-1], "accuracy"] = accuracy
        kept.to_csv(folder / f"tuning/{task}.csv", index=False)


@pytest.mark.parametrize(
    ("drop", "change", "says"),
    [
        (1, None, r"'families.gru.span_recall.grids' asks for 40 networks, and tuning/span_re\S+ "
        r"lacks 1 of them; .* Run `python -m whyspiking.recording tune \S+ span_recall/gru`"),
        (0, {"rate": 9.0}, r"'chosen_settings.sound.lif' is .'rate': 9.0.; expected .*'rate'"),
        (0, {}, r"'chosen_settings.sound.lif' is None; expected .* Write .* `python -m \S+ tune"),
        (0, "second", r"'chosen_settings.sound.lif' .*highest lower quartile in tuning/sound.csv"),
        (0, "first", None),
    ],
)  # fmt: skip
def test_a_family_without_its_tuning_is_refused(tmp_path, drop, change, says):
    given = yaml.safe_load(FILE.read_text())
    for name, own in protocol().families.items():
        for task in own:  # whatever is chosen at present
            given["chosen_settings"][task][name] = json.loads(
                json.dumps(next(own[task].settings()))
            )
    if change == "second":
        second = list(protocol().families["lif"]["sound"].settings())[1]
        change = json.loads(json.dumps(second))
    if isinstance(change, dict):
        del given["chosen_settings"]["sound"]["lif"]
        given["chosen_settings"]["sound"] |= {"lif": change} if change else {}
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(given))
    tuned(tmp_path, drop)
    if says is None:
        tuning_file.check_protocol(path)
        return
    with pytest.raises(UserError, match=says):
        tuning_file.check_protocol(path)


@pytest.mark.parametrize("accuracy", [float("nan"), 7.3, -0.1])
def test_a_table_of_tuning_with_an_impossible_accuracy_is_refused(tmp_path, accuracy):
    (tmp_path / "protocol.yaml").write_text(FILE.read_text())
    tuned(tmp_path, accuracy=accuracy)
    with pytest.raises(UserError, match=r"span_recall.csv: line \d+: 'accuracy' is .*0 to 1"):
        tuning_file.check_protocol(tmp_path / "protocol.yaml")


@pytest.mark.parametrize(
    ("messages", "position"),
    [(0.02, "below"), (0.06, "inconclusive"), (0.2, "above"), (None, None)],
)
def test_spikes_a_neuron_and_step_of_the_networks_compared(messages, position):
    """Networks of span recall, 136 steps; the one that reaches the level has four units."""
    energy, rows = CONFIG["energy"], []
    for name, times in (("lif", 1.0), ("leaky_units", 1.3)):
        rows.append(
            family(name, times=[times, times * 1.01, times], task="span_recall", chance=0.5)
        )
    table = points(*rows)
    table["n_hidden"] = table["test_accuracy"].map({0.75: 1, 0.9: 2, 1.0: 4})
    share = np.where(table["n_hidden"] == 4, messages or 0.1, 0.9)
    table["n_messages"] = table["n_hidden"] * 136 * share
    table = table if messages else table[table["family"] == "lif"]
    read = advantage.table(table, energy)
    found = literature.table(table, read, measured(), energy)
    if messages is None:
        assert found.empty, "no leaky units, no level"
        return
    (row,) = found.to_dict("records")
    assert row["value"] == pytest.approx(messages) and row["position"] == position
    assert (row["n_steps"], row["n_seeds"], row["published_high"]) == (136, 3, 0.064)
    unsound = literature.table(table, read.assign(verdict="not assessed"), measured(), energy)
    assert set(unsound["position"]) == {"not assessed"}
