"""The ground's reference networks: what the protocol asks for, and what was tried."""

import importlib
import json

import pandas as pd
import pytest
import yaml

from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.talks.ground import references
from whyspiking.talks.ground.protocol import FILE, protocol
from whyspiking.verdicts import advantage

PLACES = [(f, t) for f, own in protocol().families.items() for t in own.tasks]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda f: f["twin"]["tasks"]["sound"]["grids"][0].pop(),
            r"'families.twin.tasks.sound.grids' has 6 settings in grid 1; expected 8",
        ),
        (
            lambda f: f["lif"]["tasks"]["sound"].update(recorded=[1, 2]),
            r"'families.lif.tasks.sound.recorded' has \(1, 2\), not 8; expected 'tuned_at' too",
        ),
        (
            lambda f: f["relu"]["tasks"].update(sounds=f["relu"]["tasks"].pop("randman")),
            r"'families.relu.tasks.sounds' is no task of 'training'; expected some of randman",
        ),
    ],
)
def test_families_that_are_not_equal_or_not_known_are_refused(tmp_path, change, says):
    # Dumped and read again, so that no block is shared by two places.
    given = json.loads(json.dumps(yaml.safe_load(FILE.read_text())))
    change(given["families"])
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(given))
    with pytest.raises(UserError, match=says):
        protocol(path)


def test_rules_of_reading_are_those_of_the_code():
    for rule in protocol().reading.values():
        module, name = rule.place.split(":")
        found = getattr(importlib.import_module(f"whyspiking.{module}"), name)
        if rule.value is not None:
            assert rule.value == (list(found) if isinstance(found, tuple) else found)
    assert advantage.word(0.85, 0.95) == advantage.NO_DIFFERENCE, "'order'"


def planted(task: str, family: str, scores: list[list[float]]) -> pd.DataFrame:
    """Rows of the settings of a grid, (setting, seed)."""
    said = protocol()
    settings = said.families[family].tasks[task].settings()
    return pd.DataFrame(
        {"task": task, "family": family, "grid": 1, "setting": references._json(setting),
         "seed": seed, "units": 16, "accuracy": score, "cpu_seconds": 1.0}
        for setting, own in zip(settings, scores, strict=True)
        for seed, score in zip(said.tuning_seeds, own, strict=True)
    )  # fmt: skip


def test_chosen_is_the_highest_lower_quartile_and_only_of_whole_grids(tmp_path):
    scores = [[0.5] * 5] * 6 + [[1.0, 1.0, 1.0, 0.4, 0.4], [0.3, 0.6, 0.6, 0.6, 0.6]]
    table, path = planted("sound", "lif", scores), tmp_path / "sound.csv"
    table.to_csv(path, index=False)
    settings = list(protocol().families["lif"].tasks["sound"].settings())
    assert references.chosen("sound", "lif", tmp_path) == settings[7]
    table[:-1].to_csv(path, index=False)
    with pytest.raises(UserError, match=r"lif has 4 networks with .*tune ground sound/lif"):
        references.chosen("sound", "lif", tmp_path)


def test_what_was_tried_is_whole_grids():
    for family, task in PLACES:
        rows = references.tried(task)
        rows = rows[rows["family"] == family]
        tuned = protocol().families[family].tasks[task]
        for grid in sorted(set(rows["grid"])):
            own = rows[rows["grid"] <= grid]
            for setting in map(references._json, tuned.settings(grid - 1)):
                seeds = own["seed"][own["setting"] == setting]
                assert sorted(seeds) == list(protocol().tuning_seeds), (task, family, setting)
        assert set(rows["units"]) <= {tuned.tuned_at}


def test_what_is_there_is_not_trained_again(tmp_path, monkeypatch, capsys):
    """All but one network are there; it alone is trained, on data of its seed, and the row fits."""
    table = planted("yinyang", "relu", [[0.5] * 5] * 8)
    said = protocol()
    short = said.training["yinyang"].model_copy(update={"shown": 2})
    cut = said.model_copy(update={"training": {**said.training, "yinyang": short}})
    monkeypatch.setattr(references, "protocol", lambda: cut)
    table[:-1].to_csv(tmp_path / "yinyang.csv", index=False)
    config = yaml.safe_load((FILE.parents[4] / "config" / "config.yaml").read_text())
    references.tune(config, ["yinyang/relu"], tmp_path)
    found = references.tried("yinyang", tmp_path)
    assert found.iloc[-1][["seed", "setting"]].equals(table.iloc[-1][["seed", "setting"]])
    assert len(found) == 40 and found["accuracy"].iloc[-1] > 0.5
    told, last = capsys.readouterr().out.splitlines()
    assert told.startswith("1 of 1, 0 min left: yinyang/relu") and "relu: chosen {" in last
    with pytest.raises(UserError, match=r"ground has no yinyang/lifs; expected some of randman"):
        references.tune(config, ["yinyang/lifs"], tmp_path)


def test_parts_of_fresh_trials_differ_and_come_back_the_same(monkeypatch):
    said = protocol()
    short = said.training["span_recall"].model_copy(update={"part": 20, "distinct": 40, "shown": 2})
    cut = said.model_copy(update={"training": {**said.training, "span_recall": short}})
    monkeypatch.setattr(references, "protocol", lambda: cut)
    published = registry.load_talk("ground").experiments["span_recall"].published
    params = Params("ground", "span_recall", "full", published, seed=900)
    draws = [references.trials(params) for _ in range(2)]
    (a, told), (b, _), (again, _) = (draws[0](900, part) for part in (0, 1, 2))
    assert a.shape == (20, 136, 30) and told.shape == (20,)
    assert (a != b).any() and (a == again).all() and (a == draws[1](900, 0)[0]).all()
    assert (a.sum(axis=(1, 2)) == 4 * 4 * 5 + 5 + 5).all(), "each spike is there after packing"
