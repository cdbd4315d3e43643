"""DECOLLE: local gradients, the equations in both engines, a device's life, memory."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import yaml

from whyspiking import registry, tables
from whyspiking.contract import Condition, Network, Recording
from whyspiking.datasets.recordings import Recordings
from whyspiking.figures import NotMeasuredError
from whyspiking.randomness import Streams
from whyspiking.replications.neftci import (
    drawing,
    gru,
    learning,
    memory,
    model,
    network,
    plastic,
    regression,
    rules,
    task,
)
from whyspiking.replications.neftci.network import Constants, Weights
from whyspiking.replications.neftci.rules import Rule

ROOT = Path(__file__).parents[2]
CONFIG = {
    **yaml.safe_load((ROOT / "config" / "config.yaml").read_text()),
    **{"scale": "smoke"},
}
FREE = Rule(1.0, 0.0, 0.0)
HOW = rules.Optimiser(*rules.PUBLISHED)


def params(experiment="nmnist", **changes):
    described = registry.load_talk("neftci").experiments[experiment]
    found = registry.params(described, CONFIG)
    small = {"sensor_side": 8, "hidden": [12, 10, 8], "n_frames": 14, "n_classes": 4}
    return replace(found, values={**found.values, **small, **changes})


def digits(own, n, seed=0):
    """Frames in which the class says where events are likely."""
    rng = np.random.default_rng(seed)
    n_in = model.sizes(own)[0]
    labels = np.arange(n) % own.n_classes
    place = np.arange(n_in) * own.n_classes // n_in
    likely = np.where(place == labels[:, None], 0.5, 0.1)
    frames = rng.random((n, own.n_frames, n_in)) < likely[:, None]
    return Recordings(labels, np.packbits(frames, axis=2), n_in, None)


def network_of(own, seed=0, dtype=jnp.float32):
    frames = digits(own, 40).unpacked()
    c = learning.constants(own)
    found = network.initial(
        model.sizes(own), own.n_classes, 0.5, 0.0, frames, c, np.random.default_rng(seed)
    )
    return jax.tree.map(lambda a: a.astype(dtype), found), c


def as_network(weights):
    arrays = {}
    for index, (w, b, g) in enumerate(zip(*weights, strict=True), start=1):
        arrays |= {
            f"w{index}": np.asarray(w),
            f"b{index}": np.asarray(b),
            f"g{index}": np.asarray(g),
        }
    return Network(arrays, {"engine": "jax"})


def task_of(own, n, seed=0):
    data = digits(own, n, seed)
    return task.as_spikes(own, data, np.arange(n))


def seen(weights, c, frames):
    """Every step's spikes, potentials and traces."""
    state = network.silent(weights, frames.shape[1])
    for now in frames:
        state, *found = network.step(c, weights, state, now)
        yield found


def test_traces_are_the_sums_of_their_kernels():
    """P of Eq. 1 against the convolution with its impulse response, solved by hand."""
    own = params(hidden=[3])
    weights, c = network_of(own)
    frames = digits(own, 2).unpacked()
    lag = np.arange(1, own.n_frames)
    # P[t] answers an input at t - k with (1-a)(1-b)(a^k - b^k)/(a - b).
    kernel = (1 - c.alpha) * (1 - c.beta) * (c.alpha**lag - c.beta**lag) / (c.alpha - c.beta)
    kernel = np.concatenate([[0.0], kernel])
    expected = np.stack(
        [sum(kernel[k] * frames[t - k] for k in range(t + 1)) for t in range(own.n_frames)]
    )
    traces = np.stack([p[0] for _, _, p in seen(weights, c, frames)])
    np.testing.assert_allclose(traces, expected, atol=1e-5)


def test_local_gradient_is_autodiff_with_layer_and_past_cut_off():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    *_, (fired, potentials, traces) = seen(weights, c, frames)
    found = rules.local_gradients(c, weights, fired, potentials, traces, target)
    for layer in range(3):
        w, b, g = (kind[layer] for kind in weights)
        rest = potentials[layer] - traces[layer] @ w - b

        def loss(w, b, g=g, layer=layer, rest=rest):
            spikes = network.threshold(c.slope)(traces[layer] @ w + b + rest)
            return rules.smooth_l1(spikes @ g - target).sum(axis=1).mean()

        expected = jax.grad(loss, argnums=(0, 1))(w, b)
        np.testing.assert_allclose(found[0][layer], expected[0], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found[1][layer], expected[1], rtol=1e-4, atol=1e-7)


def test_of_one_layer_and_one_step_both_rules_have_the_same_gradient():
    """Where no earlier spike can matter, back-propagation has nothing to add."""
    own = params(hidden=[12])
    weights, _ = network_of(own)
    c = Constants(0.8, 0.5, 0.0, burn_in=1, slope=10.0)
    frames = digits(own, 6).unpacked()[:2]
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    *_, last = seen(weights, c, frames)
    local = rules.local_gradients(c, weights, *last, target)
    whole = rules.end_to_end_gradients(c, weights, frames, target)
    np.testing.assert_allclose(whole[0][0], local[0][0], rtol=1e-4, atol=1e-8)
    assert np.abs(local[0][0]).max() > 0


def test_online_learning_is_the_step_by_step_loop():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    rate = jnp.float32(0.003)
    found = rules.learn_online(
        rules.start(weights, HOW, FREE), weights.g, frames, target, rate, c, FREE, HOW
    )
    now = rules.start(weights, HOW, FREE)
    state = network.silent(weights, 6)
    for index, spikes in enumerate(frames):
        current = Weights(now.w, now.b, weights.g)
        state, *these = network.step(c, current, state, spikes)
        if index >= c.burn_in:
            slopes = rules.local_gradients(c, current, *these, target)
            now = rules.update(now, slopes, rate, HOW)
    for a, b in zip(found.w, now.w, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_batched_learning_sums_the_same_gradients():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    total = 0
    for index, these in enumerate(seen(weights, c, frames)):
        if index >= c.burn_in:
            total += rules.local_gradients(c, weights, *these, target)[0][0]
    found = rules.learn_batched(
        rules.start(weights, HOW, FREE), weights.g, frames, target, jnp.float32(0.1), c, FREE, HOW
    )
    np.testing.assert_allclose(found.second[0][0], np.abs(total), rtol=1e-4, atol=1e-7)


def test_initial_potentials_have_unit_variance():
    own = params(hidden=[60, 50])
    for mean in (0.0, -1.0):
        frames = digits(own, 40).unpacked()
        c = learning.constants(own)
        weights = network.initial(
            model.sizes(own), 4, 0.5, mean, frames, c, np.random.default_rng(0)
        )
        u = [p for _, p, _ in seen(weights, c, frames)][c.burn_in :]
        for layer in range(2):
            values = np.stack([step[layer] for step in u])
            assert abs(values.std() - 1) < 0.05
            assert abs(values.mean() - mean) < 0.1


@pytest.mark.parametrize("rule", sorted(learning.LEARN))
def test_all_rules_learn(rule, monkeypatch):
    own = params(
        rule=rule, hidden=[24, 16], epochs=12, n_init=40,
        batch_online=20, batch_batched=20, batch_end_to_end=20,
        rate_online=0.01, rate_batched=0.05, rate_end_to_end=0.05,
    )  # fmt: skip
    sets = {"train": digits(own, 200), "validation": digits(own, 100, seed=1)}
    monkeypatch.setattr(task, "recordings_of", lambda _, split: sets[split])
    found = learning.train(own, "spiking", Streams(0), lambda *_: None)
    history = {(row["epoch"], row["metric"]): row["value"] for row in found.history}
    assert history[12, "validation_accuracy"] > 0.5
    assert history[12, "samples"] == 12 * 200
    per_batch = own.n_frames - model.burn_in(own) if rule == "online" else 1
    assert history[12, "updates"] == 12 * 10 * per_batch


def test_memory_of_local_learning_does_not_grow():
    own = params("memory", memory_frames=[20, 40, 80], batch_online=20)
    found = memory.curves(own)
    slopes = memory.slopes(own, found)
    assert slopes["memory_slope_ratio"] < 0.05
    # At least the spikes, potentials or traces of all layers are kept per step and sample.
    assert slopes["memory_slope_end_to_end"] > 4 * own.batch_online * sum(own.hidden)


def test_optimisers_are_those_of_optax():
    """Adamax with its first moment and Adam, five steps on a quadratic function."""
    import optax

    for how, reference in (
        (rules.Optimiser("adam", 0.9, 0.999), optax.adam(0.1)),
        (rules.Optimiser("adamax", 0.9, 0.95), optax.adamax(0.1, 0.9, 0.95)),
    ):
        values = [jnp.array([[1.0, -2.0]])], [jnp.array([0.5, 3.0])]
        now = rules.start(Weights(*values, []), how, FREE)
        state = reference.init(values)
        for _ in range(5):
            now = rules.update(now, (now.w, now.b), jnp.float32(0.1), how)
            moved, state = reference.update(values, state)
            values = optax.apply_updates(values, moved)
        np.testing.assert_allclose(now.w[0], values[0][0], rtol=1e-4)
        np.testing.assert_allclose(now.b[0], values[1][0], rtol=1e-4)


def test_votes_and_when_they_are_settled():
    own = params(burn_in_ms=15.0, n_frames=6)
    classes = np.array([[3, 0, 1, 1, 0, 1], [3, 2, 2, 2, 2, 2]])
    trials = model.decide(own, np.array([1, 2]), np.eye(4)[classes])
    np.testing.assert_array_equal(trials.choices, [1, 2])
    # First row after the burn-in: 0, 1 (tie, the lower leads), 1, 0 (tie), 1: settled in the last.
    np.testing.assert_array_equal(trials.decision_ms, [75.0, 15.0])


def test_frames_and_spikes_say_the_same():
    own = params()
    data = digits(own, 5)
    spikes = task.as_spikes(own, data, np.arange(5)).stimulus.spikes["events"]
    np.testing.assert_array_equal(task.frames_of(own, spikes), data.unpacked())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_brian_without_compiler_steps_as_jax_does():
    """The strings of both Brian2 models, run by Brian2's own NumPy, in float64."""
    own = params(hidden=[6, 5], n_frames=10)
    weights, c = network_of(own)
    given = task_of(own, 3)
    frames = jnp.asarray(task.frames_of(own, given.stimulus.spikes["events"]))
    jax_counts = [np.asarray(s) for s in network.responses(weights, frames, c)]
    assert 0.05 < jax_counts[0].mean() < 0.95
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(np.asarray(a), jnp.float64), weights)
        jax_counts = [
            np.asarray(s) for s in network.responses(double, jnp.asarray(frames, float), c)
        ]
    for kind in (model, plastic):
        values = kind.bind(own, as_network(weights)).values
        for trial in range(3):
            found = run_in_numpy(kind.brian_model(own), values, frames[:, trial])
            for name, expected in zip(model.names(own), jax_counts, strict=True):
                np.testing.assert_array_equal(found[name], expected[:, trial], err_msg=name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_brian_learns_by_the_local_gradient():
    """One update, in the last step: what the equations of both engines say must be the same."""
    own = params(hidden=[6, 5], n_frames=10)
    weights, c = network_of(own)
    given = task_of(own, 1)
    frames = jnp.asarray(task.frames_of(own, given.stimulus.spikes["events"]))
    target = jax.nn.one_hot(given.targets, own.n_classes)
    *_, last = seen(weights, c, frames)
    slopes = rules.local_gradients(c, weights, *last, target)
    control = np.zeros((own.n_frames, 2))
    control[-1, plastic.RATE] = 0.1
    arrays = {plastic.CONTROL: control, plastic.WANTED: np.asarray(target)}
    values = plastic.bind(own, as_network(weights)).values
    after = {}
    run_in_numpy(plastic.brian_model(own), values, frames[:, 0], arrays, after)
    for index, (w, b) in enumerate(zip(weights.w, weights.b, strict=True)):
        changed = after[f"s{index + 1}.w"].reshape(w.shape)
        np.testing.assert_allclose(changed - w, -0.1 * slopes[0][index], atol=1e-6)
        moved = after[f"layer{index + 1}.b"] - model.thresholds(b) - b
        np.testing.assert_allclose(moved, -0.1 * slopes[1][index], atol=1e-6)
        assert np.abs(slopes[0][index]).max() > 1e-5


def test_deviations_act_only_on_the_device_as_built():
    own = params("mismatch", n_relearn=4)
    data = digits(own, 20)
    binding = plastic.bind(own, as_network(network_of(own)[0]))
    condition = Condition(plastic.PERTURBATION, "neurons", 0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "recordings_of", lambda *_: data)
        patch.setattr(task, "make_task", lambda *_: task_of(own, 3))
        whole, bound = plastic.vary(
            own, condition, task_of(own, 3), binding, np.random.default_rng(0)
        )
    control = whole.stimulus.arrays[plastic.CONTROL]
    assert control.shape == (3 + 3 + 4 + 3, own.n_frames, 2)
    stages = plastic.periods(whole)
    assert [len(stages[k]) for k in ("designed", "built", "lesson", "relearned")] == [3, 3, 4, 3]
    assert not control[stages["designed"], :, plastic.BUILT].any()
    assert control[stages["built"], :, plastic.BUILT].all()
    assert not control[stages["built"], :, plastic.RATE].any()
    assert not control[stages["relearned"], :, plastic.RATE].any()
    assert not control[stages["lesson"], : model.burn_in(own), plastic.RATE].any()
    for name in ("designed", "built", "relearned"):
        np.testing.assert_array_equal(whole.targets[stages[name]], task_of(own, 3).targets)
    drawn = np.concatenate([bound.values[f"layer{k}.d_tau_m"] for k in (1, 2, 3)])
    assert 0.1 < drawn.std() < 0.3
    assert not np.any(binding.values["layer1.d_tau_m"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_deviating_neurons_have_their_own_threshold_and_time_constants():
    """A device as built in Brian2 against Eqs. 1 to 4 with one value per neuron."""
    own = params("mismatch", hidden=[6, 5], n_frames=10)
    weights, _ = network_of(own)
    frames = task.frames_of(own, task_of(own, 1).stimulus.spikes["events"])
    values = dict(plastic.bind(own, as_network(weights)).values)
    rng = np.random.default_rng(3)
    spikes = frames[:, 0].astype(float)
    expected = {}
    for k, (name, w, b) in enumerate(zip(model.names(own), weights.w, weights.b, strict=True), 1):
        off = {key: rng.uniform(-0.4, 0.4, b.size) for key in plastic.DEVIATING}
        values |= {f"{name}.d_{key}": off[key] for key in plastic.DEVIATING}
        w, b, v_th = np.asarray(w, float), np.asarray(b, float), model.thresholds(b)
        alpha, beta, gamma = (
            np.exp(-own.dt_ms / (tau * (1 + off[key]))) for key, tau in model.taus(own).items()
        )
        v = i_syn = r = np.zeros(b.size)
        fired = []
        for now in spikes:
            v, i_syn = alpha * v + (1 - alpha) * i_syn, beta * i_syn
            s = (v + b + v_th + r > v_th * (1 + off["v_th"])).astype(float)
            r = gamma * r - (1 - gamma) * s
            i_syn = i_syn + (1 - beta) * (now @ w)
            fired.append(s)
        expected[name] = spikes = np.stack(fired)
        assert values[f"s{k}.w"].shape == w.shape
    control = np.zeros((own.n_frames, 2))
    control[:, plastic.BUILT] = 1
    arrays = {plastic.CONTROL: control}
    found = run_in_numpy(plastic.brian_model(own), values, frames[:, 0], arrays)
    plain = run_in_numpy(plastic.brian_model(own), values, frames[:, 0])
    for name, spikes in expected.items():
        np.testing.assert_array_equal(found[name], spikes, err_msg=name)
    assert any((plain[name] != found[name]).any() for name in expected)


def test_regained_is_a_share_of_a_loss_that_there_is():
    own = params("mismatch", least_loss=0.1)
    given = task_of(own, 40)
    control = np.zeros((40, own.n_frames, 2))
    control[10:, :, plastic.BUILT] = 1
    control[20:30, -1, plastic.RATE] = 0.1
    stimulus = replace(given.stimulus, arrays={plastic.CONTROL: control})
    given = replace(given, targets=np.arange(40) % 4, stimulus=stimulus)

    def measured(n_wrong_built, n_wrong_relearned):
        choices = given.targets.copy()
        choices[10 : 10 + n_wrong_built] += 1
        choices[30 : 30 + n_wrong_relearned] += 1
        readout = np.eye(5)[choices][:, None, :].repeat(own.n_frames, axis=1)
        name = f"readout{len(own.hidden)}"
        recording = Recording({}, {name: readout}, {name: own.dt_ms})
        condition = Condition(plastic.PERTURBATION, "neurons", 0.4)
        return plastic.measures(own, condition, recording, given)

    found = measured(4, 1)
    assert found["lost"] == pytest.approx(0.4)
    assert found["regained"] == pytest.approx(0.75)
    assert np.isnan(measured(0, 3)["regained"])


def test_pressure_falls_on_neurons_above_the_target_only():
    rule = Rule(target_rate=0.05, pressure=0.2, renewal=0.1)
    np.testing.assert_allclose(rules.push(rule, jnp.array([0.01, 0.05, 0.1])), [0, 0, 0.2])
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    now = rules.start(weights, HOW, rule)
    rate = jnp.float32(0.0)
    after = rules.learn_online(now, weights.g, frames, target, rate, c, rule, HOW)
    rates = np.full(own.hidden[0], rule.target_rate)
    for index, (fired, *_) in enumerate(seen(weights, c, frames)):
        if index >= c.burn_in:
            rates = 0.9 * rates + 0.1 * np.asarray(fired[0]).mean(axis=0)
    np.testing.assert_allclose(after.activity[0], rates, atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_regression_learns_in_brian_as_the_equations_say():
    own = params("regression", n_in=8, hidden=[6, 5, 4], trial_ms=100.0)
    given = regression.make_task(own, Streams(1))
    raster = regression.raster_of(own, given)
    start = regression.initial(own, raster, Streams(1))
    eta = 1e-5
    values = regression.bind(own, start, eta).values
    after = {}
    run_in_numpy(
        regression.brian_model(own), values, raster,
        {regression.WANTED: regression.series(own)}, after,
    )  # fmt: skip
    expected = regression.one_trial(own, start, raster, eta)
    for k, w in enumerate(model.weights_of(start)[0]):
        found = after[f"s{k + 1}.w"].reshape(w.shape) - w
        np.testing.assert_allclose(found / eta, (expected[k] - w) / eta, rtol=1e-3, atol=1e-3)
        assert np.abs(found / eta).max() > 0.01


def test_gru_is_the_step_by_step_loop():
    own = params(n_gru=5)
    arrays = {k: np.asarray(x, float) for k, x in gru.initial(own, Streams(0)).items()}
    arrays["bias"] = np.linspace(-1, 1, 15)
    frames = digits(own, 3).unpacked()
    h = np.zeros((3, 5))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    for now in frames:
        drive = now @ arrays["input"] + arrays["bias"]
        keep = sigmoid(drive[:, :5] + h @ arrays["state"][:, :5])
        reset = sigmoid(drive[:, 5:10] + h @ arrays["state"][:, 5:10])
        new = np.tanh(drive[:, 10:] + (reset * h) @ arrays["state"][:, 10:])
        h = keep * h + (1 - keep) * new
    found = gru.readout(arrays, frames)
    np.testing.assert_allclose(found[-1], h @ arrays["out"], atol=1e-4)


def made_results():
    """Invented rows of all that the figures read, for two seeds."""
    history, metrics = [], []
    for (experiment, variant), _ in drawing.RULES.items():
        for seed in (0, 1):
            for epoch in (1, 2, 3):
                for metric, value in (
                    ("validation_accuracy", 0.9 + 0.02 * epoch + 0.001 * seed),
                    ("samples", 1000 * epoch),
                    ("updates", 10 * epoch),
                ):
                    history.append((experiment, variant, seed, epoch, metric, value))
            for layer in (1, 2, 3):
                for metric, value in (("accuracy", 0.9 + 0.01 * layer), ("activity", 0.1 / layer)):
                    place = (experiment, variant, seed, "brian2", "none", 0.0)
                    metrics.append((*place, f"{metric}_layer{layer}", value + 0.002 * seed))
    for rule, slope in (("local", 0), ("end_to_end", 1000)):
        for n in (30, 60):
            history.append(("memory", "spiking", 0, n, f"memory_{rule}", 1e5 + slope * n))
    for seed in (0, 1):
        for level in (0.1, 0.4):
            for metric, value in zip(drawing.STAGES, (0.95, 0.95 - level, 0.94), strict=True):
                place = ("mismatch", "spiking", seed, "brian2", "device", level)
                metrics.append((*place, metric, value))
    for epoch in (1, 6):
        for k in (1, 2, 3):
            history.append(("regression", "spiking", 0, epoch, f"nmse_layer{k}", k / epoch))
    columns = ("experiment", "variant", "seed", "engine", "perturbation", "strength")
    return (
        pd.DataFrame(history, columns=pd.Index(tables.HISTORY_COLUMNS)),
        pd.DataFrame(metrics, columns=pd.Index([*columns, "metric", "value"])),
    )


def test_figures_say_what_the_tables_say():
    history, metrics = made_results()
    learned = drawing.learning(history)
    assert "back-propagation ends at 0.96" in learned.alt
    told = drawing.layers(metrics).alt
    assert "local, every step: accuracy 0.911 / 0.921 / 0.931, activity 0.101 / 0.051" in told
    assert "back-propagation from 0.13 to 0.16 MB" in drawing.memory(history).alt
    assert "40 %: as designed 0.950, as built 0.550, relearned 0.940" in drawing.device(metrics).alt
    with pytest.raises(NotMeasuredError):
        drawing.learning(history[history["experiment"] == "memory"])
    with pytest.raises(NotMeasuredError):
        drawing.device(metrics[metrics["experiment"] == "nmnist"])
    arrays = {
        "digit.input_t_ms": np.array([0.0, 110.0, 300.0]),
        "digit.input_x": np.array([1, 2, 3]),
        "digit.input_y": np.array([1, 2, 3]),
        "digit.input_on": np.array([1, 0, 1]),
        "digit.target": np.array(2),
        "digit.dt_ms": np.array(7.5),
    }
    for k in (1, 2, 3):
        arrays[f"digit.layer{k}_t_ms"] = np.array([10.0, 20.0])
        arrays[f"digit.layer{k}_unit"] = np.array([0, 1])
        arrays[f"digit.readout{k}"] = np.eye(10)[np.full(42, 2)]
    told = drawing.series(
        {
            "series.target": np.zeros((20, 3)),
            "series.output": np.ones((20, 3)),
            "series.dt_ms": np.array(1.0),
        },
        history,
    ).alt
    assert "layer 3 from 3.00 to 0.500" in told
    assert "Digit 2: 3 events, 2, 2, 2 spikes" in drawing.one_digit(arrays).alt
    assert "42 of 42 votes" in drawing.one_digit(arrays).alt


def run_in_numpy(built, values, frames, arrays=None, after=None):
    """Spikes of all populations in one trial, (time, neuron), by Brian2's runtime mode.

    Args:
        built: The model.
        values: Its numbers.
        frames: Input spikes, (time, input).
        arrays: Values of timed arrays by name, for one trial.
        after: Filled with the values at the end, by the names in `values`.
    """
    import brian2
    from brian2 import ms

    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = built.dt_ms * ms
    step, channel = np.nonzero(np.asarray(frames))
    generator = brian2.SpikeGeneratorGroup(
        frames.shape[1], channel, step * built.dt_ms * ms, name="generator"
    )
    made = built.construct(dict.fromkeys(built.inputs, generator))
    named = {item.name: item for item in made}
    for key, value in values.items():
        owner, _, variable = key.rpartition(".")
        getattr(named[owner], variable + ("_" if variable.startswith("tau") else ""))[:] = np.ravel(
            value
        )
    for owner, code in built.reset.items():
        named[owner].run_regularly(code, dt=built.trial_ms * ms, when="start")
    monitors = {n: brian2.SpikeMonitor(named[n]) for n in built.record_spikes}
    for name, rows in (arrays or {}).items():
        # In place, since the generated code holds the array.
        known = [o.namespace[name] for o in made if name in (getattr(o, "namespace", None) or {})]
        known[0].values[: len(rows)] = rows
        assert all(array is known[0] for array in known)
    net = brian2.Network(generator, *made, *monitors.values())
    net.schedule = list(built.schedule)
    n_steps = frames.shape[0]
    net.run(n_steps * built.dt_ms * ms, namespace={})
    if after is not None:
        after |= {
            key: np.array(getattr(named[key.partition(".")[0]], key.partition(".")[2] + "_")[:])
            for key in values
        }
    found = {}
    for name, monitor in monitors.items():
        raster = np.zeros((n_steps, len(named[name])))
        raster[np.rint(monitor.t / ms / built.dt_ms).astype(int), monitor.i] = 1
        found[name] = raster
    return found
