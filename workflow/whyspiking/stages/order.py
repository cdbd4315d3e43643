"""In which order jobs run: talk after talk, so that pages come soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snakemake_logger_plugin_whyspiking.estimate import Durations, Job
from whyspiking.contract import data_folders
from whyspiking.declared import registry
from whyspiking.declared.registry import Talk

FIRST = 100
"""More than the priority of any training within its talk."""


def networks(talk: Talk, config: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Experiment, variant and seed of every network of a talk that a run has."""
    for experiment in talk.experiments.values():
        for variant in experiment.variants:
            for seed in registry.seeds(experiment, config, variant):
                yield experiment.name, variant, seed


class Order:
    """Priorities of the jobs of a run, by what such jobs took in a recorded one."""

    def __init__(
        self,
        talks: Mapping[str, Talk],
        config: Mapping[str, Any],
        recorded: Path = Path("results/reference/durations.csv"),
    ):
        """The talk that takes longest to train is the last."""
        self._timed = Durations.read([], recorded, config["scale"])
        seconds = {
            name: sum(self._seconds(name, e, variant) for e, variant, _ in networks(talk, config))
            for name, talk in talks.items()
        }
        longest_first = sorted(talks, key=lambda name: seconds[name], reverse=True)
        self._turns = {name: 2 * FIRST * turn for turn, name in enumerate(longest_first)}
        self._data: dict[str | None, int] = {}
        for talk in talks.values():
            for experiment in talk.experiments.values():
                if registry.seeds(experiment, config):
                    folder = data_folders.folder_of(experiment.data_key, config["data"])
                    self._data[folder] = max(self._turns[talk.name], self._data.get(folder, 0))

    def _seconds(self, talk: str, experiment: str, variant: str) -> float:
        place = {"talk": talk, "experiment": experiment, "variant": variant}
        return self._timed.of(Job.of("train", place)) or 0

    def of_training(self, wildcards: Any) -> int:
        """Within a talk long trainings start first, so that none is left alone at the end."""
        seconds = self._seconds(wildcards.talk, wildcards.experiment, wildcards.variant)
        return self._turns[wildcards.talk] + min(round(seconds), FIRST - 1)

    def of_talk(self, wildcards: Any) -> int:
        """All else of a talk, for which its page waits."""
        return self._turns[wildcards.talk] + FIRST

    def of_data(self, wildcards: Any) -> int:
        """Data come in the turn of the first talk that trains on them."""
        return FIRST + self._data.get(wildcards.dataset, 0)
