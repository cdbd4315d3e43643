"""The XOR network in compiled loops of its own, several times faster than Brian2 (README, 4).

Brian2's program visits every variable of every neuron in every step, in several passes;
`ensembles.cpp` says what it does instead. Learning only: what was learned is simulated in Brian2.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array
from whyspiking.contract import types as ct
from whyspiking.errors import UserError
from whyspiking.talks.naud.xor.model import POPULATIONS, TOTALS, TRIAL_MS, bernoulli
from whyspiking.training.checkpoint import Checkpoint

SOURCE = Path(__file__).with_name("ensembles.cpp")
MS = 1e-3
KINDS = ("inhibition", "feedback_exc", "feedback_inh")
FIXED = (
    "i_d", "is_input", "input_of", "is_output", "q_s", "jump_e", "jump_i", "eta", "lift",
    "burst_blind",
)  # fmt: skip
"""Values of neurons that do not change, in the order of ensembles.cpp."""
TRIALS_PER_CALL = 8
"""Between two checkpoints at least: half a minute of biological time."""


@dataclass
class Synapses:
    """Wiring as the kernel walks through it; its plastic synapse k is number `order[k]` of all.

    Attributes:
        order: Plastic synapses by their postsynaptic, then presynaptic neuron.
        arrays: What ensembles.cpp calls out_start, out_post, out_place, in_start, in_pre,
            fixed_start, fixed_post, fixed_weight and kinds.
    """

    order: NDArray[np.int64]
    arrays: list[NDArray]

    @classmethod
    def from_values(cls, values: Mapping[str, Any], n: int) -> Synapses:
        """Arrange the synapses of a run.

        Args:
            values: "<synapses>.i", ".j" (synapse,), and ".w" of the fixed ones.
            n: Neurons.
        """
        i, j = np.asarray(values["forward.i"]), np.asarray(values["forward.j"])
        order = np.lexsort((i, j))
        by_presynaptic = np.argsort(i[order], kind="stable")
        arrays = [_find_starts(i, n), j[order][by_presynaptic].astype(np.int32), by_presynaptic]
        arrays += [_find_starts(j, n), i[order].astype(np.int32)]
        starts, posts, weights = [], [], []
        for kind in KINDS:
            pre, post = (np.asarray(values[f"{kind}.{end}"]) for end in "ij")
            by_pre = np.argsort(pre, kind="stable")
            starts.append(_find_starts(pre, n))
            posts.append(post[by_pre].astype(np.int32))
            weights.append(np.asarray(values[f"{kind}.w"], float)[by_pre])
        begins = np.cumsum([0, *(len(targets) for targets in posts[:-1])])
        arrays += [np.array(starts), np.concatenate(posts), np.concatenate(weights), begins]
        return cls(order, [np.ascontiguousarray(array) for array in arrays])


def _find_starts(neuron: NDArray, n: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(neuron, minlength=n))]).astype(np.int64)


@dataclass(frozen=True)
class Ensembles:
    """The network with the interface of `brian.Machine`.

    Attributes:
        params: Parameters of the experiment.
        kind: Precision of potentials and weights.
    """

    params: ct.Params
    kind: DTypeLike = np.float32

    def run(
        self,
        stimulus: ct.Stimulus,
        values: Mapping[str, Any],
        *,
        seed: int = 0,
        spikes: bool = False,
        progress: ct.Progress = lambda share, news: None,
        kept_as: str = "",
    ) -> ct.Recording:
        """All trials of a schedule, each from where the last one ended.

        Args:
            stimulus: "schedule" (trial, slot, channel).
            values: As for the Brian2 model; of the neurons' those of FIXED are known here.
            seed: Of noise and bursts.
            spikes: Keep them: "spikes" (spike, 3), step, neuron, second of a burst.
            progress: Called now and then.
            kept_as: Name of its checkpoint; without one none is kept.

        Raises:
            UserError: If it is given what it does not know.
        """
        p = self.params
        _check_known(values)
        n = len(POPULATIONS) * p.n_per_population
        rows = np.asarray(stimulus.arrays["schedule"], float)
        synapses = Synapses.from_values(values, n)
        fixed_values = np.array(
            [np.broadcast_to(values.get(f"neurons.{k}", -1.0), n) for k in FIXED], float
        )
        state = self.start(values, synapses, np.random.default_rng(seed))
        neurons, weights, population_sums = (
            list(state.values())[:-2],
            state["weights"],
            state["total"],
        )
        counters = np.zeros((*rows.shape[:2], *population_sums.shape))
        max_spikes = spikes * round(len(rows) * TRIAL_MS / p.refractory_ms) * n  # one each pause
        recorded_spikes, n_recorded = np.zeros((max_spikes, 3), np.int64), np.zeros(1, np.int64)
        advance = libraries.of_precision(library(), "advance", self.kind)
        rounds = range(0, len(rows), len(rows) if max_spikes else TRIALS_PER_CALL)
        constants, per_slot = self.constants(), round(p.slot_ms / p.dt_ms)
        checkpoint = Checkpoint(*state.values(), counters, name=kept_as) if kept_as else None
        n_done = 0  # fewer than all where only the first part is asked for
        for first_trial in checkpoint.rounds(rounds, progress) if checkpoint else rounds:
            trial_rows = np.ascontiguousarray(rows[first_trial : first_trial + rounds.step])
            trial_counters = counters[first_trial : first_trial + rounds.step]
            advance(
                constants, p.n_per_population, trial_rows.shape[0] * trial_rows.shape[1],
                per_slot, trial_rows, *neurons[:2], fixed_values, *neurons[2:],
                *synapses.arrays[:5], weights, *synapses.arrays[5:], population_sums,
                trial_counters, max_spikes, recorded_spikes, n_recorded,
            )  # fmt: skip
            n_done = first_trial + len(trial_rows)
            progress(n_done / len(rows), f"{n_done * TRIAL_MS / 1e3:.0f} s simulated")
        learned_weights = np.empty(len(weights))
        learned_weights[synapses.order] = weights
        final = {"forward.w": learned_weights, "spikes": recorded_spikes[: n_recorded[0]]}
        traces = {name: counters[:n_done, :, k] for k, name in enumerate(TOTALS)}
        return ct.Recording({}, traces, dict.fromkeys(TOTALS, p.slot_ms), final)

    def start(
        self, values: Mapping[str, Any], synapses: Synapses, rng: np.random.Generator
    ) -> dict[str, NDArray]:
        """State of a run at its start, by the names of ensembles.cpp and in its order."""
        p = self.params
        n = len(POPULATIONS) * p.n_per_population
        state, slow = np.zeros((9, n), self.kind), np.zeros((4, n))
        state[:2], state[4] = p.e_leak, p.th_rest
        slow[3] = p.r_start
        return {
            "state": state,
            "slow": slow,
            "teaching": np.zeros(n),
            "free_at": np.zeros(n, np.int64),
            "second_at": np.full(n, -1, np.int64),
            "seeds": rng.integers(1, 2**32, (2, n), np.uint32),
            "random": rng.integers(0, 2**63, 1, np.uint64),
            "clock": np.zeros(1, np.int64),
            "weights": np.asarray(values["forward.w"])[synapses.order].astype(self.kind),
            "total": np.zeros((len(TOTALS), len(POPULATIONS))),
        }

    def constants(self) -> NDArray[np.float64]:
        """Numbers of ensembles.cpp in its order, in base units."""
        p = self.params
        q_d, jump_d = bernoulli(p.noise_dendrite_hz, p.noise_dendrite, p.dt_ms)
        return np.array([
            p.dt_ms * MS, p.e_leak, p.e_exc, p.e_inh, p.th_rest, p.th_jump, p.tau_th * MS,
            p.tau_s * MS, p.c_s, p.b_w, p.tau_ws * MS, p.tau_d * MS, p.c_d, p.a_w, p.tau_wd * MS,
            p.tau_ampa * MS, p.tau_gaba * MS, float(p.drive == "soma"), p.gain,
            p.refractory_ms * MS, p.burst_delay_ms * MS, p.burst_spread_ms * MS, p.e_burst,
            p.d_burst, p.tau_pre * MS, p.tau_avg * MS, p.tau_floor * MS, p.e_min, p.e_max,
            p.teaching, float(q_d), float(jump_d),
        ], float)  # fmt: skip


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled kernel.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    kernel = libraries.load("ensembles", [SOURCE])
    size = ctypes.c_int
    libraries.declare(
        kernel, "advance", [Array, size, size, size, *[Array] * 22, ctypes.c_int64, *[Array] * 2]
    )
    return kernel


def _check_known(values: Mapping[str, Any]) -> None:
    known_names = {f"neurons.{name}" for name in FIXED}
    if unknown := {name for name in values if name.startswith("neurons.")} - known_names:
        raise UserError(
            f"talk 'naud': the compiled XOR network does not support {sorted(unknown)}; simulate "
            "this lesion in Brian2, or add it to ensembles.cpp and FIXED"
        )
