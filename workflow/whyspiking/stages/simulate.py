"""The second stage: re-simulate networks in Brian2 and measure them; nothing is trained here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whyspiking.battery import probe
from whyspiking.brian import Machine
from whyspiking.contract import network_files
from whyspiking.contract.types import Progress
from whyspiking.records import array_files, tables
from whyspiking.talks import load_replication, read_parameters

if TYPE_CHECKING:
    from whyspiking.declared.plans import Measuring


def simulate(
    plan: Measuring,
    networks: Sequence[Path],
    battery_config: Mapping[str, Any],
    folder: Path,
    progress: Progress,
) -> None:
    """Re-simulate all spiking networks of one experiment in Brian2 and run the battery.

    An experiment without spiking networks only has its exhibits collected.

    Args:
        plan: Parameters and variants of the experiment, what is measured of each.
        networks: Folders `.../<variant>/seed-<n>` of all trained networks, controls included.
        battery_config: The `battery` block of the config.
        folder: Where metrics.csv and figure_data.npz go.
        progress: Called with the fraction done.
    """
    params = read_parameters(plan["params"])
    replication = load_replication(params.talk, params.experiment)
    loaded = {
        (path.parent.name, int(path.name.removeprefix("seed-"))): network_files.load_network(path)
        for path in networks
    }
    loaded = {key: network for key, network in loaded.items() if "unavailable" not in network.info}
    if not loaded:
        progress(1.0, "no network of this experiment is available")
        tables.write_metrics([], folder / "metrics.csv")
        array_files.save_arrays({}, folder / "figure_data.npz")
        return
    machine = None
    if plan["simulated"]:
        machine = Machine(replication.to_brian(params), params.work_dir)
    half_step = None
    if plan["half_step"]:
        half_step = Machine(replication.to_brian(params.at_half_step()), params.work_dir)
    rows, exhibits = probe.probe(
        replication=replication,
        params=params,
        plan=plan,
        networks=loaded,
        config=battery_config,
        machine=machine,
        progress=progress,
        half_step=half_step,
    )
    tables.write_metrics(rows, folder / "metrics.csv")
    array_files.save_arrays(exhibits, folder / "figure_data.npz")
