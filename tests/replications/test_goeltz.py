"""What is special to this talk: its loss, its bump rule, its distortions, its two engines."""

from dataclasses import replace

import numpy as np
import pytest

import whyspiking.replications.goeltz as goeltz
from whyspiking import first_spike, registry
from whyspiking.contract import Condition, Network, Params
from whyspiking.datasets import mnist, yinyang
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import distortion, examples, learning, model, task


def params(experiment="yinyang", scale="smoke", **changes):
    entry = registry.load_talk("goeltz").experiments[experiment]
    values = dict(entry.published)
    values.update({k: v["value"] for k, v in entry.scaled.get(scale, {}).items()})
    return Params("goeltz", experiment, scale, {**values, **changes})


def silent(share, news):
    """Progress that nobody reads."""


@pytest.fixture(scope="module", params=[1, 2])
def trained(request):
    """A small network for each ratio of time constants."""
    own = params(
        "yinyang" if request.param == 1 else "yinyang_2tau", epochs=12, n_train=3000, batch=100
    )
    return own, learning.train(own, Streams(0), silent)


# ---- task ----------------------------------------------------------------------------------


def test_values_become_latencies():
    own = params()
    found = goeltz.make_task(own, "test", Streams(0))
    features, classes = yinyang.generate(40, 1000)
    first = found.stimulus.spikes["input"].first_ms()
    np.testing.assert_allclose(first[:, :4], 0.15 + 1.85 * features)
    np.testing.assert_array_equal(first[:, 4], 0.9)
    np.testing.assert_array_equal(found.targets, classes)
    assert found.n_classes == 3 and found.features.shape == (1000, 4)
    fresh = goeltz.make_task(own, "fresh", Streams(1))
    assert len(fresh.targets) == own.n_fresh


def test_digits_become_latencies(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 28, 28), np.uint8)
    monkeypatch.setattr(task, "MNIST_VALIDATION", 10)
    monkeypatch.setattr(mnist, "load", lambda folder, split: (images, np.arange(30) % 10))
    mnist._flat.cache_clear()
    own = params("mnist", n_train=20, n_validation=10, n_test=4)
    try:
        train, _ = task.samples(own, "train")
        validation, labels = task.samples(own, "validation")
        assert len(train) == 20 and len(validation) == 10
        np.testing.assert_array_equal(labels, np.arange(20, 30) % 10)
        test = goeltz.make_task(own, "test", Streams(0))
        assert goeltz.make_task(own, "fresh", Streams(0)) is None
        with pytest.raises(UserError, match=r"784 pixels.*'goeltz' has 100"):
            task.samples(params("mnist", n_input=100), "test")
    finally:
        mnist._flat.cache_clear()
    first = test.stimulus.spikes["input"].first_ms()
    dark = 1 - images[:4].reshape(4, -1) / 256
    np.testing.assert_allclose(first, 0.15 + 1.85 * dark, atol=1e-6)
    assert np.isfinite(first).all()


# ---- loss and bump -------------------------------------------------------------------------


def test_loss_gradient_is_its_derivative():
    own = params()
    rng = np.random.default_rng(0)
    times = rng.uniform(0.5, 3, (6, 3))
    times[1, 2] = np.inf
    targets = rng.integers(0, 2, 6)
    times[2, targets[2]] = np.inf
    _value, gradient = learning.loss(times, targets, own)
    assert (gradient[2] == 0).all() and gradient[1, 2] == 0
    for index in np.ndindex(times.shape):
        if np.isfinite(times[index]) and index[0] != 2:
            sides = []
            for step in (1e-6, -1e-6):
                moved = times.copy()
                moved[index] += step
                sides.append(learning.loss(moved, targets, own)[0])
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-6)
    # One sample by hand.
    t, n = times[0], targets[0]
    alone, _ = learning.loss(times[:1], targets[:1], own)
    expected = np.log(np.exp(-t / 0.2).sum()) + t[n] / 0.2 + 0.005 * np.exp(t[n])
    assert alone == pytest.approx(expected)
    assert learning.loss(times[2:3], targets[2:3], own)[0] == 100
    # Where every output is silent the loss is still a number.
    assert learning.loss(np.full((2, 3), np.inf), targets[:2], own)[0] == 100


def spikes_with(hidden, output):
    layers = [
        first_spike.LayerOutput(np.asarray(t, float), np.ones(np.shape(t)))
        for t in (hidden, output)
    ]
    return model.Pass(np.zeros((2, 1)), layers[0], layers[0].times, layers[1])


def test_bump_rule():
    """First offending layer, doubling while it offends, back to the start when another does."""
    inf = np.inf
    good = spikes_with([[1, 1], [1, 1]], [[1, 1], [1, 1]])
    hidden = spikes_with([[inf, 1], [inf, 1]], [[inf, 1], [1, 1]])
    output = spikes_with([[inf, 1], [1, 1]], [[inf, 1], [1, 1]])
    weights = (np.zeros((3, 2)), np.zeros((2, 2)))
    bump = learning.Bump(0.1, (0.3, 0.0))
    assert bump.offending(good) is None
    assert bump.offending(hidden) == 0
    lifted = bump.apply(weights, hidden, 0)
    np.testing.assert_allclose(lifted[0], [[0.1, 0]] * 3)
    assert (lifted[1] == 0).all()
    assert bump.offending(hidden) == 0 and bump.amount == pytest.approx(0.2)
    assert bump.offending(hidden) == 0 and bump.amount == pytest.approx(0.4)
    assert bump.offending(output) == 1 and bump.amount == pytest.approx(0.1)
    np.testing.assert_allclose(bump.apply(weights, output, 1)[1], [[0.1, 0]] * 2)
    assert bump.offending(good) is None
    assert bump.offending(output) == 1 and bump.amount == pytest.approx(0.1)


def test_faithful_rule_skips_the_gradient_step():
    """With all neurons silent nothing but the bump changes the weights."""
    own = params(n_train=100, batch=100, epochs=1, bump_rule="faithful", schedule="step")
    start = tuple(np.full_like(w, -1) for w in learning.initial_weights(own, Streams(0)))
    found = learning.train(own, Streams(0), silent, start=start)
    np.testing.assert_allclose(found.arrays["w_hidden"], -1 + own.bump, atol=1e-6)
    np.testing.assert_allclose(found.arrays["w_output"], -1, atol=1e-6)


@pytest.mark.parametrize("whole_epochs", [True, False])
def test_training_that_diverges_keeps_the_last_good_network(monkeypatch, caplog, whole_epochs):
    own = params(n_hidden=20, n_train=300, n_validation=100, epochs=5, batch=100)
    options = {} if whole_epochs else {"distortion": learning.Distortion()}
    broken: set[int] = set()
    monkeypatch.setattr(
        learning, "learning_rate", lambda params, epoch, n: np.nan if epoch in broken else 5e-3
    )
    good = learning.train(own, Streams(0), silent, epochs=2, **options)
    broken.add(2)
    found = learning.train(own, Streams(0), silent, **options)
    # Three batches per epoch.
    assert found.info["stopped"] == "epoch 3, step 7" and "epoch 3, step 7" in caplog.text
    assert found.info["epochs"] == 2 and not good.info["stopped"]
    for name, values in good.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], values)
    broken.add(0)
    with pytest.raises(UserError, match="epoch 1, step 1, before"):
        learning.train(own, Streams(0), silent, **options)


def test_learning_rates():
    own = params(scale="paper")
    assert learning.learning_rate(own, 19, 300) == 0.005
    assert learning.learning_rate(own, 40, 300) == pytest.approx(0.005 * 0.95**2)
    cosine = params(scale="smoke")
    assert learning.learning_rate(cosine, 0, 40) == 0.005
    assert learning.learning_rate(cosine, 20, 40) == pytest.approx(0.0025)


# ---- learning ------------------------------------------------------------------------------


def test_network_gradient_is_central_difference(trained):
    own, network = trained
    test = goeltz.make_task(own, "test", Streams(0))
    times = test.stimulus.spikes["input"].first_ms()[:20]
    targets = test.targets[:20]
    weights = tuple(network.arrays[name].astype(float) for name in learning.NAMES)
    forward = model.ideal_substrate(own)
    free = replace(own, values={**own.values, "max_dw_norm": np.inf})
    spikes = forward(times, weights)
    _value, by_time = learning.loss(spikes.output.times, targets, own)
    found = model.gradients(free, spikes, weights, by_time)
    rng = np.random.default_rng(0)
    for layer in (0, 1):
        direction = rng.normal(size=weights[layer].shape)
        sides = []
        for step in (1e-6, -1e-6):
            moved = [w.copy() for w in weights]
            moved[layer] += step * direction
            sides.append(learning.loss(forward(times, tuple(moved)).output.times, targets, own)[0])
        expected = (sides[0] - sides[1]) / 2e-6
        assert np.sum(found[layer] * direction) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_it_learns(trained):
    own, network = trained
    losses = [row["value"] for row in network.history if row["metric"] == "train_loss"]
    assert losses[-1] < 0.5 * losses[0]
    outcome = goeltz.evaluate(own, "spiking", network, goeltz.make_task(own, "test", Streams(0)))
    # A linear classifier reaches 0.66.
    assert (outcome.choices == outcome.targets).mean() > 0.75
    assert network.info["engine"] in ("compiled", "jax") and network.info["epochs"] == 12
    assert {"validation_accuracy", "silent_hidden", "bumped_batches", "train_accuracy"} <= {
        row["metric"] for row in network.history
    }


def test_jax_engine_learns_the_same():
    """One epoch in either engine from the same start ends at nearly the same weights."""
    found = [
        learning.train(params(n_train=200, epochs=1, engine=name), Streams(0), silent)
        for name in ("compiled", "jax")
    ]
    assert [network.info["engine"] for network in found] == ["compiled", "jax"]
    start = learning.initial_weights(params(), Streams(0))
    for name, before in zip(learning.NAMES, start, strict=True):
        ours, theirs = (network.arrays[name] for network in found)
        assert np.abs(ours - before).max() > 1e-3
        assert np.quantile(np.abs(ours - theirs), 0.95) < 1e-4


def test_decisions():
    own = params()
    found = goeltz.make_task(own, "test", Streams(0))
    some = replace(found, targets=found.targets[:3])
    times = np.array([[2, 1, 1], [np.inf] * 3, [np.inf, 5, 3]])
    trials = model.decide(times, some, own)
    np.testing.assert_array_equal(trials.choices, [1, -1, 2])
    np.testing.assert_array_equal(trials.decision_ms, [1, np.inf, 3])


# ---- distortions ---------------------------------------------------------------------------


def test_uneven_substrate_without_spread_is_ideal(trained):
    own, network = trained
    weights = tuple(network.arrays[name].astype(float) for name in learning.NAMES)
    taus = distortion.spread_taus(own, Condition("tau_spread", "neurons", 0.0), Streams(0))
    times = goeltz.make_task(own, "test", Streams(0)).stimulus.spikes["input"].first_ms()[:100]
    ideal, found = (
        f(times, weights) for f in (model.ideal_substrate(own), model.uneven_substrate(own, taus))
    )
    for name in ("hidden", "output"):
        a, b = getattr(ideal, name), getattr(found, name)
        fired = np.isfinite(a.times)
        np.testing.assert_array_equal(fired, np.isfinite(b.times))
        np.testing.assert_allclose(b.times[fired], a.times[fired], atol=1e-9)
        np.testing.assert_allclose(b.slopes, a.slopes, atol=1e-6)


def test_distorted_weights_have_few_values_in_range():
    rng = np.random.default_rng(0)
    ideal = (rng.normal(size=(5, 8)), rng.normal(size=(9, 3)))
    wider = tuple(3 * w for w in ideal)
    for bits in (2, 3, 6):
        held = distortion.distorted_weights(Condition("quantise", "weights", bits), wider, ideal)
        for w, i in zip(held, ideal, strict=True):
            assert np.abs(w).max() == pytest.approx(np.abs(i).max())
            step = np.abs(i).max() / (2 ** (bits - 1) - 1)
            np.testing.assert_allclose(w / step, np.round(w / step), atol=1e-9)
    held = distortion.distorted_weights(Condition("clip", "weights", 0.4), wider, ideal)
    for w, i in zip(held, ideal, strict=True):
        assert np.abs(w).max() == pytest.approx(0.4 * np.abs(i).max())
    jitter = Condition("jitter", "input", 0.1)
    assert distortion.distorted_weights(jitter, wider, ideal) is wider


def test_jitter_reflects_and_keeps_silence():
    times = np.array([[0.01, np.inf]] * 2000)
    moved = distortion.jittered(times, 0.2, np.random.default_rng(0))
    assert (moved[:, 0] >= 0).all() and np.isinf(moved[:, 1]).all()
    assert moved[:, 0].std() == pytest.approx(0.2 * np.sqrt(1 - 2 / np.pi), rel=0.1)


@pytest.fixture(scope="module")
def retrained():
    """A network retrained on every kind of distortion, and the one it came from."""
    own = params("distortion", epochs=2, n_train=1000)
    base = params(epochs=12, n_train=3000, batch=100)
    parent = learning.train(base, Streams(0), silent)
    parents = {"yinyang/spiking": parent}
    news = []
    found = goeltz.train(own, "retrained", Streams(0), parents, lambda s, text: news.append(s))
    assert news == sorted(news) and news[-1] == 1.0
    plain = goeltz.train(own, "unadapted", Streams(0), parents, silent)
    return own, parent, plain, found


def test_retraining_keeps_a_form_per_distortion(retrained):
    own, parent, plain, found = retrained
    names = {distortion.name_of(c) for c in goeltz.conditions(own)}
    assert len(names) == 5
    forms = goeltz.bind(own, found).forms
    assert set(forms) == names
    for name in names:
        assert (forms[name]["w_hidden"] != parent.arrays["w_hidden"]).any()
    assert set(goeltz.bind(own, plain).forms) == {"tau_spread.neurons.0.2"}
    # Both variants sit on the same uneven substrate.
    for key, array in plain.arrays.items():
        if "tau_m" in key or "tau_s" in key:
            np.testing.assert_array_equal(array, found.arrays[key])
            assert 0.1 < (array / array.mean()).std() < 0.3 or array.size == own.n_output
    assert found.info["epochs"] == own.epochs * 5


def test_conditions_act_where_they_should(retrained):
    own, _parent, plain, found = retrained
    test = goeltz.make_task(own, "test", Streams(0))
    for network in (plain, found):
        binding = goeltz.bind(own, network)
        for condition in goeltz.conditions(own):
            rng = np.random.default_rng(0)
            changed, bound = goeltz.vary(own, condition, test, binding, rng)
            spikes = changed.stimulus.spikes
            same_weights = np.array_equal(bound.values["s_hidden.w"], binding.values["s_hidden.w"])
            assert same_weights == (
                network is plain and condition.perturbation in ("jitter", "tau_spread")
            )
            uneven = not np.array_equal(
                bound.values["hidden.tau_m"], binding.values["hidden.tau_m"]
            )
            assert uneven == (condition.perturbation == "tau_spread")
            moved = spikes["input"].first_ms() != test.stimulus.spikes["input"].first_ms()
            assert moved[:, 4].sum() == 0
            assert moved[:, :4].all() == (
                (condition.perturbation, condition.locus) == ("jitter", "input")
            )
            replayed = "hidden_replay" in spikes
            assert replayed == ((condition.perturbation, condition.locus) == ("jitter", "hidden"))
            assert (
                (bound.values["hidden.v_th"] == 1e9)
                if replayed
                else np.all(bound.values["hidden.v_th"] == 1.0)
            )
    with pytest.raises(TypeError, match="binding"):
        plain_binding = model.bind(own, (plain.arrays["w_hidden"], plain.arrays["w_output"]))
        goeltz.vary(own, goeltz.conditions(own)[0], test, plain_binding, np.random.default_rng(0))


def test_learning_on_a_substrate_helps_there(retrained):
    """Weights of two bits, on validation data, in closed form."""
    own, parent, plain, _ = retrained
    only = {"bits": [2], "tau_spreads": [], "ranges": [], "jitters": []}
    longer = replace(own, values={**own.values, "epochs": 6, **only})
    found = distortion.retrain(longer, Streams(0), parent, silent)
    held_out = goeltz.make_task(own, "validation", Streams(0))
    condition = Condition("quantise", "weights", 2.0)
    scores = []
    for network in (plain, found):
        binding = goeltz.bind(own, network)
        form = binding.forms.get(distortion.name_of(condition))
        weights = (
            (form["w_hidden"], form["w_output"])
            if form
            else distortion.distorted_weights(condition, binding.weights, binding.weights)
        )
        scores.append(model.accuracy(own, weights, held_out, model.ideal_substrate(own)))
    assert scores[1] > scores[0] + 0.05


# ---- Brian2 --------------------------------------------------------------------------------


def test_structure_is_shared_by_experiments_of_equal_size():
    models = [
        goeltz.to_brian(params(name, scale="default"))
        for name in ("yinyang", "yinyang_2tau", "distortion")
    ]
    for other in models[1:]:
        assert other.definition == models[0].definition and other.reset == models[0].reset
        assert (other.name, other.max_trials) == (models[0].name, models[0].max_trials)
        assert (other.dt_ms, other.trial_ms) == (models[0].dt_ms, models[0].trial_ms)


def test_binding_places_the_bias(trained):
    own, network = trained
    binding = goeltz.bind(own, network)
    w_output = network.arrays["w_output"]
    np.testing.assert_allclose(binding.values["s_output.w"], w_output[:-1])
    np.testing.assert_allclose(binding.values["s_direct.w"][4], w_output[-1])
    assert (binding.values["s_direct.w"][:4] == 0).all()
    assert set(binding.layers) <= set(binding.values)
    assert all(
        layer.weights.shape == np.shape(binding.values[k]) for k, layer in binding.layers.items()
    )
    assert np.all(binding.values["hidden.v_th"] == 1 / own.tau_ratio)


@pytest.mark.slow
def test_brian_is_the_closed_form(trained, tmp_path_factory):
    from whyspiking.brian import Machine

    own, network = trained
    machine = Machine(goeltz.to_brian(own), tmp_path_factory.getbasetemp() / "build")
    test = goeltz.make_task(own, "test", Streams(0))

    def simulate(network, task):
        return machine.run(task.stimulus, goeltz.bind(own, network).values)

    recording = simulate(network, test)
    ours, theirs = (
        goeltz.decode(own, recording, test),
        goeltz.evaluate(own, "spiking", network, test),
    )
    assert (ours.choices == theirs.choices).mean() >= 0.995
    for name, first in goeltz.reference_first_ms(own, "spiking", network, test).items():
        found = recording.spikes[name].first_ms()
        assert (np.isfinite(found) == np.isfinite(first)).mean() > 0.999
        both = np.isfinite(found) & np.isfinite(first)
        errors = np.abs(found[both] - first[both])
        assert np.median(errors) < 2e-4 and np.quantile(errors, 0.9) < 2e-3

    # Neurons with time constants of their own, against the numerical event-driven solution.
    taus = distortion.spread_taus(own, Condition("tau_spread", "neurons", 0.3), Streams(3))
    changes = {
        f"{layer}.{tau}": taus[f"{tau}_{layer}"] * 1e-3
        for layer in ("hidden", "output")
        for tau in ("tau_m", "tau_s")
    }
    weights = tuple(network.arrays[name] for name in learning.NAMES)
    times = test.stimulus.spikes["input"].first_ms()[:300]
    chip = model.brian_substrate(own, machine, changes)(times, weights)
    numeric = model.uneven_substrate(own, taus)(times, weights)
    for name in ("hidden", "output"):
        a, b = getattr(chip, name).times, getattr(numeric, name).times
        b = np.where(b <= own.trial_ms, b, np.inf)
        assert (np.isfinite(a) == np.isfinite(b)).mean() > 0.995
        both = np.isfinite(a) & np.isfinite(b)
        assert np.median(np.abs(a[both] - b[both])) < 2e-4
    assert (numeric.hidden.times != model.ideal_substrate(own)(times, weights).hidden.times).any()

    # Hidden spikes replayed in place of the silenced layer decide the same.
    replayed = replace(
        test,
        stimulus=replace(
            test.stimulus,
            spikes={**test.stimulus.spikes, "hidden_replay": recording.spikes["hidden"]},
        ),
    )
    values = {**goeltz.bind(own, network).values, "hidden.v_th": 1e9}
    again = goeltz.decode(own, machine.run(replayed.stimulus, values), test)
    np.testing.assert_array_equal(again.choices, ours.choices)
    # A spike that an arrival within the step has caused may be replayed one step earlier, which an
    # output that just grazes its threshold turns into a later spike.
    moved = np.abs(again.decision_ms - ours.decision_ms)[np.isfinite(ours.decision_ms)]
    assert (moved < 1e-9).mean() > 0.97 and (moved < 0.01).mean() > 0.99

    # Figures: the drawn potentials reach one where the neurons fired.
    arrays = examples.collect(own, {("spiking", 0): network}, simulate, Streams(0))
    assert arrays["map.first_ms"].shape == (examples.MAP_SIDE, examples.MAP_SIDE, 3)
    time, v = arrays["trace.time_ms"], arrays["trace.v_output"]
    for n, moment in enumerate(arrays["trace.output_ms"]):
        before = v[time < moment - 0.02, n]
        assert before.max(initial=-1) < 1.01
        if np.isfinite(moment):
            assert np.interp(moment, time, v[:, n]) == pytest.approx(1, abs=0.02)


def test_no_exhibits_without_a_spiking_network():
    assert examples.collect(params(), {("mlp", 0): Network({})}, silent, Streams(0)) == {}
