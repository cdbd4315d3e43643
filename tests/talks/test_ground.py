"""The ground: its protocol, the independences of its tasks, floors, networks that were built."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.errors import UserError
from whyspiking.talks.ground import (
    floors,
    networks,
    references,
    trained,
)
from whyspiking.talks.ground.protocol import FILE, protocol
from whyspiking.tasks import cue_streams, gated_networks, memoryless, task_data
from whyspiking.tasks.sound import generator as two_ears
from whyspiking.tasks.sound import hand_designed as sound
from whyspiking.tasks.span_recall import hand_designed as span
from whyspiking.tasks.span_recall.generator import SETTINGS as SPAN
from whyspiking.tasks.volley_recall import hand_designed as volley
from whyspiking.tasks.volley_recall.generator import SETTINGS as VOLLEY
from whyspiking.training.reference import answering
from whyspiking.verdicts import advantage, judge

ROOT = Path(__file__).parents[2]
TALK = registry.load_talk("ground")
ORDERS = np.array(list(itertools.permutations(range(cue_streams.GROUPS))))


def told(experiment: str, **values) -> Params:
    """Parameters of an experiment as published, but for some."""
    published = TALK.experiments[experiment].published
    return Params("ground", experiment, "full", {**published, **values}, seed=900)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda f: f["tasks"]["span_recall"].pop("baseline_expectations"),
            r"'tasks.span_recall.baseline_expectations' is missing; .* Add it",
        ),
        (
            lambda f: f["tasks"]["sound"]["hand_designed"]["spiking"].update(engine="numpy"),
            r"'tasks.sound.hand_designed.spiking.engine' is 'numpy' for a network with spikes; exp",
        ),
        (
            lambda f: f["tasks"]["sound"]["no_network_known"].clear(),
            r"'tasks.sound.no_network_known' does not mention units; .* Add one",
        ),
        (
            lambda f: f["tasks"]["sound"]["baseline_expectations"]["must_fail"].remove(
                "counts_relu"
            ),
            r"'tasks.sound.baseline_expectations' has counts_linear, last_relu.* once, under "
            "'must_fail' or 'may_exceed_chance'",
        ),
        (
            lambda f: f["families"]["relu"]["randman"]["grids"][0][0]["rate"].pop(),
            r"'families.relu.randman.grids' has 6 settings in grid 1; expected 8 as in",
        ),
        (
            lambda f: f["families"]["lif"]["sound"].update(n_hidden=[1, 2]),
            r"'families.lif.sound.n_hidden' is .*; expected sizes that .* 'n_hidden_tuning'",
        ),
        (
            lambda f: f["families"]["relu"].update(sounds=f["families"]["relu"]["randman"]),
            r"'families.relu.sounds' is not a task; expected one of randman, sound",
        ),
        (
            lambda f: f.update(tuning_seeds=[24, 25]),
            r"'tuning_seeds' has \[24\], which are also in 'seeds'",
        ),
        (
            lambda f: f["samples"]["contrasts"]["samples_twin"].update(compared_with="twins"),
            r"'samples.contrasts.samples_twin' names twins; expected one of gru, leaky_units, lif",
        ),
        (
            lambda f: f["samples"]["cells"]["gru"]["setting_filter"].clear(),
            r"'samples.contrasts.samples_gated' chooses from 6 and 8 settings; expected the",
        ),
        (
            lambda f: f["samples"].update(seeds=[24, 920]),
            r"'samples.seeds' has \[920\], with which settings are chosen",
        ),
    ],
)
def test_a_protocol_that_leaves_something_out_or_is_unfair_is_refused(tmp_path, change, says):
    given = yaml.safe_load(FILE.read_text())
    change(given)
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(given))
    with pytest.raises(UserError, match=says):
        protocol(path)


def test_what_runs_is_what_the_protocol_says():
    said = protocol()
    full = yaml.safe_load((ROOT / "config/full.yaml").read_text())["seeds_of"]
    seeds = {x["experiment"]: x["seeds"] for x in full}
    claims = {c.id: c for c in judge.load(TALK.folder / "claims.yaml", TALK)}
    assert [t for t in TALK.experiments if t in said.tasks] == list(said.tasks)
    assert {x for task in said.tasks for x in seeds[f"ground.{task}"]} == {*said.seeds}
    for task in said.training:
        experiment = TALK.experiments[f"{task}{trained.SUFFIX}"]
        assert seeds[f"ground.{experiment.name}"] == seeds[f"ground.{task}"]
        families = {family for family, own in said.families.items() if task in own}
        assert set(experiment.variants) == families | set(trained.REPLAYED)
        assert set(said.chosen_settings[task]) == families
        of_task = TALK.experiments[task].published
        assert {k: x for k, x in experiment.published.items() if k != "share"} == of_task
    for name, task in said.tasks.items():
        experiment = TALK.experiments[name]
        if name != "yinyang":
            assert experiment.published["n_test"] == said.n_test["value"]
        assert task.chance == pytest.approx(1 / experiment.published["n_output"])
        assert set(experiment.variants) == {"floors", *task.hand_designed}
        spiking = {
            variant for variant, built in task.hand_designed.items() if built.unit_type == "spikes"
        }
        assert {v.name for v in experiment.variants.values() if v.role == "spiking"} == spiking
        assert set(memoryless.floors(told(name), np.random.default_rng(0))) == set(said.baselines)
        if claim := claims.get(f"ground.{name}.possible"):
            assert claim.band("full").low == task.hand_designed[claim.rows["variant"]].min_accuracy
        if claim := claims.get(f"ground.{name}.floors"):
            assert claim.band("full").high == said.margin["value"]


@pytest.mark.parametrize("settings", [SPAN, VOLLEY])
def test_the_class_is_independent_of_the_order_of_the_slot_and_of_every_count(settings):
    slots = np.arange(cue_streams.GROUPS, settings.slots)
    for seed in range(20):
        order = cue_streams.orders(np.random.default_rng(seed), 1, settings.blocks)
        classes = cue_streams.class_of(np.repeat(order, slots.size, axis=0), slots)
        assert (np.bincount(classes) == settings.blocks - 1).all()
    for slot in slots:
        classes = cue_streams.class_of(np.tile(ORDERS, settings.blocks), np.full(len(ORDERS), slot))
        assert (np.bincount(classes) == len(ORDERS) // cue_streams.GROUPS).all()
    spikes, classes = cue_streams.generate(np.random.default_rng(900), 300, settings)
    counts = spikes.counts()
    assert (counts == counts[0]).all() and set(classes) == set(range(cue_streams.GROUPS))


@pytest.mark.parametrize("settings", [SPAN, VOLLEY])
def test_only_the_event_tells_the_class(settings):
    rng = np.random.default_rng(900)
    order, event = (
        cue_streams.orders(rng, 50, settings.blocks),
        rng.integers(cue_streams.GROUPS, settings.slots, 50),
    )
    spikes = cue_streams.lay_out(rng, order, event, settings)
    for trial in range(50):
        own = spikes.select_trials([trial])
        cue = own.times_ms[own.units // settings.per_group == order[trial, event[trial]]]
        there = cue[cue // settings.slot_ms == event[trial]]
        assert len(there) == settings.per_group
        if settings.sync_ms:
            assert np.ptp(there) <= settings.sync_ms
            others = np.delete(cue, np.searchsorted(cue, there)).reshape(-1, settings.per_group)
            assert np.ptp(others, axis=1).min() > settings.sync_ms
        else:
            marker = own.times_ms[own.units // settings.per_group == cue_streams.GROUPS]
            assert (marker // settings.slot_ms == event[trial]).all()


def splits(draw, n=3000):
    """Raster and classes of three splits."""
    return {name: draw(k, n) for k, name in enumerate(("train", "validation", "test"))}


@pytest.mark.parametrize(("phase", "low", "high"), [(None, 0.04, 0.13), (1.0, 0.35, 1.0)])
def test_one_ear_tells_nothing_unless_all_trials_share_their_phase(phase, low, high):
    def draw(split, n):
        spikes, classes = two_ears.draw_spikes(np.random.default_rng([900, split]), n, phase=phase)
        return spikes.raster(spikes.steps(1.0), 100).astype(np.float32), classes

    def right(x):
        return memoryless.coarse(2, x[:, :, two_ears.PER_EAR :])

    assert (
        low
        < memoryless.accuracy([right], memoryless._fit_ridge, splits(draw), two_ears.CLASSES)
        < high
    )


def planted(rule):
    """Six steps of four inputs, the second silent where the first fires; a rule tells the class."""

    def draw(split, n):
        x = np.random.default_rng([900, split]).random((n, 6, 4)) < 0.5
        x[:, :, 1] = ~x[:, :, 0]
        return x.astype(np.float32), rule(x).astype(np.int64)

    return splits(draw)


@pytest.mark.parametrize(
    ("rule", "solves", "fails"),
    [
        (lambda x: x[:, :, 0].sum(axis=1) > 2, {"counts_linear", "reference"}, {"pooled_linear"}),
        (
            lambda x: x[:, 0, 0] ^ x[:, 5, 1],
            {"reference"},
            {"halves_relu", "counts_linear", "counts_relu", "trace_linear"},
        ),
    ],
)
def test_floors_find_what_they_are_told_and_no_more(rule, solves, fails):
    params = told(
        "span_recall", trial_ms=30.0, last_ms=5.0, bin_ms=5.0, groups=[[0, 2]], floor_epochs=10
    )
    every, data = memoryless.floors(params, np.random.default_rng(0)), planted(rule)
    found = {name: memoryless.accuracy(*every[name], data, 2) for name in solves | fails}
    guessed = max(data["test"][1].mean(), 1 - data["test"][1].mean())
    assert all(found[name] > 0.97 for name in solves), found
    assert all(found[name] < guessed + 0.1 for name in fails), found


def test_what_may_veto_a_task_is_its_best_such_floor():
    at_chance = dict.fromkeys(protocol().baselines, 0.26) | {"reference": 1.0}
    assert floors.excess("span_recall", at_chance) == pytest.approx(0.01)
    assert floors.excess("span_recall", at_chance | {"ranks_relu": 0.99}) == pytest.approx(0.74)


def trials(settings, order, event):
    """The raster of one trial of given slots."""
    spikes = cue_streams.lay_out(
        np.random.default_rng(900), np.array([order]), np.array([event]), settings
    )
    spikes = task_data.on_steps(spikes, span.DT_MS)
    steps = round(settings.trial_ms / span.DT_MS)
    return spikes.raster(spikes.steps(span.DT_MS), steps).astype(float)


@pytest.mark.parametrize(
    ("module", "settings"),
    [(span, SPAN), (volley, VOLLEY)],
    ids=["span", "volley"],
)
def test_built_networks_keep_the_first_and_the_last_event(module, settings):
    order = np.tile([2, 0, 3, 1], settings.blocks)
    for event in (cue_streams.GROUPS, settings.slots - 1):
        x = trials(settings, order, event)
        for network in module.SPIKING_NETWORKS.values():
            sent, _ = gated_networks.run(network(None, None).arrays, x, span.DT_MS)
            late = sum(spikes[0, -8:].sum(axis=0) for spikes in sent.values())
            assert late.argmax() == order[event] and late.sum() == late.max() > 0
        for network in module.GRADED_NETWORKS.values():
            assert network(x)[0].argmax() == order[event]


def test_a_neuron_fires_when_told_and_starts_again():
    built = gated_networks.network(1, 1, 1, gate=np.ones((1, 1)), tau_gate=5.0, theta_gate=0.5)
    sent, _ = gated_networks.run(
        built.arrays, np.array([1.0, 0.0, 1.0, 1.0, 0.0]).reshape(1, 5, 1), 5.0
    )
    # Of 1, 0.37 is left, then 0.14 + 1, then 0.42 + 1, of which 0.52.
    np.testing.assert_array_equal(sent["gate"][0, :, 0], [0, 0, 0, 0, 1])
    sent, _ = gated_networks.run(built.arrays, np.ones((1, 5, 1)), 1.0)
    np.testing.assert_array_equal(sent["gate"][0, :, 0], [0, 1, 1, 1, 1])


def test_two_ears_have_their_angle_between_them_and_counts_are_told():
    for k in range(two_ears.CLASSES):
        between = np.pi * ((k + 0.5) / two_ears.CLASSES - 0.5)
        phases = np.r_[two_ears.PHASES, two_ears.PHASES + between]
        angles = phases + two_ears.TURN * np.arange(100)[:, None]
        x = (np.cos(angles - np.pi / 2) > np.cos(two_ears.TURN / 2))[None].astype(float)
        answer, counts = sound.leaky(x)
        assert answer.argmax() == k
        assert counts["acs"] == 2 * x.sum() and counts["binary_messages"] == x.sum()
        assert counts["multiplications_event_driven"] == 800


def test_brian2_runs_a_network_with_spikes_as_numpy_does(builds):
    from whyspiking.brian import Machine

    params = told("sound", n_train=400, n_test=40, max_trials=40)
    network = networks.train(params, "spiking", Streams(900), {}, lambda *_: None)
    task = networks.make_task(params, "test", Streams(900))
    recording = Machine(networks.to_brian(params), builds).run(
        task.stimulus, networks.bind(params, network).values, trials=40
    )
    theirs = networks.decode(params, recording, task)
    ours = networks.evaluate(params, "spiking", network, task)
    np.testing.assert_array_equal(ours.choices, theirs.choices)


# ---- reference networks --------------------------------------------------------------------------


def test_rules_of_reading_are_those_of_the_code():
    for rule in protocol().comparison_rules.values():
        module, name = rule.implementation.split(":")
        found = getattr(importlib.import_module(f"whyspiking.{module}"), name)
        if rule.value is not None:
            assert rule.value == (list(found) if isinstance(found, tuple) else found)
    assert advantage.word(0.85, 0.95) == advantage.NO_DIFFERENCE, "'priority'"


def of_grid(task: str, family: str, scores: list[list[float]]) -> pd.DataFrame:
    """Rows of the settings of a grid, (setting, seed)."""
    said = protocol()
    return pd.DataFrame(
        {"task": task, "family": family, "grid": 1, "setting": references._json(setting),
         "seed": seed, "n_hidden": 16, "accuracy": score, "cpu_seconds": 1.0}
        for setting, own in zip(said.families[family][task].settings(), scores, strict=True)
        for seed, score in zip(said.tuning_seeds, own, strict=True)
    )  # fmt: skip


def test_chosen_is_the_highest_lower_quartile_and_only_of_whole_grids(tmp_path):
    scores = [[0.5] * 5] * 6 + [[1.0, 1.0, 1.0, 0.4, 0.4], [0.3, 0.6, 0.6, 0.6, 0.6]]
    table, path = of_grid("sound", "lif", scores), tmp_path / "sound.csv"
    table.to_csv(path, index=False)
    settings = list(protocol().families["lif"]["sound"].settings())
    assert references.chosen("sound", "lif", tmp_path) == settings[7]
    table[:-1].to_csv(path, index=False)
    with pytest.raises(UserError, match=r"lif has 4 networks with .*tune ground sound/lif"):
        references.chosen("sound", "lif", tmp_path)


def test_what_was_tried_is_whole_grids():
    for family, task in [(f, t) for f, own in protocol().families.items() for t in own]:
        rows, tuned = references.tried(task), protocol().families[family][task]
        rows = rows[rows["family"] == family]
        for grid in sorted(set(rows["grid"])):
            own = rows[rows["grid"] <= grid]
            for setting in map(references._json, tuned.settings(grid - 1)):
                seeds = own["seed"][own["setting"] == setting]
                assert sorted(seeds) == list(protocol().tuning_seeds), (task, family, setting)
        assert set(rows["n_hidden"]) <= {tuned.n_hidden_tuning}


def shorten(monkeypatch, task: str, **changes) -> None:
    """One task alone, shorter, and of every family the last grid."""
    training = {task: protocol().training[task].model_copy(update=changes)}
    families = {
        family: {task: own[task].model_copy(update={"grids": own[task].grids[-1:]})}
        for family, own in protocol().families.items()
        if task in own
    }
    cut = protocol().model_copy(update={"training": training, "families": families})
    monkeypatch.setattr(references, "protocol", lambda: cut)


def test_what_is_recorded_was_chosen_by_the_tables():
    for task, families in protocol().chosen_settings.items():
        for family, setting in families.items():
            assert setting.given == references.chosen(task, family), (task, family)


def test_a_job_trains_all_sizes_and_prices_and_brian2_gets_two_corners(monkeypatch):
    """The one that is best on validation trials, and the one that gains most for what arrives."""
    shorten(monkeypatch, "yinyang", presentations_per_trial=1, spike_penalties=[0.0, 0.005])
    monkeypatch.setattr(trained, "protocol", references.protocol)
    params = told("yinyang_trained", n_validation=200, n_test=100, share=0.34)
    ladder = trained.train(params, "lif", Streams(900), {}, lambda *_: None)
    rows = ladder.info["measured_at"]
    assert [row[:2] for row in rows] == [
        [p, n] for n in (1, 2) for p in ("spike_penalty_0", "spike_penalty_0.005")
    ]
    assert {x.split("/")[0] for x in ladder.arrays} == {"1_0", "1_1", "2_0", "2_1"}
    for accuracy, arrivals, row in zip(
        (0.6, 0.5, 0.7, 0.4), (9.0, 1.0, 99.0, 5.0), rows, strict=True
    ):
        row[2].update(validation_accuracy=accuracy, acs=arrivals)
    for variant, place in (("replayed_best", "2_0"), ("replayed_cheap", "1_1")):
        own = trained.train(params, variant, Streams(900), {"lif": ladder}, lambda *_: None)
        assert (own.arrays["input"] == ladder.arrays[f"{place}/input"]).all()


def test_what_never_is_silent_tells_only_what_has_changed(monkeypatch):
    """As far as validation trials lose no more than the protocol allows."""
    right = {None: 0.9, 0.01: 0.9, 0.02: 0.896, 0.05: 0.893, 0.1: 0.897, 0.2: 0.5}
    asked = []

    def answer(recipe, shape, arrays, raster, least_change):
        asked.append((len(raster), least_change))
        choices = np.arange(len(raster)) >= right[least_change] * len(raster)
        return choices.astype(int), answering.Counts(*[np.full(3, 4.0)] * 9)

    monkeypatch.setattr(trained.answering, "answer", answer)
    recipe = references.recipe("span_recall", "gru", 2, {"rate": 0.01, "tau_ms": [20.0, 200.0]})
    trials = {n: (np.ones((n, 3)), np.zeros(n, int)) for n in (1000, 2000)}
    values = trained.scored(recipe, None, {"out": np.zeros(3)}, trials[1000], trials[2000])
    assert asked[-1] == (2000, 0.1) and [n for n, _ in asked].count(2000) == 1
    assert values["validation_accuracy"] == pytest.approx(0.897) and values["n_parameters"] == 3
    assert values["n_messages"] == 4 + 4 - 3, "those of inputs are left out"


def test_what_is_there_is_not_trained_again(tmp_path, monkeypatch, capsys):
    """All but one network are there; it alone is trained, on data of its seed, and the row fits."""
    table = of_grid("yinyang", "relu", [[0.5] * 5] * 8)
    shorten(monkeypatch, "yinyang", presentations_per_trial=2)
    table[:-1].to_csv(tmp_path / "yinyang.csv", index=False)
    config = read(folder=ROOT / "config")
    references.tune(config, ["yinyang/relu"], tmp_path)
    found = references.tried("yinyang", tmp_path)
    assert found.iloc[-1][["seed", "setting"]].equals(table.iloc[-1][["seed", "setting"]])
    assert len(found) == 40 and found["accuracy"].iloc[-1] > 0.5
    told, last = capsys.readouterr().out.splitlines()
    assert (
        told.startswith("1 of 1, 0 min left: yinyang/relu")
        and "relu: the chosen setting is {" in last
    )
    with pytest.raises(UserError, match=r"ground has no yinyang/lifs; expected some of yinyang"):
        references.tune(config, ["yinyang/lifs"], tmp_path)


def test_parts_of_fresh_trials_differ_and_come_back_the_same(monkeypatch):
    shorten(monkeypatch, "span_recall", chunk_size=20, n_distinct=40, presentations_per_trial=2)
    draws = [references.trials(told("span_recall")) for _ in range(2)]
    (a, classes), (b, _), (again, _) = (draws[0](900, part) for part in (0, 1, 2))
    assert a.shape == (20, 136, 30) and classes.shape == (20,)
    assert (a != b).any() and (a == again).all() and (a == draws[1](900, 0)[0]).all()
    assert (a.sum(axis=(1, 2)) == 4 * 4 * 5 + 5 + 5).all(), "each spike is there after packing"
