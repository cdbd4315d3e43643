"""The first stage: train a network and run it in its own engine; nothing is measured here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import with_units
from whyspiking.contract.types import Network, Outcome, Progress, Split
from whyspiking.datasets.released import Unavailable
from whyspiking.records.whole_files import read_json
from whyspiking.talks import load_replication, read_parameters
from whyspiking.training import checkpoint, controls, retraining

if TYPE_CHECKING:
    from whyspiking.declared.plans import Training

SPLITS: tuple[Split, ...] = ("test", "fresh")


def train(plan: Training, parents: Sequence[Path], folder: Path, progress: Progress) -> None:
    """Train one variant with one seed and run it once on the test split.

    Args:
        plan: Parameters of the experiment and its variant.
        parents: Folders of the networks it starts from, in the order of the plan.
        folder: Where network.npz, network.json and outcome.npz go; no outcome where the network
            is not available or has no engine but Brian2.
        progress: Called with the fraction done.
    """
    params = read_parameters(plan["params"])
    loaded = {
        name: network_files.load_network(path)
        for name, path in zip(plan["starts_from"], parents, strict=True)
    }
    wall, cpu = time.perf_counter(), time.process_time()
    data = params.dataset_dir and read_json(params.dataset_dir / "meta.json", "provenance")
    network = network_of(plan, loaded, progress)
    outcomes: dict[str, Outcome] = {}
    if "unavailable" in network.info:
        # Files of others that could not be had: nothing is measured; the report says why.
        progress(1.0, network.info["unavailable"])
    else:
        if data:
            network.info["provenance"] = data["provenance"]
        if "first_part" not in plan:  # the time of a part says nothing about a training
            before = checkpoint.seconds_before()
            network.info["train_seconds"] = before[0] + time.perf_counter() - wall
            network.info["train_cpu_seconds"] = before[1] + time.process_time() - cpu
        replication = load_replication(params.talk, params.experiment)
        for split in SPLITS:
            task = replication.make_task(params, split, Streams(params.seed))
            outcome = task and controls.evaluate_variant(
                replication, params, plan["variant"], network, task
            )
            if task is not None and outcome is not None:
                outcomes[split] = with_units(outcome, task)
    network_files.save_network(network, folder)
    network_files.save_outcomes(outcomes, folder / "outcome.npz")


def network_of(plan: Training, parents: Mapping[str, Network], progress: Progress) -> Network:
    """The network of a plan: one that is there, a control of the core, or the talk's own.

    Of a recorded network, the first part of the training may be all that is done again.
    """
    if "first_part" in plan:
        part = plan["first_part"]
        recorded = network_files.load_network(Path(part["recorded"]))
        complete = cast("Training", {key: plan[key] for key in plan if key != "first_part"})
        return retraining.repeat_first_part(
            lambda: network_of(complete, parents, progress),
            part["fraction"],
            recorded,
            "{talk}/{experiment}".format_map(plan["params"]),
        )
    params = read_parameters(plan["params"])
    streams = Streams(params.seed)
    if plan["as_is"]:
        (parent,) = parents.values()
        progress(1.0, "the unchanged network of another experiment is used")
        return parent.again()
    replication = load_replication(params.talk, params.experiment)
    if plan["control"] is not None:
        return controls.train_declared(plan["control"], replication, params, streams, progress)
    try:
        return replication.train(params, plan["variant"], streams, parents, progress)
    except Unavailable as reason:
        return Network({}, {"unavailable": str(reason)})
