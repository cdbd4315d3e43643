"""From a finished run to .nir files, with the inputs and decisions to check a reader against."""

from __future__ import annotations

import importlib
import importlib.util
import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.brian import Machine
from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.trial_subsets import select_task
from whyspiking.contract.types import Network, Params, Stimulus
from whyspiking.declared import registry
from whyspiking.declared.config import at_scale
from whyspiking.errors import UserError
from whyspiking.records import whole_files
from whyspiking.talks import as_declared, load_replication, talk_module
from whyspiking_exchange.nir import Readout, arranging, model, script
from whyspiking_exchange.nir.graph import Clock, Graph, NotExpressible, write
from whyspiking_exchange.nir.layers import INPUT


@dataclass(frozen=True)
class Trained:
    """One trained network of a run, and where it lies."""

    folder: Path
    params: Params
    variant: str
    network: Network

    @property
    def nir(self) -> Any:
        """The talk's module of that name.

        Raises:
            NotExpressible: If the talk has none, for the reason it gives.
        """
        talk = self.params.talk
        if lacking := self.network.info.get("unavailable"):
            raise NotExpressible(f"{talk}.{self.params.experiment}: there is no network; {lacking}")
        name = f"whyspiking_exchange.talks.{talk}"
        if importlib.util.find_spec(name) is None:
            why = getattr(talk_module(talk), "NOT_EXPRESSIBLE", "")
            why = why or (f"this talk has no export module exchange/{name.replace('.', '/')}.py")
            raise NotExpressible(f"{talk}: {why}")
        return importlib.import_module(name)

    def clock(self, **choices: Any) -> Clock:
        """Its own step, Euler and inhibition unless chosen otherwise."""
        given = {key: value for key, value in choices.items() if value is not None}
        return Clock(**{"step_ms": self.nir.step_ms(self.params), **given})

    @property
    def readout(self) -> Readout:
        """How its decisions are read from what the graph gives."""
        return self.nir.readout(self.params)

    def graph(self, clock: Clock) -> Graph:
        """The network as a graph.

        Raises:
            NotExpressible: If NIR has no node for what it does.
        """
        return self.nir.to_nir(self.params, self.variant, self.network, clock)


def config_of(results: Path) -> dict[str, Any]:
    """The configuration of a run: what its manifest says, else the files in `config/`.

    Args:
        results: `results/<scale>`.
    """
    manifest = results / "manifest.json"
    if manifest.is_file():
        return json.loads(manifest.read_text(encoding="utf-8"))["config"]
    config = at_scale(results.name)
    if config.get("scale") != results.name:
        raise UserError(
            f"{results}: this folder has no manifest.json, and there is no "
            f"config/{results.name}.yaml that says how the run was made. Finish the run, or call "
            "this command in the project's folder"
        )
    return config


def load(folder: Path) -> Trained:
    """Read `results/<scale>/<talk>/<experiment>/<variant>/seed-<n>`.

    Raises:
        UserError: If this is no such folder, or its files are damaged.
    """
    folder = Path(folder)
    if not (folder / "network.npz").is_file() or len(folder.parts) < 5:
        raise UserError(
            f"{folder}: this folder contains no trained network. Name a folder "
            "results/<scale>/<talk>/<experiment>/<variant>/seed-<n> of a finished run"
        )
    talk, experiment, variant, seed = folder.parts[-4:]
    number, described = seed.removeprefix("seed-"), registry.load_talk(talk).experiments
    if experiment not in described or not number.isdecimal():
        raise UserError(
            f"{folder}: talk '{talk}' has no such experiment, or '{seed}' is no seed-<n>; expected "
            f"one of {', '.join(described)}, and seed-0 for instance; correct the path"
        )
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(folder / "network.npz") as file:
        if sum(member.file_size for member in file.infolist()) > LARGEST_BYTES:
            raise UserError(
                f"{folder}/network.npz: the file has more than {LARGEST_BYTES} bytes when "
                "unpacked; expected the arrays of a network. Name another folder"
            )
    params = registry.params(described[experiment], config_of(folder.parents[3]), int(number))
    network = network_files.load_network(folder)
    return Trained(folder, as_declared(params), variant, network)


def find(results: Path) -> list[Path]:
    """Folders of all trained networks of a run whose variant spikes."""
    found = []
    for path in sorted(results.glob("*/*/*/seed-*/network.npz")):
        talk, experiment, variant = path.parts[-5:-2]
        known = registry.load_talk(talk).experiments.get(experiment)
        if known and variant in known.variants and known.variants[variant].role in SPIKE:
            found.append(path.parent)
    return found


def lowest_seed(variant: Path) -> Path | None:
    """Folder of the trained network of the lowest seed; None where there is none.

    Args:
        variant: `results/<scale>/<talk>/<experiment>/<variant>`.
    """
    found = (path.parent for path in variant.glob("seed-*/network.npz"))
    return min(found, key=lambda path: int(path.name.removeprefix("seed-")), default=None)


LARGEST_BYTES = 2_000_000_000
"""Of a network, unpacked; the folder of a run may come from elsewhere."""
SAMPLES = 200
"""Test trials that a shipped network comes with."""
SPIKE = ("spiking", "ablation")
EVENTS = ("trials", "steps", "channels")


def export(trained: Trained, clock: Clock, path: Path, bits: int = 24) -> None:
    """Write a network as `path`, and beside it a .json that says how it is fed and read.

    Args:
        trained: The network.
        clock: For which reader.
        path: The .nir file.
        bits: Significant bits of weights.

    Raises:
        NotExpressible: If NIR has no node for what the network does.
    """
    nir, params = trained.nir, trained.params
    graph = trained.graph(clock)
    write(graph, path, bits)
    facts = {
        **{name: getattr(params, name) for name in ("talk", "experiment", "seed", "scale")},
        "variant": trained.variant,
        "weight_bits": bits,
        **asdict(clock),
        "spikes": "a spike is an input of height 1 that lasts one step",
        "nodes": sorted({kind for kind, _ in graph.nodes.values()} - {"Input", "Output"}),
        "input": _first_line(nir.stimulus),
        "decision": script.says(trained.readout),
        "network": _first_line(nir.to_nir),
    }
    write_facts(facts, path)


def write_facts(facts: Mapping[str, Any], path: Path) -> None:
    """Write what is told of a network beside its file."""
    with whole_files.replacing(path.with_suffix(".json")) as partial:
        partial.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def samples(trained: Trained, clock: Clock, n: int) -> dict[str, NDArray]:
    """Test trials for a reader: what goes in, and what should be decided.

    Args:
        trained: The network.
        clock: As for `export`.
        n: At most so many trials.

    Returns:
        trials, steps, channels (event,) of the input spikes, sorted; shape, how many there are of
        each; choices as `Readout.decide`; targets (trial, ...); step_ms.
    """
    nir, params = trained.nir, trained.params
    replication = load_replication(params.talk, params.experiment)
    task = replication.make_task(params, "test", Streams(params.seed))
    if task is None:
        raise UserError(
            f"talk '{params.talk}': experiment '{params.experiment}' has no test trials"
        )
    n = min([n, *(trains.n_trials for trains in task.stimulus.spikes.values())])
    task = select_task(task, np.arange(n))
    return {
        **events_of(nir.stimulus(params, trained.network, task, clock)),
        "choices": nir.reference(params, trained.variant, trained.network, task),
        "targets": np.asarray(task.targets),
        "step_ms": np.asarray(clock.step_ms),
    }


def events_of(raster: NDArray) -> dict[str, NDArray]:
    """Spikes of a raster (trial, step, channel) as `EVENTS`, and its shape."""
    events = zip(EVENTS, np.nonzero(raster), strict=True)
    kind = np.min_scalar_type(max(raster.shape))
    return {**{key: at.astype(kind) for key, at in events}, "shape": np.asarray(raster.shape)}


def outputs_in_brian2(path: Path, found: Mapping[str, NDArray], builds: Path) -> NDArray:
    """What a .nir file gives inside Brian2, read as one from elsewhere.

    Args:
        path: The file.
        found: Inputs as `samples` gives them.
        builds: Where programs are kept.

    Returns:
        Spikes, 0 or 1, or potentials, (trial, time, output).
    """
    layers = arranging.read(path)
    step_ms, (n_trials, n_steps, n_in) = float(found["step_ms"]), found["shape"]
    steps = model.Steps(step_ms, step_ms)
    trial_ms = n_steps * step_ms
    machine = Machine(model.brian_model(layers, steps, trial_ms, n_trials), builds)
    trials, at, channels = (found[key] for key in EVENTS)
    spikes = Spikes(
        at * step_ms, channels.astype(np.int32), trials.astype(np.int32), n_trials, n_in, trial_ms
    )
    recording = machine.run(Stimulus({INPUT: spikes}), model.binding(layers, steps).values)
    if not layers.gives_spikes:
        return recording.traces["output"]
    fired = recording.spikes[layers.output[0]]
    return fired.raster(np.rint(fired.times_ms / step_ms).astype(int), n_steps)


def equal(readout: Readout, outputs: NDArray, expected: NDArray) -> float:
    """Share of decisions that a reader and the engine of training have in common.

    Args:
        readout: That of the network.
        outputs: What the reader gave, (trial, time, output).
        expected: `choices` of `samples`.

    Returns:
        The share; of continuous outputs the share of steps within 1 % of the range.
    """
    found = readout.decide(outputs)
    if np.issubdtype(expected.dtype, np.floating):
        return float((np.abs(found - expected) < 0.01 * np.ptp(expected)).mean())
    return float((found == expected).mean())


def _first_line(function: Any) -> str:
    return str(function.__doc__ or "").strip().splitlines()[0]
