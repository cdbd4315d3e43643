"""What is asked for, by the wildcards of a file, and what a job that makes it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared import key_claims, overrides, plans, registry
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError


class Asked:
    """Look-ups by wildcards in the talks of a run."""

    def __init__(self, talks: Mapping[str, Talk], config: Mapping[str, Any]):
        """All talks of the run by name, and its configuration."""
        self._talks, self._config = talks, config

    def experiment(self, wildcards: Any) -> Experiment:
        """The experiment that the wildcards name.

        Raises:
            UserError: If a target names what there is not.
        """
        talk, variant = self._talks[wildcards.talk], wildcards.get("variant")
        found = talk.experiments.get(wildcards.experiment)
        if found is None or variant not in (None, *found.variants):
            name = f"{wildcards.experiment}/{variant}" if found else wildcards.experiment
            known = ", ".join(found.variants if found else talk.experiments)
            raise UserError(
                f"'{name}' is not known in talk '{talk.name}'; expected one of {known}. Correct "
                "the path of the file that you request."
            )
        seed = wildcards.get("seed")
        if seed is not None:
            seeds = ", ".join(map(str, registry.seeds(found, self._config, variant)))
            if seed not in seeds.split(", "):
                raise UserError(
                    f"seed {seed} of '{talk.name}/{found.name}/{variant}' is not in the config; "
                    f"expected one of {seeds or 'none, at this scale'}. Correct the path of the "
                    "file that you request, or add the seed to 'seeds' or 'seeds_of'."
                )
        return found

    def plan_of_training(self, wildcards: Any) -> dict[str, Any]:
        """What a job of training is told: a change reruns the jobs that it is for."""
        talk, experiment = self._talks[wildcards.talk], self.experiment(wildcards)
        variant = wildcards.variant
        params = registry.params(experiment, self._config, int(wildcards.seed), variant)
        params = plans.readable_params(experiment, variant, params, talk.training_parameters)
        recorded = self.recorded_network(wildcards)
        return plans.anywhere(plans.training(experiment, variant, params, recorded))

    def recorded_network(self, wildcards: Any) -> Path | None:
        """The recorded network of which a job trains the first part only; None: it trains all.

        That is so in a default run, for networks that come with the repository and whose experiment
        has `default_run` and no changed parameter.
        """
        experiment = self.experiment(wildcards)
        is_changed = experiment.name in overrides.describe_affected(
            self._talks[wildcards.talk], self._config["set"]
        )
        if self._config["scale"] != "default" or experiment.default_run is None or is_changed:
            return None
        place = Path(experiment.talk, experiment.name, wildcards.variant, f"seed-{wildcards.seed}")
        folder = key_claims.FOLDER / place
        return folder if (folder / "network.npz").is_file() else None

    def plan_of_measuring(self, wildcards: Any) -> dict[str, Any]:
        """What a job of simulation is told; the seeds are those of its networks."""
        talk, experiment = self._talks[wildcards.talk], self.experiment(wildcards)
        params = registry.params(experiment, self._config)
        params = plans.readable_params(experiment, None, params, talk.training_parameters)
        return plans.anywhere(
            plans.measuring(experiment, params, talk.unit_of_jitter_ms(experiment))
        )

    def plan_of_clean_run(self, wildcards: Any) -> dict[str, Any]:
        """What any run measures of its networks, without perturbations and other steps.

        Raises:
            UserError: If the config changes parameters: the networks are there, trained without.
        """
        if self._config["set"]:
            raise UserError(
                f"config: 'set' changes {', '.join(self._config['set'])}, but the networks of the "
                "reference results are trained already; expected no changed parameter. Remove "
                "'set', or run without FROM=reference."
            )
        plan = self.plan_of_measuring(wildcards)
        bare = {name: {**own, "perturbations": []} for name, own in plan["variants"].items()}
        return {**plan, "variants": bare, "half_step": False}

    def key_networks(self, names: Iterable[str]) -> Iterator[Path]:
        """Networks of key claims that are in the record, and whose test samples can be had.

        Args:
            names: Of talks.
        """
        for talk in map(self._talks.__getitem__, names):
            claim = key_claims.of(talk)
            network = key_claims.network(claim)
            data = talk.experiments[claim.rows["experiment"]].data
            if network and (self._config["data"]["originals_dir"] or not data.originals):
                yield network.relative_to(key_claims.FOLDER)
