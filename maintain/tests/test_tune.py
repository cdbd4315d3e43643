"""Choosing settings: all of a grid, the better ones again, on validation data, by one rule."""

import json

import pytest
from made.checkouts import ROOT

from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.declared.shared_tasks import settings
from whyspiking.errors import UserError
from whyspiking.records import columns
from whyspiking.talks import load_replication
from whyspiking.training.history import NotFiniteError
from whyspiking_maintain import tune

CONFIG = {**read(folder=ROOT / "config"), "scale": "smoke"}
PLACE = "shared_yinyang/spiking"


def row(setting, accuracy, **places):
    kept = {"experiment": "one", "variant": "spiking", "n_hidden": 30, "seed": tune.SEED}
    numbers = {"presentations": 100, "accuracy": accuracy, "cpu_seconds": 1.0}
    return {**kept, **numbers, "setting": json.dumps(setting), **places}


def test_grids_are_walked_with_the_last_parameter_fastest_and_no_setting_twice():
    grids = [{"rate": [0.1, 0.2], "batch": [1, 2]}, {"rate": [0.2, 0.4], "batch": [2]}]
    assert settings(grids) == [
        {"rate": 0.1, "batch": 1},
        {"rate": 0.1, "batch": 2},
        {"rate": 0.2, "batch": 1},
        {"rate": 0.2, "batch": 2},
        {"rate": 0.4, "batch": 2},
    ]


def test_the_best_is_chosen_of_equals_the_first():
    table = columns.TUNING.table(
        [
            row({"rate": 0.1}, 0.6),
            row({"rate": 0.2}, 0.8),
            row({"rate": 0.3}, 0.8),
            row({"rate": 0.1}, 0.99, variant="mlp"),
        ]
    )
    assert tune.chosen(table, "one", "spiking") == {"rate": 0.2}


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


def test_five_networks_a_setting_none_twice_and_no_test_data(monkeypatch, tmp_path):
    asked = []
    talk = registry.load_talk("goeltz")
    grid = {"spiking": [{"learning_rate": [0.01], "tau_s": [1.0]}]}
    experiment = talk.experiments["shared_yinyang"]
    talk.experiments["shared_yinyang"] = experiment.model_copy(
        update={"shared": experiment.shared.model_copy(update={"tuning_grids": grid})}
    )
    talk._name = "goeltz"
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    (tmp_path / "goeltz").mkdir()

    class Watched(type(load_replication("goeltz", "shared_yinyang"))):
        def __init__(self, *names):
            super().__init__(*names)
            own = self.make_task
            self.make_task = lambda p, split, s: asked.append((split, p.seed)) or own(p, split, s)

    monkeypatch.setattr(tune, "load_replication", Watched)
    tune.tune(talk, CONFIG, [PLACE])
    path = tmp_path / "goeltz" / tune.FILE
    kept = path.read_text().splitlines()
    path.write_text("\n".join(kept[:-1]) + "\n")  # as if it had been stopped
    asked.clear()
    table = tune.tune(talk, CONFIG, [PLACE])
    assert set(asked) == {("validation", tune.SEED + 4)}
    assert sorted(table["seed"]) == list(range(tune.SEED, tune.SEED + tune.NETWORKS))
    assert table["accuracy"].between(0.2, 1).all()


def test_a_name_without_settings_is_refused():
    with pytest.raises(
        UserError, match=r"no settings to tune in \['yinyang'\].*shared_randman/spiking"
    ):
        tune.tune(registry.load_talk("goeltz"), CONFIG, ["yinyang"])


def test_what_starts_from_another_network_cannot_be_tuned():
    talk = registry.load_talk("goeltz")
    experiment = talk.experiments["substrates"]
    with pytest.raises(UserError, match="starts from"):
        tune._tried(experiment, "adapted", {}, CONFIG, tune.SEED)


def test_a_setting_with_which_training_fails_is_always_wrong(monkeypatch):
    def fails(*_):
        raise NotFiniteError("not finite")

    monkeypatch.setattr(tune.train, "network_of", fails)
    experiment = registry.load_talk("goeltz").experiments["shared_yinyang"]
    assert tune._tried(experiment, "spiking", {}, CONFIG, tune.SEED)["accuracy"] == 0.0


def test_a_missing_table_names_the_command_that_writes_it(tmp_path, monkeypatch):
    talk = registry.load_talk("goeltz")
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    with pytest.raises(
        UserError, match=r"tuning.csv: this file does not exist.*recording tune goeltz`"
    ):
        tune.load(talk)
