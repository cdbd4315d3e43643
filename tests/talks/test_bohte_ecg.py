"""Bohte: electrocardiograms, from task and training to spikes in Brian2 and operations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.bohte_settings import CONFIG, STREAMS, params_of, quiet, task_of
from made.fulfilled import fulfilled

from whyspiking.contract.types import Condition, Network, Task
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.talks.bohte import measures, simulation, task, time_constants


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


def test_missing_files_of_the_authors_are_told(tmp_path):
    params = params_of("ecg_original")
    made = fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)
    assert "originals_dir is not set" in made.info["unavailable"]
    elsewhere = replace(params, originals_dir=tmp_path)
    made = fulfilled(elsewhere).train(elsewhere, "masked", STREAMS, {}, quiet)
    assert "QTDB_train.mat is not in data.originals_dir" in made.info["unavailable"]
    with pytest.raises(UserError, match="file not available"):
        fulfilled(params).make_task(params, "test", STREAMS)


def test_other_files_of_that_name_are_refused(tmp_path):
    for name in ("QTDB_train.mat", "QTDB_test.mat"):
        (tmp_path / name).write_bytes(b"something else")
    params = replace(params_of("ecg_original"), originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"QTDB_train\.mat: SHA-256 is"):
        fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)


# ---- Brian2 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(trained):
    from whyspiking.brian import Machine

    # The build of the smoke run, if there is one.
    return Machine(fulfilled(trained[0]).to_brian(trained[0]), Path(CONFIG["build_folder"]))


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
        found = simulation.raster(params, recording, 0)
        assert found.sum() > 1000
        np.testing.assert_array_equal(found, course.spikes > 0)
        np.testing.assert_allclose(simulation.outputs(params, recording), outputs, atol=1e-12)


@pytest.mark.slow
def test_two_layers_fire_spike_for_spike(tmp_path):
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
    recording = Machine(fulfilled(params).to_brian(params), tmp_path).run(
        test.stimulus, fulfilled(params).bind(params, net).values
    )
    x = task.raster(params, test)
    with jax.enable_x64(True):
        courses = network.courses(params, "alif", net.arrays, x, np.float64)
    for k, course in enumerate(courses):
        assert course.spikes.sum() > 100
        np.testing.assert_array_equal(simulation.raster(params, recording, k), course.spikes > 0)


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
    """Eqs. 14 and 15 for m = 4, n = 36, k = 6, f = 0.07, F = 0.2."""
    lstm = 3.2 * (4 * (4 * 36 + 36 * 36) + 17 * 36 + 36 * 6)
    spiking = 0.1 * (144 * 0.07 + 1296 * 0.2 + 216 * 0.2) + 3.2 * 78
    found = measures.formula_ratio((4, 36, 6), 0.07, 0.2, {"mac": 3.2, "add": 0.1})
    assert found == pytest.approx(lstm / spiking)


def test_operations_of_the_gated_control(test_task):
    """3 (C N + N^2) + N K multiply-accumulates per step; a silent input costs nothing."""
    from whyspiking.talks.bohte import network

    params = params_of()
    arrays = network.initial(params, "gru", np.random.default_rng(0))
    found = measures.control_counts(params, Network(arrays, {}), test_task)
    n_steps, n = test_task.targets.shape[1], params.n_hidden[0]
    assert found["macs_dense"] == n_steps * (3 * (4 * n + n * n) + 6 * n)
    events = test_task.features.sum() / len(test_task.features)
    assert found["macs_effective"] == pytest.approx(events * 3 * n + n_steps * (3 * n * n + 6 * n))


def test_rates_count_spikes_per_neuron_and_step(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, fulfilled(params).bind(params, net).values)
    input_rate, rate = measures.rates_of(params, recording, test_task)
    assert input_rate == pytest.approx(test_task.features.mean())
    assert rate == pytest.approx(simulation.raster(params, recording, 0).mean(), rel=0.02)
