"""The ground's spiking networks in NIR: those built by hand, and LIF references of each task.

Built (tasks/gated_networks.py, Eq. 1): what NIR has at the end of a step is what Eq. 1 has before
the thresholds of the next, so that its decay stands in the weights, and a gate's spike takes one
step more to the memories (`Delay`). Memories answer; where there are none, gates do.

Trained (training/reference/units.py): `Graph.recurrent`. The readout is reset when the answer
begins, for which NIR has no node: it runs on, and whoever reads it takes off what is left of before
(`kept` of `Readout`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.talks.ground import networks, references, tasks, trained
from whyspiking.talks.ground.protocol import protocol
from whyspiking.tasks import gated_networks, generators
from whyspiking.training.reference import answering
from whyspiking.training.reference.units import READOUT_TAU_MS
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, Readout


def step_ms(params: ct.Params) -> float:
    """Step of all networks of the ground."""
    return float(params.dt_ms)


def to_nir(params: ct.Params, variant: str, network: ct.Network, clock: Clock) -> Graph:
    """Gates and memories, or recurrent LIF units and their readout."""
    if params.experiment == "randman_mapped":
        raise NotExpressible(
            "ground: NIR has no node for potentials whose slope changes at a given time"
        )
    if variant in trained.REPLAYED:
        return _trained(params, network.arrays, clock)
    return _built(params, network.arrays, clock)


def _built(params: ct.Params, arrays: dict[str, NDArray], clock: Clock) -> Graph:
    graph = Graph()

    def arriving(name: str) -> NDArray:
        """Weights so that what arrives decays within its step."""
        post = gated_networks.WEIGHTS[name][1]
        keep = clock.keep(arrays[f"tau_{post}"])
        return arrays[name] * keep / (1 - keep)

    def neurons(name: str) -> str:
        one = np.ones(len(arrays[f"start_{name}"]))
        return graph.add(
            name,
            "LIF",
            tau=clock.tau(arrays[f"tau_{name}"]) * one,
            r=one,
            v_leak=0 * one,
            v_threshold=arrays[f"theta_{name}"] * one,
            v_reset=0 * one,
        )

    gate = neurons("gate")
    graph.connect(graph.input(params.n_input), graph.linear("heard", arriving("gate")), gate)
    if arrays["again"].any():
        graph.connect(gate, graph.linear("again", arriving("again")), gate)
    if generators.load_module(params.experiment, "hand_designed").READS_POTENTIALS:
        once = 1.0 if clock.solver == "euler" else 1 / clock.step
        bias = arrays["start_memory"] / _steps(params)[1]
        memory = graph.add("memory", "I", r=np.full(len(bias), once))
        graph.connect(gate, graph.linear("keep", arrays["keep"], bias), memory)
    elif arrays["keep"].any():
        memory = neurons("memory")
        late = graph.add("late", "Delay", delay=np.full(len(arrays["keep"]), clock.step))
        graph.connect(gate, late, graph.linear("keep", arriving("keep")), memory)
        graph.connect("input", graph.linear("ask", arriving("ask")), memory)
    else:
        memory = gate
    graph.connect(memory, graph.output(params.n_output))
    return graph


def _trained(params: ct.Params, arrays: dict[str, NDArray], clock: Clock) -> Graph:
    own = {name: np.asarray(values, float) for name, values in arrays.items()}
    tau_ms = np.broadcast_to(np.exp(own["log_tau"]), own["bias"].shape)
    taken = 1 / (1 - clock.keep(tau_ms))
    graph = Graph()
    fire = graph.recurrent(
        graph.input(params.n_input),
        own["input"] * taken,
        own.get("state", np.zeros(1)) * taken,
        clock,
        tau_ms=tau_ms,
        threshold=1.0,
        bias=own["bias"],
    )
    kept, (start, stop) = clock.keep(READOUT_TAU_MS), _steps(params)
    # Of a bias that begins with the answer its mean over the answer is the output's.
    reached = 1 - np.mean(kept ** np.arange(1, stop - start + 1))
    readout = graph.linear("to_classes", own["out"] / (1 - kept), own["out_bias"] / reached)
    tau_ms = np.full(params.n_output, READOUT_TAU_MS)
    graph.connect(
        fire, readout, graph.leaky("classes", tau_ms, clock), graph.output(params.n_output)
    )
    return graph


def _steps(params: ct.Params) -> tuple[int, int]:
    """First step of the answer, and the one after its last, as NIR counts."""
    n_steps = round(params.trial_ms / params.dt_ms)
    if params.experiment.endswith(trained.SUFFIX):
        shape = references.shape(trained.of_task(params))
        return n_steps - shape.answer_steps, n_steps
    return n_steps - 1 - round(params.last_ms / params.dt_ms), n_steps - 1


def stimulus(
    params: ct.Params, network: ct.Network, task: ct.Task, clock: Clock
) -> NDArray[np.uint8]:
    """The trials' spikes on the steps of the networks."""
    return tasks.raster(params, task).astype(np.uint8)


def readout(params: ct.Params) -> Readout:
    """Most spikes in the answer, of several the first; or the largest readout."""
    start, stop = _steps(params)
    if params.experiment.endswith(trained.SUFFIX):
        kept = float(Clock(step_ms(params)).keep(READOUT_TAU_MS))
        return Readout("sum", start, kept=kept if start else 0.0)
    if generators.load_module(params.experiment, "hand_designed").READS_POTENTIALS:
        return Readout("last", stop=stop)
    return Readout("count", start, stop)


def reference(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> NDArray[np.int64]:
    """The same in NumPy and JAX."""
    module = trained if variant in trained.REPLAYED else networks
    trials = module.evaluate(params, variant, network, task)
    assert trials is not None
    return np.asarray(trials.choices)


def best_of(
    params: ct.Params, family: str, ladder: ct.Network, n: int
) -> tuple[dict[str, NDArray], dict[str, Any], NDArray, dict[str, NDArray]]:
    """Of a family's networks of all sizes and prices the one that is best on validation data.

    Args:
        params: Of `<task>_trained`.
        family: Of the protocol.
        ladder: All of them, as trained.
        n: Test trials.

    Returns:
        Its arrays; recipe and shape; the trials' raster (trial, step, line); what it decides in
        them, `choices`, and `targets`.
    """
    own = trained.of_task(params)
    chance = protocol().tasks[own.experiment].chance
    network = trained.picked(ladder, chance, trained.REPLAYED["replayed_best"])
    chosen = protocol().chosen_settings[own.experiment][family].given
    recipe = references.recipe(own.experiment, family, len(network.arrays["bias"]), chosen)
    shape = references.shape(own)
    task = tasks.make_task(own, "test", Streams(own.seed))
    assert task is not None
    task = select_task(task, np.arange(n))
    inputs = tasks.raster(own, task)
    choices, _ = answering.answer(recipe, shape, network.arrays, inputs)
    facts = {"recipe": asdict(recipe), "shape": asdict(shape)}
    return network.arrays, facts, inputs, {"choices": choices, "targets": np.asarray(task.targets)}
