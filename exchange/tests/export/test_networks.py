"""Networks in NIR: constants for Euler steps, what is refused, another simulator's decisions.

Norse runs the graphs where it is installed: `uv pip install nir nirtorch norse`, or, in an
interpreter of its own, WHYSPIKING_PEERS=/path/to/python. Else those tests are skipped.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made import others, scripts
from made.checkouts import ROOT

from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.datasets import recordings
from whyspiking.declared import plans, registry
from whyspiking.declared.config import at_scale
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking.stages import data as making
from whyspiking.stages import train as replicate
from whyspiking.talks import talk_module
from whyspiking.talks.ground import networks as ground
from whyspiking.talks.ground import references
from whyspiking.talks.ground import trained as of_ground
from whyspiking.tasks import generators
from whyspiking.training.reference import units
from whyspiking_exchange.export import __main__, networks
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, arranging, model, script
from whyspiking_exchange.nir.graph import raster
from whyspiking_exchange.nir.layers import first_step, first_to_fire

READER = str(ROOT / "tests" / "peers" / "norse_reader.py")


def config():
    return at_scale("smoke", ROOT / "config")


def euler(node, dt, train):
    """Potentials of one CubaLIF neuron as importers integrate it, without threshold; (time,)."""
    _, p = node
    i, v, seen = 0.0, 0.0, []
    for s in train:
        i += dt / p["tau_syn"][0] * (p["w_in"][0] * s - i)
        v += dt / p["tau_mem"][0] * (p["r"][0] * i - v)
        seen.append(v)
    return np.array(seen)


@pytest.mark.parametrize("tau_m_ms", [1.0, 2.0])
@pytest.mark.parametrize("step_ms", [0.01, 0.2])
def test_euler_steps_give_the_exact_potential(tau_m_ms, step_ms):
    clock = Clock(step_ms)
    graph = Graph()
    graph.current_based("n", 1, clock, tau_m_ms=tau_m_ms, tau_s_ms=1.0, threshold=1e9)
    train = np.zeros(30)
    train[[2, 7]] = [0.8, -0.3]
    found = euler(graph.nodes["n"], clock.step, train)
    at = (np.arange(30) + 1) * step_ms
    expected = np.zeros(30)
    for k, w in ((2, 0.8), (7, -0.3)):
        d = np.maximum(at - k * step_ms, 0)
        # README of goeltz, section 2.
        expected += w * (d * np.exp(-d) if tau_m_ms == 1 else np.exp(-d / 2) - np.exp(-d))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_leaky_integrators_keep_what_an_exact_solution_keeps():
    clock = Clock(4.0)
    graph = Graph()
    graph.leaky("li", np.array([10.0, 80.0]), clock)
    tau = graph.nodes["li"][1]["tau"]
    np.testing.assert_allclose(1 - clock.step / tau, np.exp(-4.0 / np.array([10.0, 80.0])))
    np.testing.assert_allclose(Clock(4.0, "exact").tau(80.0), 0.08)


def test_spikes_fall_into_the_step_that_holds_them():
    found = raster(np.array([[0.0, 0.299999999999, 0.3, np.inf, 9.0]]), Clock(0.1), 5)
    assert [found[0, :, k].argmax() for k in range(3)] == [0, 3, 3]
    assert not found[0, :, 3:].any()


def test_first_to_fire_takes_the_lower_class_in_a_tie():
    outputs = np.zeros((3, 4, 3))
    outputs[0, 2, 1:] = 1
    outputs[1, 3, 0] = outputs[1, 1, 2] = 1
    assert first_to_fire(first_step(outputs), 4).tolist() == [1, 2, -1]


def test_what_cannot_be_expressed_says_why():
    expected = {
        ("clopath", "sine"): "quadratic",
        ("naud", "xor"): "compartments",
        ("naud", "mnist_deep"): "without spikes",
        ("scherr", "evidence"): "refractory",
        ("scherr", "oneshot"): "cannot express learning",
        ("masquelier", "words"): "Delay",
        ("comsa", "boolean"): "all networks of all gates",
        ("goeltz", "substrates"): "imperfections",
        ("bohte", "ecg"): "product of two states",
        ("neftci", "mismatch"): "learn while they run",
        ("neftci", "mnist_poisson"): "maximum of the potentials",
        ("ground", "randman_mapped"): "slope changes",
    }
    arrays = {name: np.zeros((3, 2)) for name in ("w1", "b1", "g1", "w_hidden", "w_output")}
    for (talk, experiment), reason in expected.items():
        params = registry.params(registry.load_talk(talk).experiments[experiment], config())
        trained = networks.Trained(
            Path("x"), params, "spiking", Network(arrays, {"cell": "alif", "adaptation": 1.8})
        )
        with pytest.raises(NotExpressible, match=reason):
            trained.nir.to_nir(params, "spiking", trained.network, Clock(1.0))


def test_every_talk_says_whether_its_networks_are_graphs():
    for talk in registry.available():
        reason = getattr(talk_module(talk), "NOT_EXPRESSIBLE", "")
        written = (ROOT / "exchange/whyspiking_exchange/talks" / f"{talk}.py").is_file()
        assert written or reason, talk


def in_its_script(name, variant, network_of, folder):
    """A network of the ground, its samples, and the output of its Brian2 script for them."""
    params = registry.params(registry.load_talk("ground").experiments[name], config())
    trained = networks.Trained(folder, params, variant, network_of(params))
    clock, path = trained.clock(), folder / "net.nir"
    networks.export(trained, clock, path)
    steps, file = model.Steps(clock.step_ms, clock.step_ms), path.with_suffix(".py")
    text, arrays = script.script(
        arranging.read(path), steps, trained.readout, file=path.name, name=file.name
    )
    file.write_text(text)
    array_files.save_arrays(arrays, path.with_suffix(".weights.npz"))
    given = networks.samples(trained, clock, 60)
    _, output = scripts.simulate(module := scripts.load(folder / "net.py"), given)
    np.testing.assert_array_equal(module.decide(output), trained.readout.decide(output))
    return trained, given, output


@pytest.mark.parametrize(
    "place",
    [
        (task, variant)
        for task in shared_tasks()
        if generators.has_module(task, "hand_designed")
        for variant in generators.load_module(task, "hand_designed").SPIKING_NETWORKS
    ],
)
def test_a_built_network_decides_in_its_script_as_in_numpy(place, tmp_path):
    def build(params):
        return ground.train(params, place[1], Streams(params.seed), {}, print)

    trained, given, output = in_its_script(*place, build, tmp_path)
    assert networks.equal(trained.readout, output, given["choices"]) > 0.95
    assert len(set(given["choices"])) > 2


@pytest.mark.parametrize("name", ["span_recall", "yinyang"])
def test_a_lif_reference_has_in_its_script_the_logits_of_jax(name, tmp_path):
    recipe = units.Recipe("spiking", 12, 0.0, (5.0, 100.0), recurrent=True, gain=6.0)

    def draw(params):
        rng = np.random.default_rng(0)
        arrays = units.initial(recipe, references.shape(of_ground.of_task(params)), rng)
        arrays |= {key: rng.normal(0, 0.3, arrays[key].shape) for key in ("bias", "out_bias")}
        return Network(arrays)

    made = in_its_script(f"{name}{of_ground.SUFFIX}", "replayed_best", draw, tmp_path)
    trained, given, output = made
    raster = np.zeros(given["shape"], np.float32)
    raster[tuple(given[key] for key in networks.EVENTS)] = 1
    shape = references.shape(of_ground.of_task(trained.params))
    logits, _ = units.run(recipe, shape, trained.network.arrays, raster.swapaxes(0, 1))
    found = trained.nir.readout(trained.params).window(output).mean(axis=1)
    # A spike at the edge of the threshold may differ in single precision.
    assert (np.abs(found - logits).max(axis=1) < 1e-3).mean() > 0.9
    assert np.ptp(logits, axis=0).min() > 0.1


@pytest.mark.parametrize(
    ("place", "match"),
    [
        ("goeltz/none/spiking/seed-0", "has no such experiment, or 'seed-0'"),
        ("goeltz/yinyang/spiking/seed-x", "has no such experiment, or 'seed-x'"),
    ],
)
def test_folders_and_files_that_are_none_are_refused(place, match, tmp_path):
    array_files.save_arrays({"w": np.zeros(1)}, tmp_path / "full" / place / "network.npz")
    with pytest.raises(UserError, match=match):
        networks.load(tmp_path / "full" / place)


def test_a_folder_without_networks_is_refused(tmp_path, capsys):
    assert __main__.main(["nir", str(tmp_path)]) == 1
    assert "no trained spiking network" in capsys.readouterr().err
    with pytest.raises(UserError, match="no trained network"):
        networks.load(tmp_path)


# ---- another simulator ----------------------------------------------------------------------


def nmnist_in(folder, data):
    """A small set as the rules of the workflow make it."""
    data = {**data, "folder": str(folder)}
    (folder / "mnist").symlink_to(ROOT / "resources" / "data" / "mnist")
    files = [folder / "set" / "shards" / f"{s}.npz" for s in recordings.shards(data["nmnist"])]
    for file in files:
        recordings.record(data, file.stem, file)
    making.gather("nmnist", data, files, folder / "set" / "meta.json")
    return folder / "set"


KINDS = {
    "goeltz/yinyang/spiking": {},
    # Two epochs leave times of outputs that differ by less than a step.
    "comsa/mnist_slow/spiking": {"epochs": 25},
    "masquelier/published/spiking": {},
    "bohte/timescales/lif": {},
    "neftci/nmnist/spiking": {},
    "neftci/shared_randman/spiking": {},
    "scherr/pattern/spiking": {},
}
"""Network -> what is changed of its parameters at smoke scale."""


def trained_in(kind, tmp_path):
    """A network of a kind, trained now."""
    talk, name, variant = kind.split("/")
    experiment = registry.load_talk(talk).experiments[name]
    params = registry.params(experiment, config())
    needs = experiment.data_key in ("mnist", "nmnist")
    if needs and not (ROOT / "resources/data/mnist/meta.json").is_file():
        pytest.skip("MNIST is not here: snakemake resources/data/mnist/meta.json")
    if experiment.data_key == "nmnist":
        params = replace(params, dataset_dir=nmnist_in(tmp_path, config()["data"]))
    params = replace(
        params,
        values={**params.values, **KINDS[kind]},
        data_dir=ROOT / "resources" / "data",
        work_dir=tmp_path,
    )
    folder = tmp_path / "smoke" / talk / name / variant / "seed-0"
    replicate.train(plans.training(experiment, variant, params), [], folder, lambda *_: None)
    return networks.Trained(folder, params, variant, network_files.load_network(folder))


def check_equal(trained, outputs, expected):
    share = networks.equal(trained.readout, outputs, expected)
    print(trained.params.talk, trained.params.experiment, share, expected.shape)
    assert share >= 0.99
    # A reader that decides nothing, or always the same, must not pass.
    assert networks.equal(trained.readout, np.zeros_like(outputs), expected) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_norse_decides_as_the_engine_of_training(kind, tmp_path):
    others.require("nir", "nirtorch", "norse")
    trained = trained_in(kind, tmp_path)
    clock = trained.clock()
    networks.export(trained, clock, tmp_path / "network.nir")
    told = json.loads((tmp_path / "network.json").read_text())
    assert told["step_ms"] == clock.step_ms
    array_files.save_arrays(networks.samples(trained, clock, 500), tmp_path / "samples.npz")
    others.ask(READER, *(str(tmp_path / f) for f in ("network.nir", "samples.npz", "outputs.npz")))
    expected = array_files.load_arrays(tmp_path / "samples.npz")["choices"]
    outputs = array_files.load_arrays(tmp_path / "outputs.npz")["outputs"]
    check_equal(trained, outputs, expected)


@pytest.mark.slow
@pytest.mark.parametrize("one_spike", ["inhibition", "reset"])
@pytest.mark.parametrize("kind", KINDS)
def test_read_back_in_brian2_it_decides_as_the_engine_of_training(kind, one_spike, tmp_path):
    trained = trained_in(kind, tmp_path)
    clock = trained.clock(one_spike=one_spike)
    networks.export(trained, clock, tmp_path / "network.nir")
    samples = networks.samples(trained, clock, 500)
    outputs = networks.outputs_in_brian2(tmp_path / "network.nir", samples, tmp_path)
    check_equal(trained, outputs, samples["choices"])
