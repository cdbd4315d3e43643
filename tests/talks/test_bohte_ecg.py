"""Bohte: electrocardiograms, from task and training to spikes in Brian2 and operations."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from made.bohte_networks import network_of, same_in_both
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Task
from whyspiking.datasets import ecg
from whyspiking.datasets.released import Unavailable
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.talks.bohte import brian_network, measures, task


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network after one epoch, and its parameters."""
    params = replace(
        params_of("bohte", "ecg", epochs=1, n_test=6), work_dir=tmp_path_factory.mktemp("compiled")
    )
    return params, fulfilled(params).train(params, "spiking", Streams(0), {}, silent)


@pytest.fixture(scope="module")
def test_task(trained):
    return task_of(trained[0])


# ---- training -------------------------------------------------------------------------------


def test_training_moves_time_constants_and_beats_the_linear_control(tmp_path):
    """Smoke scale: above a classifier of single events, and time constants have moved."""
    params = replace(params_of("bohte", "ecg", epochs=8, n_steps=600), work_dir=tmp_path)
    test = task_of(params)
    score = {}
    for variant in ("spiking", "traces", "linear"):
        made = fulfilled(params).train(params, variant, Streams(0), {}, silent)
        score[variant] = scoring.score(fulfilled(params).evaluate(params, variant, made, test))
        if variant == "spiking":
            # All adaptations begin at 100 steps.
            assert np.abs(made.arrays["log_tau_adapt_0"] - np.log(100)).mean() > 0.05
            assert made.arrays["log_tau_mem_0"].min() >= 0
    assert min(score["spiking"], score["traces"]) > score["linear"] + 0.05


def test_a_price_makes_spikes_rare(tmp_path):
    rates = []
    for experiment, variant in (("ecg", "spiking"), ("sparse", "penalty_1")):
        params = replace(params_of("bohte", experiment, epochs=2, penalty=50.0), work_dir=tmp_path)
        made = fulfilled(params).train(params, variant, Streams(0), {}, silent)
        rates.append([row["value"] for row in made.history if row["metric"] == "train_rate"][-1])
    assert rates[1] < 0.7 * rates[0]


# ---- task -----------------------------------------------------------------------------------


def test_validation_records_are_no_training_records():
    params = params_of("bohte", "ecg")
    both = [task_of(params, "train"), task_of(params, "validation")]
    events = [task.raster(params, part) for part in both]
    sizes = [len(part) for part in events]
    assert sizes == [params.n_records - params.n_validation, params.n_validation]
    train, held_out = ({row.tobytes() for row in part} for part in events)
    assert not train & held_out


def test_unlabelled_steps_count_as_published_only_where_asked():
    params = params_of("bohte", "ecg", n_unscored=2)
    labels = np.array([[1, 1, 1, -1, 0]], np.int8)
    np.testing.assert_array_equal(task.scored(params, labels), [[-1, -1, 1, -1, 0]])
    np.testing.assert_array_equal(task.scored(params, labels, padded=True), [[-1, -1, 1, 0, 0]])
    made = Task(task_of(params_of("bohte", "ecg")).stimulus, labels, 6)
    outputs = np.eye(6)[[[0, 0, 1, 0, 3]]]
    assert scoring.score(task.outcome(params, outputs, made)) == pytest.approx(1 / 2)
    padded = task.outcome(params, outputs, made, padded=True)
    assert scoring.accuracy(padded) == pytest.approx(2 / 3)


def test_controls_have_the_published_score_too(test_task):
    """As many right as of labelled steps, and of the others the first class."""
    params, hidden = params_of("bohte", "ecg", n_test=6), test_task.targets.copy()
    hidden[:, -90:] = -1
    given, control = replace(test_task, targets=hidden), network_of(params, "traces")
    chosen = fulfilled(params).evaluate(params, "traces", control, given).choices[:, 10:]
    right = np.where(hidden < 0, 0, hidden)[:, 10:] == chosen
    found = fulfilled(params).control_counts(params, "traces", control, given)
    assert found["accuracy_padded"] == pytest.approx(right.mean())
    assert right.mean() != right[:, :-90].mean()


def with_originals(folder, monkeypatch, n_steps=400):
    """A folder with files as the authors', of random records, and their digests made known."""
    from scipy.io import savemat

    rng = np.random.default_rng(7)
    files = {}
    for split, (file, _) in ecg.FILES.items():
        n = 30 if split == "train" else 8
        labels = rng.integers(0, 6, (n, n_steps))
        y = np.eye(6, dtype=np.uint8)[labels]
        y[:, -50:] = 0
        savemat(folder / file.name, {"x": rng.integers(-1, 2, (n, n_steps, 4)), "y": y})
        digest = hashlib.sha256((folder / file.name).read_bytes()).hexdigest()
        files[split] = file._replace(sha256=digest), n
    monkeypatch.setattr(ecg, "FILES", files)
    monkeypatch.setattr(ecg, "ORIGINAL_STEPS", n_steps)
    task._original.cache_clear()


def test_records_are_the_authors_where_both_files_are_there(tmp_path, monkeypatch):
    with_originals(tmp_path, monkeypatch)
    ours = params_of("bohte", "ecg", epochs=1, n_validation=6)
    theirs = params_of("bohte", "ecg", epochs=1, n_validation=6, records="original")
    theirs = replace(theirs, originals_dir=tmp_path, work_dir=tmp_path / "compiled")
    assert [task.provenance(p) for p in (ours, theirs)] == ["simulated", "original"]
    parts = [task_of(theirs, split) for split in ("train", "validation", "test")]
    assert [len(part.targets) for part in parts] == [24, 6, 8]
    assert (parts[2].targets[:, -50:] == -1).all() and (parts[2].targets[:, :-50] >= 0).all()
    # One test set for all seeds, other validation records for each.
    again = [
        fulfilled(theirs).make_task(theirs, part, Streams(1)) for part in ("validation", "test")
    ]
    np.testing.assert_array_equal(again[1].targets, parts[2].targets)
    assert (again[0].targets != parts[1].targets).any()
    for params, said in ((ours, "simulated"), (theirs, "original")):
        own = replace(params, work_dir=tmp_path / "compiled")
        made = fulfilled(own).train(own, "linear", Streams(0), {}, silent)
        assert made.info["provenance"] == said


def test_one_file_of_the_authors_without_the_other_is_told(tmp_path):
    (tmp_path / "QTDB_test.mat").write_bytes(b"something")
    params = params_of("bohte", "ecg", records="original")
    with pytest.raises(Unavailable, match=r"QTDB_train\.mat and QTDB_test\.mat are not in"):
        task_of(params)
    params = replace(params, originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"only QTDB_test\.mat exists"):
        task_of(params)


# ---- Brian2 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(trained, builds):
    return Machine(fulfilled(trained[0]).to_brian(trained[0]), builds)


@pytest.mark.parametrize("cell", ["alif", "lif", "lif_published"])
def test_brian_fires_spike_for_spike_as_double_precision_does(cell, trained, test_task, machine):
    """Adaptive neurons, plain ones, and the authors' own, which begin at 0 after a spike."""
    params, net = trained
    if cell != "alif":
        net = network_of(params, cell)
    assert 0.01 < same_in_both(params, net, test_task, machine) < 0.7


@pytest.mark.slow
def test_two_layers_fire_spike_for_spike(tmp_path, builds):
    """The second layer lags one step more; biases of both signs wait for it."""
    params = replace(
        params_of("bohte", "ecg", n_hidden=[8, 7], n_test=5, n_steps=200), work_dir=tmp_path
    )
    machine = Machine(fulfilled(params).to_brian(params), builds)
    assert same_in_both(params, network_of(params, "alif"), task_of(params), machine) > 0.01


# ---- energy ---------------------------------------------------------------------------------


def test_the_papers_formula_by_hand():
    """Eqs. 14 and 15 for two layers."""
    prices = {"mac": 3.2, "add": 0.1}
    # 3 inputs, 5 and 7 units, 2 classes; rates 0.1, 0.2, 0.3.
    lstm = 3.2 * (4 * (15 + 25) + 17 * 5 + 4 * (35 + 49) + 17 * 7 + 14)
    additions = 15 * 0.1 + 25 * 0.2 + 35 * 0.2 + 49 * 0.3 + 14 * 0.3
    spiking = 0.1 * additions + 3.2 * (2 * 5 + 2 * 7 + 2)
    found = measures.formula_ratio((3, 5, 7, 2), (0.1, 0.2, 0.3), prices)
    assert found == pytest.approx(lstm / spiking)
    # At the size of ECG no hundredfold, even without a spike (README, section 7).
    assert measures.formula_ratio((4, 36, 6), (0, 0), prices) == pytest.approx(84.5, abs=0.05)


def test_operations_of_the_controls(test_task):
    """Gates and candidate C N + N^2 multiply-accumulates, and N K; traces are never silent."""
    params = params_of("bohte", "ecg")
    n_steps, n = test_task.targets.shape[1], params.n_hidden[0]
    found = measures.control_counts(params, network_of(params, "gru"), test_task)
    assert found["macs_dense"] == n_steps * (3 * (4 * n + n * n) + 6 * n)
    events = test_task.features.sum() / len(test_task.features)
    rest = n_steps * (3 * n * n + 6 * n)
    assert found["macs_effective"] == pytest.approx(events * 3 * n + rest)
    found = measures.control_counts(params, network_of(params, "traces"), test_task)
    assert found["macs_effective"] == found["macs_dense"] == n_steps * (8 * 4 * n + 6 * n)
    assert found["neuron_updates"] == n_steps * (8 * 4 + n + 6)


def test_rates_count_spikes_per_neuron_and_step(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, net).values)
    (input_rate, rate) = measures.rates_of(params, recording, test_task)
    assert input_rate == pytest.approx(test_task.features.mean())
    assert rate == pytest.approx(brian_network.raster(params, recording, 0).mean(), rel=0.02)


# ---- folds ----------------------------------------------------------------------------------


def test_every_record_is_tested_in_one_fold_and_never_trained_on_there(tmp_path, monkeypatch):
    with_originals(tmp_path, monkeypatch)
    own = params_of("bohte", "folds", records="original", n_validation=5, n_parts=4)
    own = replace(own, originals_dir=tmp_path)

    def events(split, seed):
        return [row.tobytes() for row in task.records(own, split, Streams(seed)).events]

    tested = [events("test", seed) for seed in range(30, 35)]
    assert [len(fold) for fold in tested] == [8, 8, 8, 7, 7]
    every = [*events("test", 30), *events("all_train", 30)]
    assert [row for fold in tested for row in fold] == every and len(set(every)) == 38
    for seed, fold in zip(range(30, 35), tested, strict=True):
        learned, held_out = events("train", seed), events("validation", seed)
        assert len(held_out) == 5
        assert set(learned) | set(held_out) == set(every) - set(fold)
        assert not set(learned) & set(held_out)
    assert events("test", 35) == tested[0] and events("train", 35) != events("train", 30)


def test_successive_records_form_the_parts_of_a_test(tmp_path, monkeypatch):
    with_originals(tmp_path, monkeypatch)
    own = params_of("bohte", "folds", records="original", n_validation=5, n_parts=4)
    made = fulfilled(own).make_task(replace(own, originals_dir=tmp_path), "test", Streams(33))
    assert made.units.tolist() == [0, 0, 1, 1, 2, 2, 3]
    labels = task.outcome(own, np.zeros((7, own.n_steps, 6)), made)
    assert labels.units is made.units
