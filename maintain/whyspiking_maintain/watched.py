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
from whyspiking.contract.types import ExperimentParameters, Network
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.measures import accounting
from whyspiking.records import reference
from whyspiking.report import watch
from whyspiking.talks import as_declared, talk_module
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
    run = results / TALK / experiment.name
    places = {
        family: next(iter(sorted((run / family).glob("seed-*"))), None) for family in FAMILIES
    }
    if None in places.values():
        return
    config = inputs.config_of()
    kept: dict[str, Any] = {"trials": [], "networks": []}
    for family, place in places.items():
        assert place is not None
        seed = int(place.name.removeprefix("seed-"))
        own = trained.of_task(as_declared(registry.params(experiment, config, seed)))
        shape = references.shape(own)
        raster, classes = references.told(own, "test", Streams(own.seed))
        raster, classes = raster[:N_TRIALS], classes[:N_TRIALS]
        if not kept["trials"]:
            kept |= {name: getattr(shape, name) for name in ("n_lines", "n_steps", "n_classes")}
            kept |= {"step_ms": shape.step_ms, "answer_step": shape.n_steps - shape.answer_steps}
            kept["trials"] = [
                {"class": int(right), "spikes": np.flatnonzero(one).tolist()}
                for one, right in zip(raster, classes, strict=True)
            ]
        kept["networks"].append(describe(family, load_network(place), own, raster, config))
    text = json.dumps(kept, separators=(",", ":"))
    inputs.write(folder / watch.FILE, f"{text}\n".encode())


def describe(
    family: str, ladder: Network, own: ExperimentParameters, raster: NDArray, config: dict[str, Any]
) -> dict[str, Any]:
    """The chosen network of a family, and what it does in some trials.

    Args:
        family: Of the protocol.
        ladder: Networks of all sizes, as trained.
        own: Parameters of the task.
        raster: Trials, (trial, step, line).
        config: The configuration, for the energy of operations.
    """
    network, recipe, row = choose(family, ladder, own, config)
    shape = references.shape(own)
    least_change = find_threshold(recipe, shape, network, own)
    told = raster.swapaxes(0, 1).astype(np.float32)
    logits, sent = (np.asarray(x) for x in units.run(recipe, shape, network, told, least_change))
    shares = units.kernel(shape)
    late = shape.n_steps - shape.answer_steps
    shares = shares / shares[late:].sum() if recipe.kind == "gru" else shares
    trials = []
    for k, one in enumerate(raster):
        counts = count_by_step(recipe, shape, one.astype(bool), sent[:, k], least_change)
        energy = accounting.energy(counts, accounting.ACCOUNTS[ACCOUNT], config["energy"])
        weighted = np.cumsum(shares[late:, None] * sent[late:, k], axis=0)
        outputs = weighted @ network["out"] + network["out_bias"]
        np.testing.assert_allclose(outputs[-1], logits[k], rtol=1e-3, atol=1e-3)
        levels = np.clip(np.rint(9 * np.abs(sent[:, k]) / np.abs(sent).max()), 0, 9).astype(int)
        trials.append(
            {
                "levels": ["".join(map(str, unit)) for unit in levels.T],
                "outputs": outputs.round(2).tolist(),
                "energy": [float(f"{x / 1e3:.3g}") for x in np.broadcast_to(energy, len(one))],
                "choice": int(logits[k].argmax()),
            }
        )
    accuracy = row["accuracy"]
    return {"family": family, "units": recipe.n, "accuracy": accuracy, "trials": trials}


def choose(
    family: str, ladder: Network, own: ExperimentParameters, config: dict[str, Any]
) -> tuple[dict[str, NDArray], units.Recipe, dict[str, float]]:
    """The network with the least energy among those that are accurate enough on validation trials.

    Returns:
        Its arrays, its recipe, and its row of measurements.
    """
    account = accounting.ACCOUNTS[ACCOUNT]
    names = [field.name for field in fields(Counts)]
    rows = ladder.info["measured_at"]
    penalties = list(dict.fromkeys(row[0] for row in rows))
    best: tuple[float, Any] | None = None
    for row in rows:
        counts = Counts(**{name: row[2].get(name, 0.0) for name in names})
        energy = float(accounting.energy(counts, account, config["energy"]))
        is_accurate = row[2]["validation_accuracy"] >= MIN_ACCURACY
        if is_accurate and (best is None or energy < best[0]):
            best = energy, row
    if best is None:
        raise UserError(
            f"ground.{TASK}{trained.SUFFIX}: no network of '{family}' has an accuracy of "
            f"{MIN_ACCURACY} on validation trials; expected one. Lower MIN_ACCURACY in {__name__}"
        )
    penalty, n_units, values, _ = best[1]
    start = f"{n_units}_{penalties.index(penalty)}/"
    arrays = {k.removeprefix(start): x for k, x in ladder.arrays.items() if k.startswith(start)}
    protocol = talk_module(TALK, "protocol").protocol()
    setting = protocol.chosen_settings[own.experiment][family].given
    return arrays, references.recipe(own.experiment, family, n_units, setting), values


def find_threshold(
    recipe: units.Recipe, shape: units.Shape, arrays: dict[str, NDArray], own: ExperimentParameters
) -> float | None:
    """The largest change that is not sent and loses no more accuracy than the protocol allows."""
    if recipe.kind not in units.UNCEASING:
        return None
    raster, classes = references.told(own, "validation", Streams(own.seed))
    rule = talk_module(TALK, "protocol").protocol().change_threshold

    def measure(least_change: float | None) -> float:
        choices, _ = answering.answer(recipe, shape, arrays, raster, least_change)
        return float((choices == classes).mean())

    allowed = measure(None) - rule.max_accuracy_loss
    return max((c for c in rule.value if measure(c) >= allowed), default=None)


def count_by_step(
    recipe: units.Recipe,
    shape: units.Shape,
    raster: NDArray[np.bool_],
    sent: NDArray,
    least_change: float | None,
) -> Counts:
    """Operations up to every step of one trial, each (step,).

    `answering.answer` and `verdicts.points` count whole trials; a test ties the last step to them.

    Args:
        recipe: What the network is.
        shape: What the task fixes.
        raster: Input spikes, (step, line).
        sent: Messages, (step, unit).
        least_change: As in `units.run`.
    """
    is_gated, is_unceasing = recipe.kind == "gru", recipe.kind in units.UNCEASING
    n, n_out, late = recipe.n, shape.n_classes, shape.n_steps - shape.answer_steps
    each = answering.GATED_OPERATIONS if is_gated else 1
    is_recurrent = is_gated or recipe.recurrent
    on = sent > 0
    if is_unceasing:
        on = np.diff(sent, axis=0, prepend=0) != 0 if least_change else np.ones_like(sent, bool)
    in_answer = np.arange(shape.n_steps) >= late
    to_readout = on & in_answer[:, None]
    if is_unceasing:
        to_readout[late] = True
    before = np.vstack([np.zeros((1, n), bool), on[:-1]]) & is_recurrent
    messages = (on | to_readout).sum(axis=1)
    n_inputs = raster.sum(axis=1)
    by_units = to_readout.sum(axis=1) * n_out + before.sum(axis=1) * n * each
    reached = (raster.any(axis=1) | before.any(axis=1))[:, None] | on
    of_units, of_readout = np.full(shape.n_steps, n), n_out * in_answer
    events = of_units if is_unceasing else reached.sum(axis=1)
    answered = of_readout if is_unceasing else n_out * to_readout.any(axis=1)
    is_binary = recipe.kind == "spiking"
    return Counts(
        **{
            name: np.cumsum(values)
            for name, values in {
                "acs": n_inputs * n * each + is_binary * by_units,
                "macs": (not is_binary) * by_units,
                "updates_event_driven": events + answered,
                "updates_clock_driven": of_units + of_readout,
                "multiplications_event_driven": each * events + answered,
                "multiplications_clock_driven": each * of_units + of_readout,
                "binary_messages": n_inputs + is_binary * messages,
                "graded_messages": (not is_binary) * messages,
                # Sums and values that were sent last, which such units read in every step.
                "buffered_values": is_unceasing * (READ.get(recipe.kind, 0) * n + of_readout) / 2,
            }.items()
        }
    )
