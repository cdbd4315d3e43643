"""The one battery of measurements, the same for all talks.

Every spiking network of an experiment is re-simulated in Brian2: unperturbed on the whole test set,
then under the common perturbations and the talk's own conditions on part of it. Controls get the
counterpart of each perturbation in their own engine, and answer before their input is complete
where it comes in as spikes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from whyspiking.battery import partial_input
from whyspiking.battery.control import probe_control
from whyspiking.battery.spiking import Bench, Simulator
from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.trial_subsets import same_stimulus
from whyspiking.contract.types import ExperimentParameters, Network, Progress, Recording, Task
from whyspiking.errors import UserError
from whyspiking.measures import scoring

if TYPE_CHECKING:
    from whyspiking.declared.plans import Measured, Measuring

FEW_TRIALS = 50
"""A clean run of so few trials is kept, for figures that show all of it."""


def probe(
    replication: Replication[Any],
    params: ExperimentParameters,
    plan: Measuring,
    networks: Mapping[tuple[str, int], Network],
    config: Mapping[str, Any],
    machine: Simulator | None,
    progress: Progress,
    *,
    half_step: Simulator | None = None,
) -> tuple[list[dict[str, Any]], dict[str, NDArray]]:
    """Run the battery on all networks of an experiment.

    Args:
        replication: The talk.
        params: Parameters of the experiment; the seed of each network replaces `params.seed`.
        plan: The roles of its variants, the perturbations of each, and the unit of jitter.
        networks: Trained networks by (variant, seed), controls and networks of other sizes too.
        config: The `battery` block of the config.
        machine: Runs the model of `replication.to_brian(params)`; None where nothing spikes.
        progress: Called with the fraction done.
        half_step: Runs the same at half the time step, to measure its effect (Q2).

    Returns:
        Rows of the metrics table, and arrays for figures: the talk's own and the anytime scores.

    Raises:
        UserError: If the description of the experiment and the model do not fit.
    """
    tau_ms = plan["tau_char_ms"]
    if plan["whole_test"]:
        config = {**config, "n_trials": sys.maxsize, "n_labelled_trials": sys.maxsize}
    model = None if machine is None else replication.to_brian(params)
    rows: list[dict[str, Any]] = []
    arrays: dict[str, NDArray] = {}
    small: list[Bench] = []
    for index, ((variant, seed), network) in enumerate(networks.items()):
        described = plan["variants"][variant]
        own = params.with_values(seed=seed, **described["settings"])
        role, trained = described["role"], (replication, own, variant, network)
        report = partial(_tell, progress, index, len(networks), f"{variant} seed {seed}")
        if role not in ("spiking", "ablation") or machine is None or model is None:
            rows += _control_rows(*trained, described, config, tau_ms, report)
            early, curve = partial_input.probe(*trained, config)
            rows, arrays = rows + early, arrays | curve
        else:
            states = plan["states"] if role == "spiking" else None
            bench = Bench(*trained, machine, model, config, tau_ms, report, states)
            halved = half_step if role == "spiking" else None
            rows += bench.rows(described["perturbations"], halved)
            arrays |= bench.anytime()
            if scoring.n_trials(bench.outcome) <= FEW_TRIALS:
                small.append(bench)
    simulate = partial(_simulate, replication, params, machine, small)
    arrays |= replication.exhibits(params, networks, simulate, Streams(params.seed))
    progress(1.0, "done")
    return rows, arrays


def _tell(
    progress: Progress, index: int, n_networks: int, name: str, share: float, news: str
) -> None:
    """Progress of one network as progress of all of them."""
    progress((index + share) / n_networks, f"{name}: {news}")


def _control_rows(
    replication: Replication[Any],
    params: ExperimentParameters,
    variant: str,
    network: Network,
    described: Measured,
    config: Mapping[str, Any],
    tau_ms: float,
    progress: Progress,
) -> list[dict[str, Any]]:
    """A control measured in its own engine."""
    perturbations = described["perturbations"]
    return probe_control(
        replication, params, perturbations, variant, network, config, progress, tau_ms=tau_ms
    )


def _simulate(
    replication: Replication[Any],
    params: ExperimentParameters,
    machine: Simulator | None,
    simulated: Sequence[Bench],
    network: Network,
    task: Task,
) -> Recording:
    """A network's recording of a task, anew unless it is one of those already simulated."""
    if machine is None:
        raise UserError(
            f"talk '{params.talk}': experiment '{params.experiment}' is not simulated, so no "
            "probe can run. Name an experiment that is simulated"
        )
    for bench in simulated:
        if network is bench.network and same_stimulus(task, bench.task):
            return bench.recording
    values = replication.bind(params, network).values
    return machine.run(task.stimulus, values, trials=int(task.targets.shape[0]))
