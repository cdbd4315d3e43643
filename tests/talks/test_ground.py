"""The ground: its protocol, the independences of its tasks, floors, networks that were built."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.datasets import recall, shared, two_ears
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.talks.ground import admission, floors, networks, neurons, sound, span, volley
from whyspiking.talks.ground.protocol import FILE, protocol
from whyspiking.verdicts import judge

ROOT = Path(__file__).parents[2]
TALK = registry.load_talk("ground")
ORDERS = np.array(list(itertools.permutations(range(recall.GROUPS))))


def told(experiment: str, **values) -> Params:
    """Parameters of an experiment as published, but for some."""
    published = TALK.experiments[experiment].published
    return Params("ground", experiment, "full", {**published, **values}, seed=900)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda t: t["span_recall"].pop("floors"),
            r"'tasks.span_recall.floors' is missing; .* Add it",
        ),
        (
            lambda t: t["sound"]["built"]["spiking"].update(engine="numpy"),
            r"'tasks.sound.built.spiking.engine' is 'numpy' of a network with spikes; expected br",
        ),
        (
            lambda t: t["sound"]["unknown"].clear(),
            r"'tasks.sound.unknown' says nothing of units; .* Add it",
        ),
        (
            lambda t: t["sound"]["floors"]["veto"].remove("counts_relu"),
            r"'tasks.sound.floors' has counts_linear, last_relu.* once, under 'veto' or 'high'",
        ),
    ],
)
def test_a_protocol_that_leaves_something_out_is_refused(tmp_path, change, says):
    given = yaml.safe_load(FILE.read_text())
    change(given["tasks"])
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(given))
    with pytest.raises(UserError, match=says):
        protocol(path)


def test_what_runs_is_what_the_protocol_says():
    said = protocol()
    full = yaml.safe_load((ROOT / "config/full.yaml").read_text())["seeds_of"]
    seeds = {x["experiment"]: x["seeds"] for x in full}
    claims = {c.id: c for c in judge.load(TALK.folder / "claims.yaml", TALK)}
    assert list(said.tasks) == list(TALK.experiments)
    for name, task in said.tasks.items():
        experiment = TALK.experiments[name]
        assert seeds[f"ground.{name}"] == list(said.seeds)
        if name != "yinyang":
            assert experiment.published["n_test"] == said.n_test["value"]
        assert task.chance == pytest.approx(1 / experiment.published["n_output"])
        assert set(experiment.variants) == {"floors", *task.built}
        spiking = {variant for variant, built in task.built.items() if built.kind == "spikes"}
        assert set(experiment.simulated_variants()) == spiking
        assert set(floors.floors(told(name), np.random.default_rng(0))) == set(said.floors)
        if claim := claims.get(f"ground.{name}.possible"):
            assert claim.band("full").low == task.built[claim.where["variant"]].least
        if claim := claims.get(f"ground.{name}.floors"):
            assert claim.band("full").high == said.margin["value"]


@pytest.mark.parametrize("settings", [recall.SPAN, recall.VOLLEY])
def test_the_class_is_independent_of_the_order_of_the_slot_and_of_every_count(settings):
    slots = np.arange(recall.GROUPS, settings.slots)
    for seed in range(20):
        order = recall.orders(np.random.default_rng(seed), 1, settings.blocks)
        classes = recall.class_of(np.repeat(order, slots.size, axis=0), slots)
        assert (np.bincount(classes) == settings.blocks - 1).all()
    for slot in slots:
        classes = recall.class_of(np.tile(ORDERS, settings.blocks), np.full(len(ORDERS), slot))
        assert (np.bincount(classes) == len(ORDERS) // recall.GROUPS).all()
    spikes, classes = recall.generate(np.random.default_rng(900), 300, settings)
    counts = spikes.counts()
    assert (counts == counts[0]).all() and set(classes) == set(range(recall.GROUPS))


@pytest.mark.parametrize("settings", [recall.SPAN, recall.VOLLEY])
def test_only_the_event_tells_the_class(settings):
    rng = np.random.default_rng(900)
    order, event = (
        recall.orders(rng, 50, settings.blocks),
        rng.integers(recall.GROUPS, settings.slots, 50),
    )
    spikes = recall.lay_out(rng, order, event, settings)
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
            marker = own.times_ms[own.units // settings.per_group == recall.GROUPS]
            assert (marker // settings.slot_ms == event[trial]).all()


def splits(draw, n=3000):
    """Raster and classes of three splits."""
    return {name: draw(k, n) for k, name in enumerate(("train", "validation", "test"))}


@pytest.mark.parametrize(("phase", "low", "high"), [(None, 0.04, 0.13), (1.0, 0.35, 1.0)])
def test_one_ear_tells_nothing_unless_all_trials_share_their_phase(phase, low, high):
    def draw(split, n):
        spikes, classes = two_ears.generate(np.random.default_rng([900, split]), n, phase=phase)
        return spikes.raster(spikes.steps(1.0), 100).astype(np.float32), classes

    def right(x):
        return floors.coarse(2, x[:, :, two_ears.PER_EAR :])

    assert low < floors.accuracy([right], floors._line, splits(draw), two_ears.CLASSES) < high


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
    every, data = floors.floors(params, np.random.default_rng(0)), planted(rule)
    found = {name: floors.accuracy(*every[name], data, 2) for name in solves | fails}
    guessed = max(data["test"][1].mean(), 1 - data["test"][1].mean())
    assert all(found[name] > 0.97 for name in solves), found
    assert all(found[name] < guessed + 0.1 for name in fails), found


def test_the_sentence_follows_the_floors():
    at_chance = dict.fromkeys(protocol().floors, 0.26) | {"reference": 1.0}
    assert "counts, first latencies" in admission.sentence("span_recall", at_chance)
    assert "above chance" not in admission.sentence("span_recall", at_chance)
    counted = at_chance | {"counts_relu": 0.99, "ranks_relu": 0.5}
    said = admission.sentence("span_recall", counted)
    assert "the order of first spikes (50 %) above chance" in said
    assert "counts (99 %) as good as the reference" in said
    assert floors.excess("span_recall", at_chance) == pytest.approx(0.01)
    assert floors.excess("span_recall", counted) == pytest.approx(0.74)


def trials(settings, order, event):
    """The raster of one trial of given slots."""
    spikes = recall.lay_out(
        np.random.default_rng(900), np.array([order]), np.array([event]), settings
    )
    spikes = shared.on_steps(spikes, span.DT_MS)
    steps = round(settings.trial_ms / span.DT_MS)
    return spikes.raster(spikes.steps(span.DT_MS), steps).astype(float)


@pytest.mark.parametrize(
    ("module", "settings"), [(span, recall.SPAN), (volley, recall.VOLLEY)], ids=["span", "volley"]
)
def test_built_networks_keep_the_first_and_the_last_event(module, settings):
    order = np.tile([2, 0, 3, 1], settings.blocks)
    for event in (recall.GROUPS, settings.slots - 1):
        x = trials(settings, order, event)
        for network in module.SPIKING.values():
            sent, _ = neurons.run(network(None, None).arrays, x, span.DT_MS)
            late = sum(spikes[0, -8:].sum(axis=0) for spikes in sent.values())
            assert late.argmax() == order[event] and late.sum() == late.max() > 0
        for network in module.NUMBERS.values():
            assert network(x)[0].argmax() == order[event]


def test_a_neuron_fires_when_told_and_starts_again():
    built = neurons.network(1, 1, 1, gate=np.ones((1, 1)), tau_gate=5.0, theta_gate=0.5)
    sent, _ = neurons.run(built.arrays, np.array([1.0, 0.0, 1.0, 1.0, 0.0]).reshape(1, 5, 1), 5.0)
    # Of 1, 0.37 is left, then 0.14 + 1, then 0.42 + 1, of which 0.52.
    np.testing.assert_array_equal(sent["gate"][0, :, 0], [0, 0, 0, 0, 1])
    sent, _ = neurons.run(built.arrays, np.ones((1, 5, 1)), 1.0)
    np.testing.assert_array_equal(sent["gate"][0, :, 0], [0, 1, 1, 1, 1])


def test_two_ears_have_their_angle_between_them_and_counts_are_told():
    for k in range(two_ears.CLASSES):
        between = np.pi * ((k + 0.5) / two_ears.CLASSES - 0.5)
        phases = np.r_[two_ears.PHASES, two_ears.PHASES + between]
        angles = phases + two_ears.TURN * np.arange(100)[:, None]
        x = (np.cos(angles - np.pi / 2) > np.cos(two_ears.TURN / 2))[None].astype(float)
        answer, counts = sound.leaky(x)
        assert answer.argmax() == k
        assert counts["syn_events"] == 2 * x.sum() and counts["macs_effective"] == 800


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
