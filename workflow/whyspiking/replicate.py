"""The first stage of a replication: train a network and evaluate it in its own engine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whyspiking import dispatch, registry, scoring, sizes, store, tables
from whyspiking.contract import Network, Params, Progress, Split
from whyspiking.randomness import Streams
from whyspiking.whole_files import read_json


def job_params(wildcards: Any, values: Mapping[str, Any], places: Mapping[str, Any]) -> Params:
    """The parameters of a job from its wildcards and what the workflow passes."""
    originals, dataset = places["originals_dir"], places["dataset_dir"]
    return Params(
        talk=wildcards.talk,
        experiment=wildcards.experiment,
        scale=places["scale"],
        values=values,
        seed=int(getattr(wildcards, "seed", 0)),
        data_dir=Path(places["data_dir"]),
        work_dir=Path(places["work_dir"]),
        originals_dir=Path(originals) if originals else None,
        dataset_dir=Path(dataset) if dataset else None,
    )


def train(
    params: Params, variant: str, parents: Sequence[Path], folder: Path, progress: Progress
) -> None:
    """Train one variant with one seed and evaluate it once on the test split.

    Args:
        params: Talk, experiment, seed and parameters.
        variant: Which variant of the experiment.
        parents: Folders of the networks it starts from, in the order of talk.yaml.
        folder: Where network.npz, network.json and metrics.csv go.
        progress: Called with the fraction done.
    """
    experiment = registry.load_talk(params.talk).experiments[params.experiment]
    replication = dispatch.replication_of(experiment)
    described = experiment.variants[variant]
    loaded = {
        name: store.load_network(path)
        for name, path in zip(described.starts_from, parents, strict=True)
    }
    streams = Streams(params.seed)
    wall, cpu = time.perf_counter(), time.process_time()
    trained_as = described.trained_as
    network: Network = replication.train(params, trained_as, streams, loaded, progress)
    if "unavailable" in network.info:
        # A file of others that the user does not have: nothing is measured; the report says why.
        progress(1.0, network.info["unavailable"])
        store.save_network(network, folder)
        tables.write_metrics([], folder / "metrics.csv")
        return
    if params.dataset_dir is not None:
        described = read_json(params.dataset_dir / "meta.json", "provenance")
        network.info["provenance"] = described["provenance"]
    network.info["train_seconds"] = time.perf_counter() - wall
    network.info["train_cpu_seconds"] = time.process_time() - cpu

    rows: list[dict[str, Any]] = []
    common = {
        "scale": params.scale,
        "talk": params.talk,
        "experiment": params.experiment,
        "variant": variant,
        "seed": params.seed,
        "engine": network.info["engine"],
        "perturbation": "none",
        "locus": "",
        "strength": 0.0,
    }
    splits: tuple[tuple[Split, str], ...] = (("test", ""), ("fresh", "_fresh"))
    for split, suffix in splits:
        task = replication.make_task(params, split, streams)
        if task is None:
            continue
        outcome = replication.evaluate(params, trained_as, network, task)
        if outcome is None:
            continue
        values = scoring.measures(outcome)
        if suffix:
            values = {f"{k}{suffix}": v for k, v in values.items() if k == "accuracy"}
        rows += tables.rows(common, values, scoring.n_trials(outcome))
    rows += tables.rows(common, network.info.get("measures", {}), 1)
    if experiment.sizes is not None and trained_as in experiment.sizes.of:
        rows += tables.rows(common, {"parameters": sizes.parameters(network)}, 1)
    costs = {k: network.info[k] for k in ("epochs", "epoch_seconds") if k in network.info}
    rows += tables.rows(common, {"train_seconds": network.info["train_seconds"], **costs}, 1)

    store.save_network(network, folder)
    tables.write_metrics(rows, folder / "metrics.csv")
