"""Bohte: electrocardiograms, from task and training to spikes in Brian2 and operations."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from made.bohte_settings import STREAMS, params_of, quiet, task_of
from made.fulfilled import fulfilled

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition, Network, Task
from whyspiking.datasets import ecg
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.talks.bohte import measures, brian_network, task, time_constants


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network after one epoch, and its parameters."""
    params = replace(params_of(epochs=1, n_test=6), work_dir=tmp_path_factory.mktemp("compiled"))
    return params, fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)


@pytest.fixture(scope="module")
def test_task(trained):
    return task_of(trained[0])


# ---- training -------------------------------------------------------------------------------


def test_training_moves_time_constants_and_beats_the_linear_control(tmp_path):
    """Smoke scale: above a classifier of single events, and time constants have moved."""
    params = replace(params_of(epochs=8, n_steps=600), work_dir=tmp_path)
    test = task_of(params)
    score = {}
    for variant in ("spiking", "linear"):
        made = fulfilled(params).train(params, variant, STREAMS, {}, quiet)
        score[variant] = scoring.score(fulfilled(params).evaluate(params, variant, made, test))
        if variant == "spiking":
            moved = made.arrays["log_tau_adapt_0"] - made.arrays["start_log_tau_adapt_0"]
            assert np.abs(moved).mean() > 0.05
            assert made.arrays["log_tau_mem_0"].min() >= 0
    assert score["spiking"] > score["linear"] + 0.05


def test_fixed_time_constants_stay(tmp_path):
    params = replace(params_of("timescales", epochs=1), work_dir=tmp_path)
    made = fulfilled(params).train(params, "alif_fixed", STREAMS, {}, quiet)
    for name in ("log_tau_mem_0", "log_tau_adapt_0", "log_tau_out"):
        np.testing.assert_array_equal(made.arrays[name], made.arrays[f"start_{name}"])


def test_only_at_the_published_rate_may_a_training_not_finish(tmp_path, monkeypatch):
    from whyspiking.talks.bohte import training
    from whyspiking.training.history import NotFiniteError

    def broken(*arguments):
        raise NotFiniteError("training: the gradient of bias_0 is not finite at epoch 7, step 11")

    monkeypatch.setattr(learning, "train", broken)
    params = replace(params_of("published_rate"), work_dir=tmp_path)
    made = fulfilled(params).train(params, "alif_fixed", STREAMS, {}, quiet)
    assert not made.arrays and "not finite at epoch 7" in made.info["unavailable"]
    with pytest.raises(UserError, match="not finite at epoch 7"):
        fulfilled(params_of()).train(params_of(), "spiking", STREAMS, {}, quiet)


def test_a_price_makes_spikes_rare(tmp_path):
    params = replace(params_of("sparse", epochs=2, penalties=[0.5, 1.5, 50.0]), work_dir=tmp_path)
    rates = []
    for variant in ("spiking", "penalty_2"):
        made = fulfilled(params).train(params, variant, STREAMS, {}, quiet)
        rates.append([row["value"] for row in made.history if row["metric"] == "train_rate"][-1])
    assert rates[1] < 0.7 * rates[0]


def test_a_network_that_is_only_compared_is_handed_on(trained):
    params, network = params_of("timescales"), trained[1]
    parents = {"ecg/spiking": network}
    again = fulfilled(params).train(params, "spiking", STREAMS, parents, quiet)
    assert again.arrays.keys() == network.arrays.keys()
    assert not again.history


def test_surrogates_are_named():
    with pytest.raises(UserError, match="'surrogate' is 'box'"):
        from whyspiking.talks.bohte import network

        network.chosen_surrogate(params_of(surrogate="box"))


# ---- task -----------------------------------------------------------------------------------


def test_validation_records_are_no_training_records():
    params = params_of()
    both = [task_of(params, "train"), task_of(params, "validation")]
    events = [task.raster(params, part) for part in both]
    sizes = [len(part) for part in events]
    assert sizes == [params.n_records - params.n_validation, params.n_validation]
    train, held_out = ({row.tobytes() for row in part} for part in events)
    assert not train & held_out


def test_rasters_and_spikes_are_the_same_events(test_task):
    found = task.raster(params_of(), test_task)
    np.testing.assert_array_equal(found, test_task.features)


def test_unlabelled_steps_count_as_published_only_where_asked():
    params = params_of(n_unscored=2)
    labels = np.array([[1, 1, 1, -1, 0]], np.int8)
    np.testing.assert_array_equal(task.scored(params, labels), [[-1, -1, 1, -1, 0]])
    np.testing.assert_array_equal(task.scored(params, labels, padded=True), [[-1, -1, 1, 0, 0]])
    made = Task(task_of(params_of()).stimulus, labels, 6)
    outputs = np.eye(6)[[[0, 0, 1, 0, 3]]]
    assert scoring.score(task.outcome(params, outputs, made)) == pytest.approx(1 / 2)
    assert measures.padded_accuracy(params, outputs, made) == pytest.approx(2 / 3)


def with_originals(folder, monkeypatch, n_steps=400):
    """A folder with files as the authors', of random records, and their digests made known."""
    from scipy.io import savemat

    rng = np.random.default_rng(7)
    files = {}
    for split, (name, _, _) in ecg.FILES.items():
        n = 30 if split == "train" else 8
        labels = rng.integers(0, 6, (n, n_steps))
        y = np.eye(6, dtype=np.uint8)[labels]
        y[:, -50:] = 0
        savemat(folder / name, {"x": rng.integers(-1, 2, (n, n_steps, 4)), "y": y})
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        files[split] = (name, digest, n)
    monkeypatch.setattr(ecg, "FILES", files)
    monkeypatch.setattr(ecg, "ORIGINAL_STEPS", n_steps)
    task._original.cache_clear()


def test_records_are_the_authors_where_both_files_are_there(tmp_path, monkeypatch):
    with_originals(tmp_path, monkeypatch)
    ours = params_of(epochs=1, n_validation=6)
    theirs = replace(ours, originals_dir=tmp_path, work_dir=tmp_path / "compiled")
    assert [task.provenance(p) for p in (ours, theirs)] == ["simulated", "original"]
    parts = [task_of(theirs, split) for split in ("train", "validation", "test")]
    assert [len(part.targets) for part in parts] == [24, 6, 8]
    assert (parts[2].targets[:, -50:] == -1).all() and (parts[2].targets[:, :-50] >= 0).all()
    # One test set for all seeds, other validation records for each.
    again = [
        fulfilled(theirs).make_task(theirs, part, Streams(1)) for part in ("validation", "test")
    ]
    assert again[0] is not None and again[1] is not None
    np.testing.assert_array_equal(again[1].targets, parts[2].targets)
    assert (again[0].targets != parts[1].targets).any()
    for params, said in ((ours, "simulated"), (theirs, "original")):
        own = replace(params, work_dir=tmp_path / "compiled")
        made = fulfilled(own).train(own, "linear", STREAMS, {}, quiet)
        assert made.info["provenance"] == said


def test_one_file_of_the_authors_without_the_other_is_told(tmp_path):
    (tmp_path / "QTDB_test.mat").write_bytes(b"something")
    params = replace(params_of(), originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"QTDB_test\.mat is there and QTDB_train\.mat is not"):
        task_of(params)


def test_other_files_of_that_name_are_refused(tmp_path):
    for name in ("QTDB_train.mat", "QTDB_test.mat"):
        (tmp_path / name).write_bytes(b"something else")
    params = replace(params_of(), originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"QTDB_train\.mat: SHA-256 is"):
        fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)


def test_the_control_of_fixed_traces_learns_what_single_events_do_not_tell(tmp_path):
    params = replace(params_of(epochs=8, n_steps=600), work_dir=tmp_path)
    test = task_of(params)
    score = {}
    for variant in ("traces", "linear"):
        made = fulfilled(params).train(params, variant, STREAMS, {}, quiet)
        score[variant] = scoring.score(fulfilled(params).evaluate(params, variant, made, test))
        assert not any(name.startswith(("log_tau", "w_rec")) for name in made.arrays)
    assert score["traces"] > score["linear"] + 0.05


# ---- Brian2 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(trained, builds):
    from whyspiking.brian import Machine

    return Machine(fulfilled(trained[0]).to_brian(trained[0]), builds)


def test_brian_fires_spike_for_spike_as_double_precision_does(trained, test_task, machine):
    """All spikes of six records, and outputs to rounding; adaptive and plain neurons."""
    import jax

    from whyspiking.talks.bohte import network

    params, net = trained
    for strength, cell in ((net.info["adaptation"], "alif"), (0.0, "lif")):
        own = Network(net.arrays, {**net.info, "adaptation": strength, "cell": cell})
        recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, own).values)
        x = task.raster(params, test_task)
        with jax.enable_x64(True):
            (course,) = network.courses(params, cell, net.arrays, x, np.float64)
            arrays = {k: np.asarray(v, np.float64) for k, v in net.arrays.items()}
            outputs, _ = network.forward(params, cell, arrays, x.swapaxes(0, 1).astype(float))
            outputs = np.asarray(outputs).swapaxes(0, 1)
        found = brian_network.raster(params, recording, 0)
        assert found.sum() > 1000
        np.testing.assert_array_equal(found, course.spikes > 0)
        np.testing.assert_allclose(brian_network.outputs(params, recording), outputs, atol=1e-12)


@pytest.mark.slow
def test_two_layers_fire_spike_for_spike(tmp_path, builds):
    """The second layer lags one step more; biases of both signs wait for it."""
    import jax

    from whyspiking.brian import Machine
    from whyspiking.talks.bohte import network

    params = replace(params_of(n_hidden=[8, 7], n_test=5, n_steps=200), work_dir=tmp_path)
    rng = np.random.default_rng(3)
    arrays = network.initial(params, "alif", rng)
    for name in ("bias_0", "bias_1", "b_out"):
        arrays[name] = rng.normal(0, 0.3, arrays[name].shape).astype(np.float32)
    starts = {f"start_{k}": v for k, v in arrays.items() if k.startswith("log_tau")}
    net = Network({**arrays, **starts}, {"cell": "alif", "adaptation": 1.8})
    test = task_of(params)
    recording = Machine(fulfilled(params).to_brian(params), builds).run(
        test.stimulus, fulfilled(params).bind(params, net).values
    )
    x = task.raster(params, test)
    with jax.enable_x64(True):
        courses = network.courses(params, "alif", net.arrays, x, np.float64)
    for k, course in enumerate(courses):
        assert course.spikes.sum() > 100
        np.testing.assert_array_equal(brian_network.raster(params, recording, k), course.spikes > 0)


def test_brian_fires_spike_for_spike_where_neurons_begin_at_0_again(machine, test_task):
    """The authors' plain neuron, whose input counts whole, in the equations of the others."""
    import jax

    from whyspiking.talks.bohte import training, network

    params = params_of("timescales", n_test=6)
    cell = training.cell_of("lif_published")
    arrays = network.initial(params, cell, np.random.default_rng(5))
    arrays["bias_0"] = np.full_like(arrays["bias_0"], 0.1)
    starts = {f"start_{k}": v for k, v in arrays.items() if k.startswith("log_tau")}
    info = {"cell": cell, "adaptation": network.adaptation(params, cell), "resets": True}
    net = Network({**arrays, **starts}, info)
    recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, net).values)
    x = task.raster(params, test_task)
    with jax.enable_x64(True):
        (fired,) = network.spikes(params, cell, net.arrays, x, np.float64)
        told = network.outputs(params, cell, net.arrays, x, np.float64)
    assert 0.02 < fired.mean() < 0.5
    np.testing.assert_array_equal(brian_network.raster(params, recording, 0), fired)
    np.testing.assert_allclose(brian_network.outputs(params, recording), told, atol=1e-9)


def test_brian_labels_as_the_engine_of_training(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, net).values)
    ours = fulfilled(params).decode(params, recording, test_task)
    theirs = fulfilled(params).evaluate(params, "spiking", net, test_task)
    assert abs(scoring.score(ours) - scoring.score(theirs)) < 0.005
    counted = fulfilled(params).reference_counts(params, "spiking", net, test_task)["hidden_0"]
    simulated = recording.spikes["hidden_0"].counts()
    assert np.corrcoef(counted.sum(axis=0), simulated.sum(axis=0))[0, 1] > 0.99


def test_conditions_change_time_constants_only(trained, test_task):
    params, net = trained
    binding = fulfilled(params).bind(params, net)
    rng = np.random.default_rng(0)
    for name in (time_constants.UNTRAINED, time_constants.EQUAL):
        _, varied = fulfilled(params).vary(
            params, Condition(name, "neurons", 1.0), test_task, binding, rng
        )
        for key, value in binding.values.items():
            same = np.array_equal(varied.values[key], value)
            assert same is ("tau" not in key), key
        tau = np.asarray(varied.values["hidden_0.tau_adapt"])
        if name == time_constants.UNTRAINED:
            np.testing.assert_allclose(tau, 0.4, rtol=1e-6)  # 100 steps of 4 ms
        else:
            assert np.ptp(tau) == 0
    assert {c.perturbation for c in fulfilled(params).conditions(params)} == {
        "tau_untrained",
        "tau_equal",
    }
    assert not fulfilled(params_of("sparse")).conditions(params_of("sparse"))


# ---- energy ---------------------------------------------------------------------------------


def test_the_papers_formula_by_hand():
    """Eqs. 14 and 15 for m = 4, n = 36, k = 6, f = 0.07, F = 0.2, and for two layers."""
    prices = {"mac": 3.2, "add": 0.1}
    lstm = 3.2 * (4 * (4 * 36 + 36 * 36) + 17 * 36 + 36 * 6)
    spiking = 0.1 * (144 * 0.07 + 1296 * 0.2 + 216 * 0.2) + 3.2 * 78
    found = measures.formula_ratio((4, 36, 6), (0.07, 0.2), prices)
    assert found == pytest.approx(lstm / spiking)
    # 3 inputs, 5 and 7 units, 2 classes; rates 0.1, 0.2, 0.3.
    lstm = 3.2 * (4 * (15 + 25) + 17 * 5 + 4 * (35 + 49) + 17 * 7 + 14)
    additions = 15 * 0.1 + 25 * 0.2 + 35 * 0.2 + 49 * 0.3 + 14 * 0.3
    spiking = 0.1 * additions + 3.2 * (2 * 5 + 2 * 7 + 2)
    found = measures.formula_ratio((3, 5, 7, 2), (0.1, 0.2, 0.3), prices)
    assert found == pytest.approx(lstm / spiking)


def test_the_papers_formula_saves_no_hundredfold_at_the_size_of_ecg():
    """What README section 7 and the figure say: 84.5 even without a spike."""
    talk = params_of("released")
    assert measures.sizes_of(talk) == [4, 36, 6]
    ceiling = measures.formula_ratio(measures.sizes_of(talk), (0, 0), measures.prices(talk))
    assert ceiling == pytest.approx(84.5, abs=0.05)


@pytest.mark.parametrize(("cell", "blocks"), [("gru", 3), ("lstm", 4)])
def test_operations_of_the_gated_controls(test_task, cell, blocks):
    """Per gate and candidate C N + N^2 multiply-accumulates, and N K; silent inputs are free."""
    from whyspiking.talks.bohte import network

    params = params_of()
    arrays = network.initial(params, cell, np.random.default_rng(0))
    found = measures.control_counts(params, Network(arrays, {}), test_task)
    n_steps, n = test_task.targets.shape[1], params.n_hidden[0]
    assert found["macs_dense"] == n_steps * (blocks * (4 * n + n * n) + 6 * n)
    events = test_task.features.sum() / len(test_task.features)
    rest = n_steps * (blocks * n * n + 6 * n)
    assert found["macs_effective"] == pytest.approx(events * blocks * n + rest)


def test_the_lstm_is_its_equation_and_begins_with_open_forget_gates():
    """README, Eq. 24, step by step in NumPy."""
    from whyspiking.talks.bohte import network

    params, rng = params_of(), np.random.default_rng(3)
    arrays = network.initial(params, "lstm", rng)
    n = params.n_hidden[0]
    assert (arrays["bias_0"].reshape(4, n).sum(axis=1) == [0, n, 0, 0]).all()
    x = rng.normal(size=(2, 9, params.n_input))
    found = network.outputs(params, "lstm", arrays, x)
    h, c, o = np.zeros((2, n)), np.zeros((2, n)), np.zeros((2, params.n_output))
    kappa = np.exp(-np.exp(-arrays["log_tau_out"].astype(float)))
    for step in range(9):
        z = x[:, step] @ arrays["w_in_0"] + h @ arrays["w_rec_0"] + arrays["bias_0"]
        enter, keep, leave = (1 / (1 + np.exp(-z[:, k * n : (k + 1) * n])) for k in range(3))
        c = keep * c + enter * np.tanh(z[:, 3 * n :])
        h = leave * np.tanh(c)
        o = kappa * o + (1 - kappa) * (h @ arrays["w_out"] + arrays["b_out"])
        np.testing.assert_allclose(found[:, step], o, atol=2e-6)


def test_operations_of_the_control_of_fixed_traces(test_task):
    """Traces are never silent: 8 C N + N K multiply-accumulates, 8 C + N + K updates per step."""
    from whyspiking.talks.bohte import network

    params = params_of()
    arrays = network.initial(params, "traces", np.random.default_rng(0))
    found = measures.control_counts(params, Network(arrays, {"cell": "traces"}), test_task)
    n_steps, n = test_task.targets.shape[1], params.n_hidden[0]
    expected = n_steps * (8 * 4 * n + 6 * n)
    assert found["macs_effective"] == found["macs_dense"] == expected
    assert found["neuron_updates"] == n_steps * (8 * 4 + n + 6)


def test_rates_count_spikes_per_neuron_and_step(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, net).values)
    (input_rate, rate) = measures.rates_of(params, recording, test_task)
    assert input_rate == pytest.approx(test_task.features.mean())
    assert rate == pytest.approx(brian_network.raster(params, recording, 0).mean(), rel=0.02)
