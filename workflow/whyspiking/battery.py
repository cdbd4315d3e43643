"""The one battery of measurements, the same for all talks.

Every spiking network of an experiment is re-simulated in Brian2: unperturbed on the whole test set,
then under the common perturbations and the talk's own conditions on part of it. Controls get the
counterpart of each perturbation in their own engine, and are asked before their input is complete
where it comes in as spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from whyspiking import on_the_way, scoring
from whyspiking.bench import Bench, Simulator
from whyspiking.contract import (
    Network,
    Params,
    Progress,
    Recording,
    Replication,
    Task,
)
from whyspiking.counterpart import probe_control
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.registry import Experiment, load_talk
from whyspiking.subsets import same_stimulus

FEW_TRIALS = 50
"""A clean run of so few trials is kept, for figures that show all of it."""

__all__ = ["Simulator", "probe", "probe_control"]


def probe(
    replication: Replication,
    params: Params,
    experiment: Experiment,
    networks: Mapping[tuple[str, int], Network],
    config: Mapping[str, Any],
    machine: Simulator | None,
    progress: Progress,
    *,
    tau_char_ms: float | None = None,
    half_step: tuple[Params, Simulator] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, NDArray]]:
    """Run the battery on all networks of an experiment.

    Args:
        replication: The talk.
        params: Parameters of the experiment; the seed of each network replaces `params.seed`.
        experiment: Its description: the perturbations to apply and the roles of its variants.
        networks: Trained networks by (variant, seed). Roles `spiking` and `ablation` are
            re-simulated, but only `spiking` gets the common perturbations; controls are measured
            in their own engine.
        config: The `battery` block of the config.
        machine: Runs the model of `replication.to_brian(params)`; None where nothing spikes.
        progress: Called with the fraction done.
        tau_char_ms: Unit of jitter; by default that of the talk's talk.yaml.
        half_step: Parameters and simulator of the same model at half the time step; where given,
            the effect of the step is measured (Q2).

    Returns:
        Rows of the metrics table, and arrays for figures: those of the talk, `anytime.time_ms`
        (time,) and `anytime.<variant>.<seed>` (time,) for classification, of controls where they
        can be asked on the way.

    Raises:
        UserError: If the description of the experiment and the model do not fit.
    """
    tau_ms = load_talk(params.talk).tau_char_ms if tau_char_ms is None else tau_char_ms
    model = None if machine is None else replication.to_brian(params)
    simulated = experiment.simulated_variants()
    rows: list[dict[str, Any]] = []
    arrays: dict[str, NDArray] = {}
    known: list[tuple[Network, Task, Recording]] = []
    for index, ((variant, seed), network) in enumerate(networks.items()):
        own = replace(params, seed=seed)
        name = f"{variant} seed {seed}"

        def told(share: float, news: str, done: int = index, name: str = name) -> None:
            progress((done + share) / len(networks), f"{name}: {news}")

        if experiment.variants[variant].smaller is not None:
            rows += _counts_of_size(replication, own, experiment, variant, network, config, told)
            continue
        if variant not in simulated or machine is None or model is None:
            rows += probe_control(
                replication, own, experiment, variant, network, config, told, tau_ms=tau_ms
            )
            early, curve = on_the_way.probe(replication, own, variant, network, config)
            rows, arrays = rows + early, arrays | curve
            continue
        # An ablation answers one question: how well it does, and under the talk's own conditions.
        whole = experiment.variants[variant].role == "spiking"
        states = experiment.states if whole else None
        names = experiment.battery if experiment.perturbed(variant) else ()
        bench = Bench(
            replication, own, variant, network, machine, model, config, tau_ms, told, states
        )
        rows += bench.clean_rows() + bench.curve_rows(names)
        if whole and half_step is not None:
            rows += bench.step_rows(*half_step)
        arrays |= bench.anytime()
        if scoring.n_trials(bench.outcome) <= FEW_TRIALS:
            known.append((network, bench.task, bench.recording))

    def simulate(network: Network, task: Task) -> Recording:
        if machine is None:
            raise UserError(f"talk '{params.talk}': '{params.experiment}' is not simulated")
        for simulated_network, simulated_task, recording in known:
            if network is simulated_network and same_stimulus(task, simulated_task):
                return recording
        values = replication.bind(params, network).values
        return machine.run(task.stimulus, values, trials=int(task.targets.shape[0]))

    measured = experiment.measured_variants()
    shown = {key: network for key, network in networks.items() if key[0] in measured}
    arrays |= replication.exhibits(params, shown, simulate, Streams(params.seed))
    progress(1.0, "done")
    return rows, arrays


def _counts_of_size(
    replication: Replication,
    params: Params,
    experiment: Experiment,
    variant: str,
    network: Network,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """What a control of another size costs, for the ratio of energies at equal score."""
    resized = replace(params, values=experiment.resized(params.values, variant))
    known_as = experiment.variants[variant].trained_as
    unperturbed = experiment.model_copy(update={"battery": ()})
    rows = probe_control(replication, resized, unperturbed, known_as, network, config, progress)
    return [{**row, "variant": variant} for row in rows]
