"""The first stage of a replication: train a network and run it in its own engine.

Nothing is measured here, so that a change of a measure trains no network anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from whyspiking import replications, store
from whyspiking.contract import Network, Outcome, Params, Progress, Split
from whyspiking.randomness import Streams
from whyspiking.whole_files import read_json

if TYPE_CHECKING:
    from whyspiking.plans import Training

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
    params = Params.of(plan["params"])
    replication = replications.module(params.talk)
    loaded = {
        name: store.load_network(path)
        for name, path in zip(plan["starts_from"], parents, strict=True)
    }
    streams = Streams(params.seed)
    wall, cpu = time.perf_counter(), time.process_time()
    variant = plan["trained_as"]
    network: Network = replication.train(params, variant, streams, loaded, progress)
    outcomes: dict[str, Outcome] = {}
    if "unavailable" in network.info:
        # A file of others that the user does not have: nothing is measured; the report says why.
        progress(1.0, network.info["unavailable"])
    else:
        if params.dataset_dir is not None:
            described = read_json(params.dataset_dir / "meta.json", "provenance")
            network.info["provenance"] = described["provenance"]
        network.info["train_seconds"] = time.perf_counter() - wall
        network.info["train_cpu_seconds"] = time.process_time() - cpu
        for split in SPLITS:
            task = replication.make_task(params, split, streams)
            outcome = task and replication.evaluate(params, variant, network, task)
            if outcome is not None:
                outcomes[split] = outcome
    store.save_network(network, folder)
    store.save_outcomes(outcomes, folder / "outcome.npz")
