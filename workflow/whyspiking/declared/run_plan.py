"""Which networks a run trains of a talk, and why: `python -m whyspiking plan goeltz`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.declared import registry
from whyspiking.declared.registry import Talk


def describe(talk: Talk, config: Mapping[str, Any]) -> str:
    """Describe the networks of a talk: a line per variant, with its seeds and the reason.

    Args:
        talk: The talk.
        config: The configuration of the run.
    """
    rows = [("network", "seeds", "reason")]
    n_trained = n_ready = 0
    for experiment in talk.experiments.values():
        for variant in experiment.variants.values():
            seeds, reason = registry.choose_seeds(experiment, config, variant.name)
            if variant.as_is or not variant.trained_here:
                n_ready += len(seeds)
            else:
                n_trained += len(seeds)
            if not variant.trained_here:
                reason += "; others trained this network, and the job only reads it"
            if experiment.default_run is not None and config["scale"] == "default" and seeds:
                percent = 100 * experiment.default_run.trained_fraction
                reason += f"; default_run: first {percent:g} % if the network is recorded"
            if variant.parents:
                reason += f"; {'copy of' if variant.as_is else 'starts from'} "
                reason += ", ".join(variant.parents)
            rows.append((f"{experiment.name}/{variant.name}", _shorten(seeds), reason))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {seeds:<{widths[1]}}  {reason}" for name, seeds, reason in rows]
    jobs = (
        f"{n_trained} jobs train a network, and {n_ready} copy a finished network; one job per "
        "experiment simulates its networks, one job collects the tables, and one writes the page"
    )
    why = (
        "A reason names the key of the configuration that has the seeds: in config/config.yaml or "
        "in the file of the scale, with a comment that says why these seeds were chosen."
    )
    return "\n".join([f"{talk.name} at scale {config['scale']}: {jobs}", why, "", *lines])


def _shorten(seeds: list[int]) -> str:
    """Seeds in few words: "20 to 79", "0, 3", "none"."""
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds)) or "none"
