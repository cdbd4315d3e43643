"""Where a network comes from: what a framework leaves out of its files, and how it is told.

Read from the code of snnTorch 1.0 (`export_nir.py`, `_neurons/leaky.py`, `synaptic.py`), Norse 1.1
(`utils/export_nir.py`, `functional/lif.py`, `lif_box.py`) and SpikingJelly
(`nir_exchange/to_nir.py`), and held against their spikes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Trials
from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking_exchange.foreign.tasks import MNIST, Foreign, Setting
from whyspiking_exchange.nir.layers import Layers

SNNTORCH, NORSE = "snntorch", "norse"
SNNTORCH_MS = 0.1
"""Step for which snnTorch writes time constants, whatever a step was: tau = 0.1 ms / (1 - beta)."""
LEFT_OPEN = {
    SNNTORCH: (SNNTORCH_MS, "later", "filtered"),
    NORSE: (1.0, "value", "jump"),
    "spikingjelly": (0.1, "value", "filtered"),
}
"""Step in ms for which time constants are written unless told otherwise, reset, and current."""
FAR = 100
"""A time constant of so many trials does nothing within one."""
WHOLE = 1e-3
"""Of a step: what a delay may lie beside whole steps by rounding."""
ENOUGH = 0.99
"""Share of equal decisions below which a file is not run as where it comes from."""


def left_open(source: str | None, layers: Layers, step_ms: float) -> dict[str, Any]:
    """Steps, reset and currents of a framework: fields of `nir.model.Steps`.

    Norse's exporter multiplies time constants by its own `dt`, 0.001 unless told otherwise: then
    all are shorter than a step, which no network of Norse can have.

    Args:
        source: One of `LEFT_OPEN`; None: as NIR defines them.
        layers: The network.
        step_ms: Length of a step of the task, which is the file's where nobody says otherwise.
    """
    step, reset, current = LEFT_OPEN.get(source or "", (step_ms, "value", "filtered"))
    if source == NORSE:
        longest = max((np.max(tau) for _, tau in _taus(layers)), default=np.inf)
        step *= 1e-3 if longest < step * 1e-3 else 1.0
    return {"graph_step_ms": step, "reset": reset, "current": current}


def _taus(layers: Layers) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Node and time constants, (neuron,) each, in s of the file."""
    for layer in layers.layers:
        for state in layer.states:
            for key, values in state.parameters.items():
                if key.startswith("tau"):
                    yield state.node, values


def implausible_numbers(layers: Layers, setting: Setting) -> list[str]:
    """What in a file and its setting does not fit, before anything is run; one line each."""
    remarks = []
    steps = setting.steps
    if steps.graph_step_ms != SNNTORCH_MS and _of_snntorch(layers):
        remarks.append(
            "the file seems to come from snnTorch (r equals tau divided by 0.1 ms), but it is "
            f"run with --graph-step-ms {steps.graph_step_ms:g}. If it comes from snnTorch, give "
            f"--from {SNNTORCH}"
        )
    per_second = 1e3 * steps.step_ms / steps.graph_step_ms
    finite = math.isfinite(setting.trial_ms)
    trials = f" and trials of {setting.trial_ms:g}" if finite else ""
    for node, values in _taus(layers):
        shortest, longest = per_second * np.min(values), per_second * np.max(values)
        if longest > FAR * setting.trial_ms or shortest < 0.999 * steps.step_ms:
            remarks.append(
                f"time constants of '{node}' are {shortest:.3g} to {longest:.3g} ms, which does "
                f"not fit time steps of {steps.step_ms:g}{trials} ms. A NIR file states time "
                "constants in seconds. If this file states them in ms, give --graph-step-ms "
                f"{1e3 * steps.step_ms:g}; if a framework wrote it, give --from"
            )
    own = [1e3 * s.delays / steps.graph_step_ms for s in layers.synapses if s.delays is not None]
    off = max((float(np.abs(late - np.rint(late)).max()) for late in own), default=0.0)
    if off > WHOLE:
        remarks.append(
            f"delays differ by up to {off:.2g} of a time step from multiples of "
            f"{steps.graph_step_ms:g} ms and are rounded. If this is not the time step of the "
            "file, give --graph-step-ms"
        )
    return remarks


def _of_snntorch(layers: Layers) -> bool:
    """Whether all neurons have the resistance that only snnTorch's exporter gives them."""
    matches = [
        np.allclose(state.parameters["r"] * SNNTORCH_MS * 1e-3, state.parameters[tau], rtol=1e-4)
        for layer in layers.layers
        for state in layer.states
        for tau in ("tau", "tau_mem")
        if tau in state.parameters
    ]
    return bool(matches) and all(matches)


def low_agreement(agreed: float | None) -> list[str]:
    """What is said where too few decisions are those that were expected."""
    if agreed is None or agreed >= ENOUGH:
        return []
    return [
        f"only {100 * agreed:.1f} % of the decisions are equal to those in --expect; expected at "
        f"least {100 * ENOUGH:g} %. The time step, the reset or the readout differs from that of "
        "the original framework (docs/exchange.md, what NIR leaves open)"
    ]


def clean(metrics: Table) -> dict[str, float]:
    """Metric -> value in the test without perturbation."""
    rows = tables.where(metrics, perturbation="none", location="")
    return dict(zip(rows["metric"], rows["value"].astype(float), strict=True))


def silent_layers(metrics: Table) -> list[str]:
    """Which part of a network never fired in the test without perturbation; one line each."""
    values = clean(metrics)
    silent = {
        "no hidden neuron fires": values.get("spikes_hidden") == 0,
        "no output fires": values.get("undecided") == 1,
    }
    return [
        f"{what} in any test trial, so these results say nothing about the network. Check that it "
        "runs as in the framework that trained it: --from sets time steps and resets, "
        "--input-scale sets the amplitude of input spikes"
        for what, there in silent.items()
        if there
    ]


def expected(file: Path, foreign: Foreign, params: Params) -> NDArray[np.int64]:
    """Decisions of the framework itself on the validation trials, (trial,); -1: undecided.

    Args:
        file: .npz with `choices`, or .npy.
        foreign: The network in its setting.
        params: Of the task.

    Raises:
        UserError: If the file holds no such thing.
    """
    try:
        with file.open("rb") as opened:
            loaded = np.load(opened, allow_pickle=False)
            choices = np.asarray(loaded if isinstance(loaded, np.ndarray) else loaded["choices"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        said = " ".join(str(error).split())[:120]
        raise UserError(
            f"--expect {file}: not readable ({said}); expected a .npy of decisions, or a .npz with "
            "'choices'; write it with numpy"
        ) from None
    n = params.n_validation
    if choices.shape != (n,) or choices.dtype.kind not in "iu":
        order = "MNIST's training file" if params.experiment == MNIST else "`samples`"
        raise UserError(
            f"--expect {file}: decisions of shape {choices.shape} and type {choices.dtype}; "
            f"expected {n} whole numbers, one for each validation trial of '{params.experiment}' "
            f"at scale {params.scale} in the order of {order}. Write such decisions"
        )
    if choices.size and not (choices.min() >= -1 and choices.max() < foreign.layers.n_out):
        raise UserError(
            f"--expect {file}: decisions from {choices.min()} to {choices.max()}; expected "
            f"classes 0 to {foreign.layers.n_out - 1}, or -1 where no output decides. Correct them"
        )
    return choices.astype(np.int64)


def agreement(
    choices: NDArray[np.int64], foreign: Foreign, params: Params, machine: Machine
) -> float:
    """Share of validation trials in which a network decides here as `choices`, (trial,), say."""
    task = foreign.make_task(params, "validation", Streams(params.seed))
    assert task is not None
    recording = machine.run(task.stimulus, foreign.bind(params, Network({})).values)
    outcome = foreign.decode(params, recording, task)
    assert isinstance(outcome, Trials)
    return float((outcome.choices == choices).mean())
