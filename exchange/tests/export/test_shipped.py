"""Networks that come with the repository: what is chosen, and that their files do what they did."""

import hashlib
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from made import measured
from made.checkouts import ROOT

from whyspiking.brian import Machine
from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.contract.types import Network
from whyspiking.declared import key_claims, registry
from whyspiking.errors import UserError
from whyspiking.records import array_files, finished, reference, tables
from whyspiking.records.columns import NETWORKS
from whyspiking_exchange.export import leaky_units, networks, shipped
from whyspiking_exchange.foreign import job, measuring, tasks
from whyspiking_exchange.foreign.job import config_at
from whyspiking_exchange.nir import arranging
from whyspiking_exchange.nir.model import Steps

COMMITTED = ROOT / reference.FOLDER


def equal_in_brian2(row, folder, builds):
    return shipped.equal_in_brian2(shipped.trained_of(row).readout, folder / row["file"], builds)


def damaged(row, folder):
    """Files of a row whose hash is not that of the index."""
    samples = str(Path(row["file"]).with_suffix(".npz"))
    files = {row["file"]: row["sha256"], samples: row["sha256_samples"]}
    return [f for f in files if hashlib.sha256((folder / f).read_bytes()).hexdigest() != files[f]]


ROWS = tables.read(COMMITTED / shipped.INDEX, NETWORKS).to_dict("records")
FASTEST = "neftci-shared_yinyang"


@pytest.fixture(autouse=True)
def checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def shown(row):
    return Path(row["file"]).stem


# ---- those that are committed ---------------------------------------------------------------


def test_index_page_and_files_agree():
    folder = COMMITTED / shipped.FOLDER
    files = {path.name for path in folder.iterdir()}
    stems = [shown(row) for row in ROWS]
    due = {f"{s}.{kind}" for s in stems for kind in ("nir", "npz", "json")} | {"README.md"}
    arrays = [path.stem for path in leaky_units.list_files(folder).values()]
    assert files == due | {f"{s}.{kind}" for s in arrays for kind in ("npz", "json")}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3.6e6
    assert sum(path.stat().st_size for path in (ROOT / key_claims.FOLDER).rglob("*.*")) < 8e6
    page = (folder / "README.md").read_text()
    for row in ROWS:
        assert damaged(row, COMMITTED) == []
        path = COMMITTED / row["file"]
        told = json.loads(path.with_suffix(".json").read_text())
        keys = ("talk", "experiment", "variant", "seed", "scale")
        assert {key: told[key] for key in keys} == {key: row[key] for key in keys}
        samples = array_files.load_arrays(path.with_suffix(".npz"))
        assert len(samples["choices"]) == len(samples["targets"]) == row["n_samples"]
        assert row["equal_decisions"] >= shipped.LEAST and f"]({path.name})" in page
    pd.testing.assert_frame_equal(finished.find("reference").networks, pd.DataFrame(ROWS))


def marked(rows):
    return [
        pytest.param(row, id=shown(row), marks=[] if shown(row) == FASTEST else pytest.mark.slow)
        for row in rows
    ]


@pytest.mark.parametrize("row", marked(ROWS))
def test_inside_brian2_a_file_decides_as_the_engine_of_training(row, builds):
    assert equal_in_brian2(row, COMMITTED, builds) >= shipped.LEAST


# ---- how they are made ----------------------------------------------------------------------


def score(run, talk, experiment, variant, seed, value=0.5):
    place = {"talk": talk, "experiment": experiment, "variant": variant, "seed": seed}
    found = measured.table(measured.row({"score": value}, 100, scale=run.name, **place))
    tables.write_metrics(found, run / talk / experiment / "metrics.csv")


def network(run, talk, experiment, variant="spiking", seed=0, info=None, **shapes):
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    folder = run / talk / experiment / variant / f"seed-{seed}"
    network_files.save_network(Network(arrays, info or {}), folder)


@pytest.fixture
def run(tmp_path):
    return tmp_path / "results" / "smoke"


YINYANG = {"w_hidden": (5, 60), "w_output": (61, 3)}


def test_of_an_experiment_the_lowest_seed_and_of_a_talk_what_can_be_expressed(run):
    for seed in (3, 12):
        network(run, "goeltz", "yinyang", seed=seed, **YINYANG)
    network(run, "bohte", "ecg", info={"cell": "alif"}, w_in_0=(2, 2))
    network(run, "bohte", "shared_yinyang", info={"cell": "alif"}, w_in_0=(2, 2))
    network(run, "comsa", "boolean", w_hidden=(9, 4, 4), w_output=(9, 6, 2))
    network(run, "masquelier", "released", "authors", info={"unavailable": "no file"})
    (one,) = shipped.choose(run)
    assert (one.params.talk, one.params.experiment, one.params.seed) == ("goeltz", "yinyang", 3)
    with pytest.raises(networks.NotExpressible, match="there is no network; no file"):
        networks.load(run / "masquelier/released/authors/seed-0").graph(networks.Clock(1.0))


def test_the_network_of_a_key_claim_is_kept_as_it_was_trained(run, tmp_path):
    shapes = {"w": (5, 60), "long": (2, shipped.MANY)}
    for seed in (9, 10):
        network(run, "goeltz", "yinyang", seed=seed, info={"engine": "x"}, **shapes)
    shipped.keep(run, "goeltz", tmp_path)
    place = "goeltz/yinyang/spiking/seed-9"
    was, kept = (network_files.load_network(f / place) for f in (run, tmp_path / "key_networks"))
    np.testing.assert_array_equal(kept.arrays["w"], was.arrays["w"])
    np.testing.assert_array_equal(kept.arrays["long"], was.arrays["long"].astype("f4").astype("f8"))
    assert kept.arrays["long"].dtype == np.float64 and kept.info == was.info

    network(run, "goeltz", "yinyang", seed=8, info={"unavailable": "no file"})
    shipped.keep(run, "goeltz", tmp_path)
    assert not [*(tmp_path / "key_networks").rglob("network.npz")]


def test_nothing_is_written_without_scores_or_networks(run, tmp_path, builds):
    def refused(why):
        with pytest.raises(UserError, match=why):
            shipped.ship(run, tmp_path / "to", 10, builds)
        assert not (tmp_path / "to").exists()

    refused("no network that NIR can express")
    network(run, "goeltz", "yinyang", **YINYANG)
    refused(r"metrics\.csv: the file cannot be read")
    score(run, "goeltz", "yinyang", "spiking", 1)
    refused("0 clean scores of spiking, seed 0")


def test_a_file_of_fewer_bits_is_smaller_and_nearly_the_same(run, tmp_path):
    network(run, "goeltz", "yinyang", **YINYANG)
    trained = networks.load(run / "goeltz/yinyang/spiking/seed-0")
    weights, sizes = [], []
    for bits in (24, 12):
        path = tmp_path / f"{bits}.nir"
        networks.export(trained, trained.clock(), path, bits)
        sizes.append(path.stat().st_size)
        with h5py.File(path) as file:
            weights.append(file["node/nodes/to_hidden/weight"][()])
    np.testing.assert_array_equal(weights[0], trained.network.arrays["w_hidden"].T.astype("f4"))
    np.testing.assert_allclose(weights[1], weights[0], rtol=2.0**-12)
    assert (weights[1] != weights[0]).mean() > 0.9 and sizes[1] < sizes[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory, builds):
    """Two networks, trained now and shipped."""
    from whyspiking.declared import plans
    from whyspiking.stages import train

    run = tmp_path_factory.mktemp("project") / "results" / "smoke"
    for talk in ("goeltz", "masquelier"):
        experiment = registry.load_talk(talk).experiments["shared_yinyang"]
        params = registry.params(experiment, config_at("smoke"))
        folder = run / talk / "shared_yinyang" / "spiking" / "seed-0"
        train.train(plans.training(experiment, "spiking", params), [], folder, lambda *_: None)
        score(run, talk, "shared_yinyang", "spiking", 0)
    to = run.parent / "reference"
    shipped.ship(run, to, 100, builds)
    return to


@pytest.fixture
def rows(made, tmp_path):
    """The index, and a copy of its folder that may be changed."""
    shutil.copytree(made, tmp_path / "made")
    return tables.read(made / shipped.INDEX, NETWORKS).to_dict("records"), tmp_path / "made"


@pytest.mark.slow
def test_a_network_is_shipped_with_what_checks_it(rows, builds):
    index, folder = rows
    assert [shown(row) for row in index] == ["goeltz-shared_yinyang", "masquelier-shared_yinyang"]
    assert [(r["n_neurons"], r["n_synapses"]) for r in index] == [(23, 163), (23, 140)]
    for row in index:
        assert row["equal_decisions"] >= shipped.LEAST and not damaged(row, folder)
        assert equal_in_brian2(row, folder, builds) == row["equal_decisions"]


@pytest.mark.slow
def test_what_is_recorded_anew_is_shipped_anew_and_the_rest_stays(made, rows, builds, monkeypatch):
    index, folder = rows
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    for row in index:
        (folder / row["file"]).write_bytes(b"old")
    names = ["shared_yinyang", "yinyang"]
    shipped.renew(made.parent / "smoke", folder, "goeltz", names, 100, builds)
    before[folder / index[1]["file"]] = b"old"
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    monkeypatch.setattr(shipped, "equal_in_brian2", lambda *_: 0.5)
    with pytest.raises(UserError, match=r"goeltz-shared_yinyang\.nir: .* in 50\.0 %"):
        shipped.renew(made.parent / "smoke", folder, "goeltz", names, 10, builds)


@pytest.mark.slow
def test_what_decides_otherwise_is_not_shipped(made, tmp_path, builds, monkeypatch):
    run = made.parent / "smoke"
    shares = iter([0.5, 1.0, 0.5, 0.5])
    monkeypatch.setattr(shipped, "equal_in_brian2", lambda *_: next(shares))
    index = shipped.ship(run, tmp_path / "one", 10, builds)
    assert index["talk"].tolist() == ["masquelier"]
    files = sorted(path.stem for path in (tmp_path / "one" / "networks").iterdir())
    assert files == ["README"] + 3 * ["masquelier-shared_yinyang"]
    with pytest.raises(UserError, match="none of 2 networks decides"):
        shipped.ship(run, tmp_path / "none", 10, builds)
    assert not list((tmp_path / "none").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, 1], ids=["goeltz", "masquelier"])
def test_measure_takes_steps_and_times_from_the_file_beside(which, rows, builds, capsys):
    index, folder = rows
    path = folder / index[which]["file"]
    told = job.beside(path, "yinyang")
    assert not job.beside(path, "randman") and str(path.with_suffix(".json")) in (
        capsys.readouterr().out
    )
    layers = arranging.read(path)
    params = tasks.params_of("yinyang", config_at("smoke"), seed=told["seed"])
    setting = measuring.setting_of(
        layers,
        params,
        steps=Steps(told["step_ms"], told["graph_step_ms"]),
        readout=told["readout"],
        asked_ms=told["trial_ms"],
        bias_ms=told["bias_ms"],
    )
    foreign = tasks.Foreign(layers, setting)
    foreign.check(params, "network")
    expected = array_files.load_arrays(path.with_suffix(".npz"))["choices"]
    task = foreign.make_task(params, "test", Streams(0))
    task = select_task(task, np.arange(len(expected)))
    values = foreign.bind(params, Network({})).values
    recording = Machine(foreign.to_brian(params), builds).run(task.stimulus, values)
    assert (foreign.decode(params, recording, task).choices == expected).mean() >= 0.98


def test_a_file_beside_that_is_somebody_elses_or_wrong(tmp_path):
    path = tmp_path / "net.nir"
    assert job.beside(path, "yinyang") == {}
    for text in ("[1]", "{", '{"a": 1}', "[" * 50_000):
        path.with_suffix(".json").write_text(text)
        assert job.beside(path, "yinyang") == {}
    path.with_suffix(".json").write_text('{"measure": {"task": "yinyang", "to": "/elsewhere"}}')
    with pytest.raises(UserError, match="'to'"):
        job.beside(path, "yinyang")
