"""The one battery of measurements, the same for all talks.

Every spiking network of an experiment is re-simulated in Brian2: unperturbed on the whole test set,
then under the common perturbations and the talk's own conditions on part of it. Controls get the
counterpart of each perturbation in their own engine, and are asked before their input is complete
where it comes in as spikes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from whyspiking.battery import partial_input
from whyspiking.battery.control import probe_control
from whyspiking.battery.spiking import Bench, Simulator
from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.trial_subsets import same_stimulus
from whyspiking.contract.types import Network, Params, Progress, Recording, Task
from whyspiking.errors import UserError
from whyspiking.measures import scoring

if TYPE_CHECKING:
    from whyspiking.declared.plans import Measuring

FEW_TRIALS = 50
"""A clean run of so few trials is kept, for figures that show all of it."""


def probe(
    replication: Replication,
    params: Params,
    plan: Measuring,
    networks: Mapping[tuple[str, int], Network],
    config: Mapping[str, Any],
    machine: Simulator | None,
    progress: Progress,
    *,
    half_step: tuple[Params, Simulator] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, NDArray]]:
    """Run the battery on all networks of an experiment.

    Args:
        replication: The talk.
        params: Parameters of the experiment; the seed of each network replaces `params.seed`.
        plan: The roles of its variants, the perturbations of each, and the unit of jitter.
        networks: Trained networks by (variant, seed). Roles `spiking` and `ablation` are
            re-simulated, but only `spiking` gets the common perturbations; controls are measured
            in their own engine.
        config: The `battery` block of the config.
        machine: Runs the model of `replication.to_brian(params)`; None where nothing spikes.
        progress: Called with the fraction done.
        half_step: Parameters and simulator of the same model at half the time step; where given,
            the effect of the step is measured (Q2).

    Returns:
        Rows of the metrics table, and arrays for figures: those of the talk, `anytime.time_ms`
        (time,) and `anytime.<variant>.<seed>` (time,) for classification, of controls where they
        can be asked on the way.

    Raises:
        UserError: If the description of the experiment and the model do not fit.
    """
    tau_ms = plan["tau_char_ms"]
    if plan["whole_test"]:
        config = {**config, "trials": sys.maxsize, "records": sys.maxsize}
    model = None if machine is None else replication.to_brian(params)
    rows: list[dict[str, Any]] = []
    arrays: dict[str, NDArray] = {}
    known: list[tuple[Network, Task, Recording]] = []
    for index, ((variant, seed), network) in enumerate(networks.items()):
        own = replace(params, seed=seed)
        name = f"{variant} seed {seed}"

        def told(share: float, news: str, done: int = index, name: str = name) -> None:
            progress((done + share) / len(networks), f"{name}: {news}")

        described = plan["variants"][variant]
        role, perturbations = described["role"], described["perturbations"]
        if role == "size":
            # What a control of another size costs, for the ratio of energies at equal score.
            own = replace(own, values={**own.values, **described["resized"]})
            known_as = described["trained_as"]
            counted = probe_control(replication, own, (), known_as, network, config, told)
            rows += [{**row, "variant": variant} for row in counted]
            continue
        if role not in ("spiking", "ablation") or machine is None or model is None:
            rows += probe_control(
                replication, own, perturbations, variant, network, config, told, tau_ms=tau_ms
            )
            early, curve = partial_input.probe(replication, own, variant, network, config)
            rows, arrays = rows + early, arrays | curve
            continue
        whole = role == "spiking"
        states = plan["states"] if whole else None
        bench = Bench(
            replication, own, variant, network, machine, model, config, tau_ms, told, states
        )
        rows += bench.clean_rows() + bench.curve_rows(perturbations)
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

    shown = {
        key: network
        for key, network in networks.items()
        if plan["variants"][key[0]]["role"] != "size"
    }
    arrays |= replication.exhibits(params, shown, simulate, Streams(params.seed))
    progress(1.0, "done")
    return rows, arrays
