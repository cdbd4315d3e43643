"""Choosing settings: all of a grid, the better ones again, on validation data, by one rule."""

import json
import re
from pathlib import Path

import pytest

from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.errors import UserError
from whyspiking.recording import tune
from whyspiking.records import columns, tables
from whyspiking.talks import replication_of
from whyspiking.training.history import NotFiniteError

ROOT = Path(__file__).parents[2]
CONFIG = {**read(folder=ROOT / "config"), "scale": "smoke"}
PLACE = "shared_yinyang/spiking"


def row(setting, accuracy, **places):
    kept = {"experiment": "one", "variant": "spiking", "n_hidden": 30, "seed": tune.SEED}
    numbers = {"presentations": 100, "accuracy": accuracy, "cpu_seconds": 1.0}
    return {**kept, **numbers, "setting": json.dumps(setting), **places}


def test_a_grid_is_walked_with_the_last_parameter_fastest():
    grid = {"rate": [0.1, 0.2], "batch": [1, 2]}
    assert list(tune.settings(grid)) == [
        {"rate": 0.1, "batch": 1},
        {"rate": 0.1, "batch": 2},
        {"rate": 0.2, "batch": 1},
        {"rate": 0.2, "batch": 2},
    ]


def test_the_best_is_chosen_of_equals_the_first_and_never_another_size():
    table = columns.TUNING.table(
        [
            row({"rate": 0.1}, 0.6),
            row({"rate": 0.2}, 0.8),
            row({"rate": 0.3}, 0.8),
            row({}, 0.9, n_hidden=120),
            row({"rate": 0.1}, 0.99, variant="mlp"),
        ]
    )
    assert tune.chosen(table, "one", "spiking") == {"rate": 0.2}


def test_new_rows_replace_those_of_the_same_variant_and_size_only(tmp_path):
    path = tmp_path / tune.FILE
    old = [
        row({"rate": 0.1}, 0.6),
        row({}, 0.9, n_hidden=120),
        row({"rate": 0.1}, 0.7, variant="mlp"),
    ]
    tune.write(columns.TUNING.table(old), path)
    tune.write(columns.TUNING.table([row({"rate": 0.5}, 0.65)]), path)
    found = tables.read(path, columns.TUNING)
    told = set(zip(found["variant"], found["n_hidden"], found["accuracy"], strict=True))
    assert told == {("spiking", 30, 0.65), ("spiking", 120, 0.9), ("mlp", 30, 0.7)}
    assert not list(tmp_path.glob(".*")), "git keeps it: no seal"


def test_a_setting_that_fails_now_and_then_is_not_chosen_for_its_luck():
    lucky, steady = {"rate": 0.1}, {"rate": 0.2}
    scores = {0.1: [1.0, 1.0, 0.5, 0.5, 1.0], 0.2: [0.9, 0.95, 0.92, 0.91, 0.5]}
    rows = [
        row(setting, score, seed=tune.SEED + k)
        for setting in (lucky, steady)
        for k, score in enumerate(scores[setting["rate"]])
    ]
    early = columns.TUNING.table([r for r in rows if r["seed"] == tune.SEED])
    assert tune.chosen(early, "one", "spiking") == lucky
    assert tune.chosen(columns.TUNING.table(rows), "one", "spiking") == steady
    # More networks come first: what went out after one round does not come back.
    out = row({"rate": 0.3}, 1.0)
    assert tune.chosen(columns.TUNING.table([*rows, out]), "one", "spiking") == steady


def test_every_setting_is_trained_once_the_better_ones_again_and_no_test_data_is_made(monkeypatch):
    asked = []
    talk = registry.load_talk("goeltz")

    class Watched(type(replication_of("goeltz", "shared_yinyang"))):
        def __init__(self, *names):
            super().__init__(*names)
            own = self.make_task
            self.make_task = lambda p, split, s: asked.append((split, p.seed)) or own(p, split, s)

    monkeypatch.setattr(tune, "replication_of", Watched)
    table = tune.tune(talk, CONFIG, [PLACE])
    grid = talk.experiments["shared_yinyang"].tuned["spiking"]
    once = table[table["seed"] == tune.SEED]["setting"]
    assert [json.loads(text) for text in once] == list(tune.settings(grid))
    assert set(asked) == {("validation", tune.SEED + k) for k in range(5)}
    assert len(table) == tune.trainings(len(once)) == 8 + 4 * 2 + 2 * 2
    networks = table.groupby("setting").size().sort_values().tolist()
    assert networks == [1, 1, 1, 1, 3, 3, 5, 5], "the better half is left after every round"
    assert table["accuracy"].between(0.3, 1).all()
    assert table["accuracy"].nunique() > 1, "settings matter"


def test_a_name_without_settings_is_refused():
    with pytest.raises(
        UserError, match=r"nothing to tune in \['yinyang'\].*shared_randman/spiking"
    ):
        tune.tune(registry.load_talk("goeltz"), CONFIG, ["yinyang"])
    with pytest.raises(UserError, match="--hidden is -1; expected 1 or more"):
        tune.tune(registry.load_talk("goeltz"), CONFIG, [], hidden=-1)


def test_another_size_is_trained_with_the_settings_of_talk_yaml():
    table = tune.tune(registry.load_talk("goeltz"), CONFIG, [PLACE], hidden=7)
    assert table[["setting", "n_hidden"]].to_numpy().tolist() == [["{}", 7]]


def test_what_starts_from_another_network_cannot_be_tuned():
    talk = registry.load_talk("goeltz")
    experiment = talk.experiments["substrates"]
    with pytest.raises(UserError, match="starts from"):
        tune._tried(experiment, "adapted", {}, CONFIG, None)


def test_how_long_it_takes_is_told_before_the_first_training(monkeypatch, capsys):
    def tried(*given):
        raise InterruptedError

    monkeypatch.setattr(tune, "_tried", tried)
    with pytest.raises(InterruptedError):
        tune.tune(registry.load_talk("goeltz"), CONFIG, ["shared_randman"])
    assert re.match(
        r"tune: 20 trainings, one after the other: about \d+ s of", capsys.readouterr().out
    )


def test_the_time_of_a_new_talk_is_that_of_others_on_its_task(monkeypatch):
    talk = registry.load_talk("goeltz")
    own = [row({}, 0.9, experiment="shared_yinyang", cpu_seconds=seconds) for seconds in (1, 3, 8)]
    monkeypatch.setattr(tune, "tuned", lambda name: name == "goeltz")
    monkeypatch.setattr(tune, "load", lambda _: columns.TUNING.table(own))
    asked = talk.experiments["shared_yinyang"].model_copy()
    asked._talk = "new"
    assert "20 trainings" in (told := tune.estimate([(asked, "any")] * 20))
    assert "about 60 s" in told and "(20 s to 3 min)" in told
    asked = talk.experiments["shared_randman"].model_copy()
    assert "not known" in tune.estimate([(asked, "any")])


EDGES = {
    "no better than a guess": ("spiking", [0.30, 0.34, 0.37], ""),
    "hardly an error": ("spiking", [0.95, 0.98, 0.995], ""),
    # variant, the best of three rates -> what is said
    "lowest": ("spiking", [0.8, 0.7, 0.6], "is 0.1, at the edge"),
    "highest": ("spiking", [0.6, 0.7, 0.8], "is 0.3, at the edge"),
    "inside": ("spiking", [0.6, 0.7, 0.6], ""),
    "the middle is as good": ("spiking", [1.0, 1.0, 0.9], ""),
    "four were tried": ("spiking", [0.9, 0.8, 0.7, 0.6], ""),
}


@pytest.mark.parametrize("kind", EDGES)
def test_a_grid_whose_best_is_at_its_edge_is_told(kind):
    variant, scores, says = EDGES[kind]
    rates = [round(0.1 * (k + 1), 1) for k in range(len(scores))]
    experiment = registry.load_talk("goeltz").experiments["shared_yinyang"]
    grid = {variant: {"rate": rates, "batch": [1, 2]}}
    own = experiment.model_copy(
        update={"shared": experiment.shared.model_copy(update={"tuned": grid})}
    )
    table = columns.TUNING.table(
        row({"rate": rate, "batch": batch}, score - 0.1 * (batch == 1),
            experiment="shared_yinyang", variant=variant)
        for rate, score in zip(rates, scores, strict=True) for batch in (1, 2)
    )  # fmt: skip
    told = tune.at_edge(table, own, variant)
    assert says in told and bool(says) == bool(told)


def test_a_setting_with_which_training_fails_is_always_wrong(monkeypatch):
    def fails(*_):
        raise NotFiniteError("not finite")

    monkeypatch.setattr(tune.train, "network_of", fails)
    experiment = registry.load_talk("goeltz").experiments["shared_yinyang"]
    assert tune._tried(experiment, "spiking", {}, CONFIG, None)["accuracy"] == 0.0


def test_a_missing_table_names_the_command_that_writes_it(tmp_path, monkeypatch):
    talk = registry.load_talk("goeltz")
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"tuning.csv: is not there.*recording tune goeltz`"):
        tune.load(talk)


OWN = """\
experiments:
  one:  # a comment
    parameters: &shared
      rate: {value: 0.1, unit: 1/s, source: "ours"}  # another
      gain: {value: 1.0, source: "ours"}
    scaled: {full: {size: {value: 3, why: "cost"}}}
    variants:
      mlp: {settings: {rate: {value: 0.5, why: "its own"}}}
  two:
    parameters:
      <<: *shared
      gain: {value: 2.0, source: "ours"}
"""
PUT = {
    # experiment, variant, best -> what is said, old and new text
    "as it is": (("two", "spiking", {"rate": 0.1, "gain": 2.0}), "has it", "", ""),
    "in its line": (
        ("two", "spiking", {"gain": 1e-5}), "has it now", "gain: {value: 2.0,",
        "gain: {value: 1.0e-05,",
    ),
    "below what is shared": (
        ("two", "spiking", {"rate": 0.3}), "has it now", "<<: *shared\n",
        "<<: *shared\n      rate: {value: 0.3, unit: 1/s, source: ours}\n",
    ),
    "of the variant": (
        ("one", "mlp", {"rate": 0.7}), "has it now", "{rate: {value: 0.5,", "{rate: {value: 0.7,"
    ),
    "of the scale": (("one", "x", {"size": 9}), "has it now", "{value: 3,", "{value: 9,"),
    "what nobody else takes": (("one", "x", {"gain": 9.0}), "has it now", "1.0,", "9.0,"),
    "what others take too": (("one", "x", {"rate": 9.0}), "with others: write it", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", PUT)
def test_the_best_setting_is_printed_and_written_where_its_values_stand(kind, tmp_path):
    (experiment, variant, best), says, old, new = PUT[kind]
    path = tmp_path / "talk.yaml"
    path.write_text(OWN)
    told = tune.put(path, experiment, variant, best)
    assert says in told
    assert f"{experiment}/{variant}: the best is {json.dumps(best)}" in told
    assert path.read_text() == (OWN.replace(old, new) if old else OWN)
