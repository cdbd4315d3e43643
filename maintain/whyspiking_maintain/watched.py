"""Keeps trials of Span recall with the activity of three networks, for the page.

The page shows them step by step (`report/watch.py`). The networks are those of a finished run that
need the least energy at an accuracy of at least `MIN_ACCURACY` on validation trials.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.counts import Counts
from whyspiking.contract.network_files import load_network
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.measures import accounting
from whyspiking.records import reference
from whyspiking.report import watch
from whyspiking.talks import talk_module
from whyspiking.training.reference import answering, units
from whyspiking.verdicts.points import READ
from whyspiking_maintain import inputs

TALK, TASK = "ground", "span_recall"
FAMILIES = ("lif", "leaky_units", "gru")
MIN_ACCURACY = 0.9
N_TRIALS = 3
ACCOUNT = "memory_8kb_event_driven"

references, trained = (talk_module(TALK, name) for name in ("references", "trained"))


def keep_trials(results: Path, folder: Path = reference.FOLDER) -> None:
    """Write `watch.FILE`, if a finished run has the networks.

    Args:
        results: Folder of the run.
        folder: The reference results.
    """
    experiment = registry.load_talk(TALK).experiments[f"{TASK}{trained.SUFFIX}"]
    run_folder = results / TALK / experiment.name
    network_folders = {
        family: next(iter(sorted((run_folder / family).glob("seed-*"))), None)
        for family in FAMILIES
    }
    if None in network_folders.values():
        return
    config = inputs.config_of()
    content: dict[str, Any] = {"trials": [], "networks": []}
    for family, network_folder in network_folders.items():
        assert network_folder is not None
        seed = int(network_folder.name.removeprefix("seed-"))
        params = trained.of_task(registry.params(experiment, config, seed))
        shape = references.shape(params)
        raster, labels = references.told(params, "test", Streams(params.seed))
        raster, labels = raster[:N_TRIALS], labels[:N_TRIALS]
        if not content["trials"]:
            content |= {name: getattr(shape, name) for name in ("n_lines", "n_steps", "n_classes")}
            content |= {"step_ms": shape.step_ms, "answer_step": shape.n_steps - shape.answer_steps}
            content["trials"] = [
                {"class": int(label), "spikes": np.flatnonzero(trial_raster).tolist()}
                for trial_raster, label in zip(raster, labels, strict=True)
            ]
        content["networks"].append(
            describe(family, load_network(network_folder), params, raster, config)
        )
    text = json.dumps(content, separators=(",", ":"))
    inputs.write(folder / watch.FILE, f"{text}\n".encode())


def describe(
    family: str, networks: Network, params: Params, raster: NDArray, config: dict[str, Any]
) -> dict[str, Any]:
    """Describe the chosen network of a family, and its activity in some trials.

    Args:
        family: Of the protocol.
        networks: Networks of all sizes, as trained.
        params: Parameters of the task.
        raster: Trials, (trial, step, line).
        config: The configuration, for the energy of operations.
    """
    network, recipe, measurements = choose(family, networks, params, config)
    shape = references.shape(params)
    least_change = find_threshold(recipe, shape, network, params)
    input_spikes = raster.swapaxes(0, 1).astype(np.float32)
    logits, messages = (
        np.asarray(x) for x in units.run(recipe, shape, network, input_spikes, least_change)
    )
    readout_kernel = units.kernel(shape)
    answer_step = shape.n_steps - shape.answer_steps
    readout_kernel = (
        readout_kernel / readout_kernel[answer_step:].sum()
        if recipe.kind == "gru"
        else readout_kernel
    )
    trials = []
    for i_trial, trial_raster in enumerate(raster):
        counts = count_by_step(
            recipe, shape, trial_raster.astype(bool), messages[:, i_trial], least_change
        )
        energy = accounting.energy(counts, accounting.ACCOUNTS[ACCOUNT], config["energy"])
        filtered_messages = np.cumsum(
            readout_kernel[answer_step:, None] * messages[answer_step:, i_trial], axis=0
        )
        outputs = filtered_messages @ network["out"] + network["out_bias"]
        np.testing.assert_allclose(outputs[-1], logits[i_trial], rtol=1e-3, atol=1e-3)
        levels = np.clip(
            np.rint(9 * np.abs(messages[:, i_trial]) / np.abs(messages).max()), 0, 9
        ).astype(int)
        trials.append(
            {
                "levels": ["".join(map(str, unit)) for unit in levels.T],
                "outputs": outputs.round(2).tolist(),
                "energy": [
                    float(f"{x / 1e3:.3g}") for x in np.broadcast_to(energy, len(trial_raster))
                ],
                "choice": int(logits[i_trial].argmax()),
            }
        )
    accuracy = measurements["accuracy"]
    return {"family": family, "units": recipe.n, "accuracy": accuracy, "trials": trials}


def choose(
    family: str, networks: Network, params: Params, config: dict[str, Any]
) -> tuple[dict[str, NDArray], units.Recipe, dict[str, float]]:
    """Choose the network with the least energy that is accurate enough on validation trials.

    Returns:
        Its arrays, its recipe, and its row of measurements.
    """
    cost_model = accounting.ACCOUNTS[ACCOUNT]
    count_names = [field.name for field in fields(Counts)]
    rows = networks.info["measured_at"]
    penalties = list(dict.fromkeys(row[0] for row in rows))
    best: tuple[float, Any] | None = None
    for row in rows:
        counts = Counts(**{name: row[2].get(name, 0.0) for name in count_names})
        energy = float(accounting.energy(counts, cost_model, config["energy"]))
        is_accurate = row[2]["validation_accuracy"] >= MIN_ACCURACY
        if is_accurate and (best is None or energy < best[0]):
            best = energy, row
    if best is None:
        raise UserError(
            f"ground.{TASK}{trained.SUFFIX}: no network of '{family}' has an accuracy of "
            f"{MIN_ACCURACY} on validation trials; expected one. Lower MIN_ACCURACY in {__name__}"
        )
    penalty, n_units, measurements, _ = best[1]
    prefix = f"{n_units}_{penalties.index(penalty)}/"
    arrays = {k.removeprefix(prefix): x for k, x in networks.arrays.items() if k.startswith(prefix)}
    protocol = talk_module(TALK, "protocol").protocol()
    setting = protocol.chosen_settings[params.experiment][family].given
    return arrays, references.recipe(params.experiment, family, n_units, setting), measurements


def find_threshold(
    recipe: units.Recipe, shape: units.Shape, arrays: dict[str, NDArray], params: Params
) -> float | None:
    """Find the largest change that is not sent and costs no more accuracy than allowed."""
    if recipe.kind not in units.UNCEASING:
        return None
    raster, labels = references.told(params, "validation", Streams(params.seed))
    rule = talk_module(TALK, "protocol").protocol().change_threshold

    def measure(least_change: float | None) -> float:
        choices, _ = answering.answer(recipe, shape, arrays, raster, least_change)
        return float((choices == labels).mean())

    min_accuracy = measure(None) - rule.max_accuracy_loss
    return max((c for c in rule.value if measure(c) >= min_accuracy), default=None)


def count_by_step(
    recipe: units.Recipe,
    shape: units.Shape,
    raster: NDArray[np.bool_],
    messages: NDArray,
    least_change: float | None,
) -> Counts:
    """Count the operations up to every step of one trial, each (step,).

    `answering.answer` and `verdicts.points` count whole trials; a test ties the last step to them.

    Args:
        recipe: What the network is.
        shape: What the task fixes.
        raster: Input spikes, (step, line).
        messages: Messages, (step, unit).
        least_change: As in `units.run`.
    """
    is_gated, is_unceasing = recipe.kind == "gru", recipe.kind in units.UNCEASING
    n, n_out, answer_step = recipe.n, shape.n_classes, shape.n_steps - shape.answer_steps
    n_operations = answering.GATED_OPERATIONS if is_gated else 1
    is_recurrent = is_gated or recipe.recurrent
    is_sent = messages > 0
    if is_unceasing:
        is_sent = (
            np.diff(messages, axis=0, prepend=0) != 0
            if least_change
            else np.ones_like(messages, bool)
        )
    is_answer_step = np.arange(shape.n_steps) >= answer_step
    is_read = is_sent & is_answer_step[:, None]
    if is_unceasing:
        is_read[answer_step] = True
    is_recurrent_input = np.vstack([np.zeros((1, n), bool), is_sent[:-1]]) & is_recurrent
    n_messages = (is_sent | is_read).sum(axis=1)
    n_inputs = raster.sum(axis=1)
    unit_operations = (
        is_read.sum(axis=1) * n_out + is_recurrent_input.sum(axis=1) * n * n_operations
    )
    is_updated = (raster.any(axis=1) | is_recurrent_input.any(axis=1))[:, None] | is_sent
    unit_updates, readout_updates = np.full(shape.n_steps, n), n_out * is_answer_step
    unit_events = unit_updates if is_unceasing else is_updated.sum(axis=1)
    readout_events = readout_updates if is_unceasing else n_out * is_read.any(axis=1)
    is_binary = recipe.kind == "spiking"
    return Counts(
        **{
            name: np.cumsum(values)
            for name, values in {
                "acs": n_inputs * n * n_operations + is_binary * unit_operations,
                "macs": (not is_binary) * unit_operations,
                "updates_event_driven": unit_events + readout_events,
                "updates_clock_driven": unit_updates + readout_updates,
                "multiplications_event_driven": n_operations * unit_events + readout_events,
                "multiplications_clock_driven": n_operations * unit_updates + readout_updates,
                "binary_messages": n_inputs + is_binary * n_messages,
                "graded_messages": (not is_binary) * n_messages,
                # Sums and values that were sent last, which such units read in every step.
                "buffered_values": is_unceasing
                * (READ.get(recipe.kind, 0) * n + readout_updates)
                / 2,
            }.items()
        }
    )
