"""From a .nir file to its measures, beside those that are recorded of the same task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from whyspiking.battery.spiking import Bench
from whyspiking.brian import Machine
from whyspiking.contract import perturb
from whyspiking.contract.types import Network, Params, Progress
from whyspiking.declared.community_file import FORMAT, CommunityRow, Said
from whyspiking.declared.shared_tasks import JITTER_UNITS, WINDOW_MS
from whyspiking.declared.strict_yaml import parsed
from whyspiking.records import tables
from whyspiking.records.columns import METRICS
from whyspiking.records.tables import Table
from whyspiking.stages.provenance import git
from whyspiking_exchange.foreign import sources
from whyspiking_exchange.foreign.tasks import Foreign, Setting, trial_ms
from whyspiking_exchange.nir import model
from whyspiking_exchange.nir.layers import Layers

VARIANT = "spiking"
TOLD = (
    # perturbation, location, metric: what a row says besides its score
    ("jitter", "input", "sigma50"),
    ("delete", "input", "half_dose"),
    ("delete", "hidden", "half_dose"),
    ("quantise", "weights", "bits95"),
    ("mismatch", "weights", "half_dose"),
)


@dataclass(frozen=True)
class Measured:
    """A network with all that was measured of it.

    Attributes:
        layers: What its file holds.
        setting: How it was run.
        metrics: Rows of the metrics table.
        row: What `exchange/community/` takes.
        agreed: Share of validation trials with the decision that was expected; None: not asked.
    """

    layers: Layers
    setting: Setting
    metrics: pd.DataFrame
    row: CommunityRow
    agreed: float | None = None


def setting_of(
    found: Layers,
    params: Params,
    *,
    steps: model.Steps,
    readout: str | None,
    asked_ms: float | None,
    bias_ms: Sequence[float],
) -> Setting:
    """How a network is run: as asked, else by the task and by what its graph ends in."""
    default = "count" if found.gives_spikes else "max"
    return Setting(
        params.experiment,
        steps,
        params.seed,
        trial_ms(params, asked_ms),
        tuple(bias_ms),
        readout or default,
    )


def measure(
    file: Path,
    said: Said,
    foreign: Foreign,
    params: Params,
    config: Mapping[str, Any],
    progress: Progress,
    expected: NDArray[np.int64] | None = None,
) -> Measured:
    """Run the battery on a network inside Brian2.

    Args:
        file: The .nir file.
        said: What is told of it.
        foreign: It in its setting, checked.
        params: Of the task.
        config: The run configuration.
        progress: Called with the share done.
        expected: Decisions of where it comes from on the validation trials, (trial,).
    """
    found, setting = foreign.layers, foreign.setting
    progress(0.0, "compiling the Brian2 program of this architecture")
    built = foreign.to_brian(params)
    machine = Machine(built, Path(config["build_folder"]))
    agreed = None if expected is None else sources.agreement(expected, foreign, params, machine)
    progress(0.0, "the test set without perturbation")
    bench = Bench(
        foreign,
        params,
        VARIANT,
        Network({}),
        machine,
        built,
        config["robustness_tests"],
        WINDOW_MS / JITTER_UNITS,
        progress,
        model.states_of(found),
    )
    known = (*perturb.ON_SPIKES, *perturb.ON_NUMBERS)
    names = [name for name in known if name in perturb.ONCE or name in config["robustness_tests"]]
    table = METRICS.table(bench.clean_rows() + bench.curve_rows(names))
    made = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    row = _row(said, made, foreign, params, table)
    return Measured(found, setting, table, row, agreed)


def _row(
    said: Said, made: Mapping[str, str], foreign: Foreign, params: Params, table: Table
) -> CommunityRow:
    found, setting, values = foreign.layers, foreign.setting, sources.clean(table)
    whole = tables.where(table, perturbation="none", location="", metric="accuracy")
    n = int(whole["n_trials"].iloc[0])
    right = round(values["accuracy"] * n)
    ends = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    measures = {}
    for perturbation, location, metric in TOLD:
        told = tables.where(table, perturbation=perturbation, location=location, metric=metric)
        if len(told) and math.isfinite(float(told["value"].iloc[0])):
            measures[f"{perturbation}.{location}.{metric}"] = float(told["value"].iloc[0])
    data: dict[str, Any] = {
        "format": FORMAT,
        **said.model_dump(),
        "reproduced": False,
        "task": params.experiment,
        "seed": params.seed,
        "made": {
            **made,
            "whyspiking": metadata.version("whyspiking"),
            "commit": git("rev-parse", "HEAD") or "",
            "scale": params.scale,
            **asdict(setting.steps),
            "readout": setting.readout,
            "trial_ms": setting.trial_ms,
            "bias_ms": list(setting.bias_ms),
        },
        "neurons": sum(layer.size for layer in found.layers),
        "synapses": int(sum(np.count_nonzero(s.weights) for s in found.synapses)),
        "trials": n,
        "accuracy": values["accuracy"],
        "ci_low": float(ends.low),
        "ci_high": float(ends.high),
        "undecided": values["undecided"],
        "spikes_hidden": values.get("spikes_hidden", 0.0),
        "measures": measures,
    }
    return parsed(CommunityRow, data, "what the command line says of the network")
