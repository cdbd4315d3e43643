"""Networks that come with the repository: one of every talk, shared task and task of the ground.

`make record` has `ship` choose them from the run and write, beside the recorded tables (`renew`
does so with experiments that are recorded anew),

    networks/<talk>-<experiment>.nir     the network
    networks/<talk>-<experiment>.json    how it is fed and read
    networks/<talk>-<experiment>.npz     test trials, what was decided in them, and the targets
    networks/README.md                   what is there
    networks.csv                         the index
    key_networks/                        one network of each key claim, as it was trained (`keep`)

Of a talk these are the shared tasks without time, and the experiment of its key claim or, where
NIR cannot express that, the first other that it can; of the ground all with spikes, built and
trained. Of an experiment it is the first variant that can be, a spiking network before an ablation,
and of that the lowest seed. What is written is read back inside Brian2: what then decides otherwise
than the engine of training is not shipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.contract.types import Network
from whyspiking.declared import key_claims, registry
from whyspiking.declared.config import at_scale
from whyspiking.declared.experiments import Experiment
from whyspiking.errors import UserError
from whyspiking.records import array_files, tables, whole_files
from whyspiking.records.columns import NETWORKS
from whyspiking.talks import as_declared, load_replication
from whyspiking.tasks.generators import is_stream
from whyspiking_exchange.export import leaky_units, networks
from whyspiking_exchange.export.networks import Clock, Trained
from whyspiking_exchange.nir import NotExpressible, Readout, arranging
from whyspiking_exchange.nir.layers import Layers

FOLDER, GROUND = "networks", "ground"
INDEX, README = "networks.csv", "README.md"
LEAST = 0.99
"""Of the decisions of the samples that a file gives inside Brian2."""
LARGE = 250_000
"""Bytes of a file from which on weights are rounded."""
BITS = 12
"""Significant bits that they then have; 24 are those of float32."""
MANY = 200_000
"""Numbers of an array of a key claim's network from which on they are of single precision."""
LOOKED_AT = 20
"""Validation trials from which it is told when further inputs fire."""


def choose(run: Path) -> Iterator[Trained]:
    """What is shipped of a run.

    Args:
        run: `results/<scale>`.
    """
    for name in registry.available():
        talk = registry.load_talk(name)
        key = key_claims.of(talk).rows["experiment"]
        own = [x for x in talk.experiments.values() if not x.shared]
        shared = [x for x in talk.experiments.values() if x.shared]
        static = [x for x in shared if not is_stream(str(x.task))]
        if name == GROUND:
            found = (_of_experiment(run, x) for x in own if x.simulated)
        else:
            own.sort(key=lambda x: x.name != key)
            first = filter(None, (_of_experiment(run, x) for x in own))
            found = (*itertools.islice(first, 1), *(_of_experiment(run, x) for x in static))
        yield from filter(None, found)


def _of_experiment(run: Path, experiment: Experiment) -> Trained | None:
    """The network of an experiment; None where it is not trained, not ours or not expressible."""
    variants = [v for v in experiment.variants.values() if v.role in networks.SPIKE]
    variants.sort(key=lambda v: networks.SPIKE.index(v.role))
    for variant in [] if experiment.data.originals else variants:
        place = run / experiment.talk / experiment.name / variant.name
        if folder := networks.lowest_seed(place):
            trained = networks.load(folder)
            with contextlib.suppress(NotExpressible):
                trained.graph(trained.clock())
                return trained
    return None


def ship(run: Path, to: Path, n: int, builds: Path) -> pd.DataFrame:
    """Write the networks of a run; those that lay there before are replaced.

    Args:
        run: As for `choose`, its simulations finished.
        to: Folder of the index, `results/reference`; `networks` is made in it.
        n: Test trials of each network.
        builds: Where programs of Brian2 are kept.

    Returns:
        The index.

    Raises:
        UserError: If nothing is there that can be shipped, or scores are missing.
    """
    chosen = list(choose(run))
    if not chosen:
        raise UserError(f"{run}: this run has no network that NIR can express. Name a finished run")
    scores = [_score(trained) for trained in chosen]
    to.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{FOLDER}.", dir=to))
    try:
        rows = []
        for trained, score in zip(chosen, scores, strict=True):
            row = {**_written(trained, partial, n, builds), **score}
            if row["equal_decisions"] < LEAST:
                for file in partial.glob(f"{Path(row['file']).stem}.*"):
                    file.unlink()
            else:
                rows.append(row)
        if not rows:
            raise UserError(
                f"{run}: none of {len(chosen)} networks decides in Brian2 as in its training "
                "code. Check the time step in exchange/whyspiking_exchange/talks"
            )
        leaky_units.ship(run, partial, n)
        index = _index(rows, partial, to)
        partial.chmod(0o755)
        shutil.rmtree(to / FOLDER, ignore_errors=True)
        os.rename(partial, to / FOLDER)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return index


def renew(run: Path, to: Path, talk: str, names: Collection[str], n: int, builds: Path) -> None:
    """Write anew what is shipped of some experiments of a talk; what is not there stays away.

    Args:
        run: As for `choose`, the simulations of these experiments finished.
        to: As for `ship`.
        talk: Its name.
        names: Of the experiments.
        n: Test trials of each network.
        builds: Where programs of Brian2 are kept.

    Raises:
        UserError: If a file decides otherwise inside Brian2, or a score is missing.
    """
    rows, folder = tables.read(to / INDEX, NETWORKS).to_dict("records"), to / FOLDER
    for row in rows:
        if row["talk"] == talk and row["experiment"] in names:
            trained = _of_experiment(run, registry.load_talk(talk).experiments[row["experiment"]])
            assert trained, f"{talk}/{row['experiment']}"
            row |= {**_written(trained, folder, n, builds), **_score(trained)}
            if row["equal_decisions"] < LEAST:
                raise UserError(
                    f"{row['file']}: in Brian2, the network decides as in its training code in "
                    f"{100 * row['equal_decisions']:.1f} % of its samples; expected at least "
                    f"{100 * LEAST:.0f} %. Remove its row from {INDEX} and delete its files (git "
                    "checkout restores the old ones)"
                )
    if talk == leaky_units.TALK:
        leaky_units.ship(run, folder, n, names)
    _index(rows, folder, to)


def _index(rows: list[dict[str, Any]], folder: Path, to: Path) -> pd.DataFrame:
    """Write the index, and the page of the folder."""
    index = NETWORKS.table(rows)
    (folder / README).write_text(_readme(index), encoding="utf-8")
    tables.write_csv(index, to / INDEX)
    whole_files.seal_of(to / INDEX).unlink()  # git keeps what is committed
    return index


def keep(run: Path, talk: str, to: Path) -> None:
    """Keep the network of a talk's key claim, in the project's own format, in place of the old one.

    None where files of the authors were lacking. Its training history stays behind where no default
    run compares it (`default_run` in talk.yaml). Of arrays of more than `MANY` numbers, only single
    precision is kept: all of them are to take 8 MB at most. LZMA makes them a fifth smaller;
    whoever reads .npz reads it.

    Args:
        run: As for `choose`.
        talk: Its name.
        to: The record.
    """
    described = registry.load_talk(talk)
    claim = key_claims.of(described)
    place = to / key_claims.FOLDER.name
    shutil.rmtree(place / talk, ignore_errors=True)
    folder = key_claims.network(claim, run)
    if folder is None or "unavailable" in (network := network_files.load_network(folder)).info:
        return
    own = place / folder.relative_to(run)
    is_compared = described.experiments[claim.rows["experiment"]].default_run is not None
    history = network.history if is_compared else []
    network_files.save_network(Network({}, network.info, history), own)
    whole_files.seal_of(own / "network.json").unlink()  # git keeps what is committed
    with zipfile.ZipFile(own / "network.npz", "w", zipfile.ZIP_LZMA) as file:
        for name, array in network.arrays.items():
            if array.dtype == np.float64 and array.size > MANY:
                array = array.astype(np.float32).astype(np.float64)
            with file.open(f"{name}.npy", "w") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def trained_of(row: Mapping[str, Any]) -> Trained:
    """A shipped network without its arrays, for what reads its outputs and its steps.

    Args:
        row: Of the index.
    """
    experiment = registry.load_talk(row["talk"]).experiments[row["experiment"]]
    params = registry.params(experiment, at_scale(row["scale"]), row["seed"])
    return Trained(Path(row["file"]), as_declared(params), row["variant"], Network({}))


def equal_in_brian2(readout: Readout, path: Path, builds: Path) -> float:
    """Share of the decisions of a network that its file gives inside Brian2.

    Args:
        readout: That of the network.
        path: The .nir file, its samples beside it.
        builds: Where programs are kept.
    """
    samples = array_files.load_arrays(path.with_suffix(".npz"))
    outputs = networks.outputs_in_brian2(path, samples, builds)
    return networks.equal(readout, outputs, samples["choices"])


def _written(trained: Trained, folder: Path, n: int, builds: Path) -> dict[str, Any]:
    """Write one network with its samples; returns its row but for the score."""
    params = trained.params
    experiment = registry.load_talk(params.talk).experiments[params.experiment]
    clock = trained.clock()
    path = folder / f"{params.talk}-{params.experiment}.nir"
    samples = networks.samples(trained, clock, n)
    networks.export(trained, clock, path)
    if path.stat().st_size > LARGE:
        networks.export(trained, clock, path, BITS)
    array_files.save_arrays(samples, path.with_suffix(".npz"))
    layers = arranging.read(path)
    if layers.gives_spikes and (asked := _measured(trained, clock, experiment)):
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        networks.write_facts({**told, "measure": asked}, path)
    return {
        "file": f"{FOLDER}/{path.name}",
        "talk": params.talk,
        "task": experiment.task or "",
        "experiment": params.experiment,
        "variant": trained.variant,
        "seed": params.seed,
        "scale": params.scale,
        "data_source": trained.network.info.get("provenance", experiment.provenance),
        "n_neurons": sum(layer.size for layer in layers.layers),
        "n_synapses": _n_synapses(layers),
        "n_samples": len(samples["choices"]),
        "equal_decisions": equal_in_brian2(trained.readout, path, builds),
        "sha256": _digest(path),
        "sha256_samples": _digest(path.with_suffix(".npz")),
    }


def _score(trained: Trained) -> dict[str, Any]:
    """The clean score in Brian2, as its run recorded it, and of how many test trials."""
    path = trained.folder.parents[1] / "metrics.csv"
    row = tables.where(
        tables.read_metrics([path]),
        variant=trained.variant,
        seed=trained.params.seed,
        engine="brian2",
        perturbation="none",
        location="",
        metric="score",
    )
    if len(row) != 1:
        raise UserError(
            f"{path}: {len(row)} clean scores of {trained.variant}, seed {trained.params.seed}; "
            f"expected one; run: snakemake {path}"
        )
    return {"score": float(row["value"].iloc[0]), "n_trials": int(row["n_trials"].iloc[0])}


def _n_synapses(layers: Layers) -> int:
    """Weights that are not 0; those of a neuron onto itself stand for its reset."""
    own = (np.diag(s.weights) if s.later else () for s in layers.synapses)
    every = (s.weights for s in layers.synapses)
    return sum(int(np.count_nonzero(w)) for w in every) - sum(int(np.count_nonzero(w)) for w in own)


def _measured(trained: Trained, clock: Clock, experiment: Experiment) -> dict[str, Any] | None:
    """Options of `python -m whyspiking measure` with which it runs as it was trained.

    None where these cannot tell it: where further inputs fire more than once.
    """
    params = trained.params
    if experiment.shared is None:
        return None
    replication = load_replication(params.talk, params.experiment)
    task = replication.make_task(params, "validation", Streams(params.seed))
    assert task is not None
    task = select_task(task, np.arange(LOOKED_AT))
    assert task.features is not None
    inputs = trained.nir.stimulus(params, trained.network, task, clock)
    n_in, step_ms = task.features.shape[1], clock.step_ms
    further = inputs[:, :, n_in:]
    if (further != further[:1]).any() or (further.sum(axis=1) != 1).any():
        return None
    window_ms = experiment.shared.model_window_ms or params.window_ms
    per_ms = params.window_ms / window_ms
    times = inputs[:, :, :n_in].argmax(axis=1) * step_ms
    # The step of the network at which the task's window begins: a spike lies in the step that it
    # falls into, so that the latest within a step tells.
    early = round(float(np.max(times - task.features * window_ms)) / step_ms)
    return {
        "task": experiment.task,
        "seed": params.seed,
        "step_ms": step_ms * per_ms,
        "graph_step_ms": step_ms,
        "trial_ms": inputs.shape[1] * step_ms * per_ms,
        "bias_ms": [float(k - early) * step_ms * per_ms for k in further[0].argmax(axis=0)],
        "readout": "first",
    }


def _readme(index: pd.DataFrame) -> str:
    """What is there, for readers of the folder."""
    rows = [
        f"| [{Path(r['file']).name}]({Path(r['file']).name}) | {r['task'] or 'its own'} "
        f"| {r['scale']} | {r['data_source']} | {r['n_neurons']:,} | {r['n_synapses']:,} "
        f"| {r['score']:.3f} ({r['n_trials']:,}) | {100 * r['equal_decisions']:.1f} % of "
        f"{r['n_samples']} |"
        for r in index.to_dict("records")
    ]
    return f"""# Networks to take

`make record` generates this page and these files from results/full. Do not edit them. For every
talk there is one trained network for each shared task, and one for the experiment of its key
claim. Where NIR cannot express the network of the key claim, the first other experiment that NIR
can express is used. For the shared benchmark there is one network, hand-designed or trained, for
each experiment with spikes. Each network is that of the lowest seed. `docs/exchange.md` says how
to read and run the networks. The index `../networks.csv` contains their hashes.

Each `.nir` file has a `.json` file with a description of its inputs and its readout, and an
`.npz` file of test trials with input spikes, decisions of the training code and targets. Weights
of large networks are rounded to {BITS} significant bits (`weight_bits` in the `.json` file). The
column "score" is the score of the reference run in the unperturbed test in Brian2, with the
number of trials. The column "equal" is the fraction of decisions of the file in Brian2 that are
equal to those of the training code. For continuous outputs, it is the fraction of time steps that
differ by at most 1 % of the range. A choice of -1 means that no output fires. This happens in
half or more of the trials of masquelier's shared networks. In these trials, the score uses the
decision by potentials, which the file cannot give.

Samples of digits, also those of the event camera, are test images of MNIST that were converted to
spikes (LeCun, Cortes and Burges 1998; CC BY-SA 3.0 as stated by the redistributors). They stay
under this licence.

| network | task | scale of the run | data | neurons | synapses | score | equal |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

`python -m whyspiking brian` writes any of these networks as a Brian2 script, which runs with the
samples in this folder. `docs/exchange.md` says which networks NIR cannot express, and why.

The files `ground-<task>-leaky_units.npz` have the most accurate network of non-spiking leaky units
of each shared task, with test trials and decisions. NIR has no node for such units;
`training/reference/units.py` has their equations and runs them.
"""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
