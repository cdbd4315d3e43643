"""Span recall by hand (equations: README of the shared benchmark).

A gate hears the five inputs of its cue and the five of the marker, all with weight 1. They fire in
the first four steps (5 ms) of a slot of eight. With tau = 20 ms a step keeps a = 0.78:

- marker and cue bring ten spikes. Evenly spread over four steps they leave 2.5 (a + a^2 + a^3 +
  a^4) = 5.5; half of them in the first and half in the last step leave 5 (a + a^4) = 5.7.
- a cue alone, or the marker of another's, brings five: at most 5 a = 3.9. Only where two such
  bursts follow each other closely is more left: 5 (a + a^6) = 5.0.

So a threshold of 4.8 lies between what happens and what hardly ever does (13 of 20,000 trials).

- `spiking`: a gate's spike is kept by a memory with tau = 2 s, as 1, of which after 440 ms 0.8 is
  left. The go signal's five spikes bring 0.15 each: 0.75 in all, so that 1.1 is reached from 0.8
  with three of them and never from 0. Two hidden spikes a trial.
- `latching`: no memory: a gate's spike comes back to it with weight 40 and makes the next one in
  the next step, for ever.
- `leaky`: gates send what they have beyond 5.5, told before a step's decay, so that 4.8 / a = 6.2
  would be the same; lower is enough, as the larger sum decides. Memories with tau = 2 s sum it.
- `relu`: h = max(1.2 h + c + m - 1.1, 0) has no leak. From 1.1 / 0.2 = 5.5 on it grows by itself,
  below that it falls to 0. A cue alone brings 5 less 1.1 a step, marker and cue 10.

The answer is who fires, or who has most, in the answer. Numbers: ours, tried on data with seed 901.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.tasks import cue_streams, gated_networks
from whyspiking.tasks.span_recall.generator import SETTINGS

DT_MS, TAU_GATE_MS, TAU_MEMORY_MS = 5.0, 20.0, 2000.0
THETA_GATE, THETA_MEMORY, THETA_SENT = 4.8, 1.1, 5.5
ASK, AGAIN = 0.15, 40.0
GROWTH, BIAS = 1.2, 1.1


def heard(settings: cue_streams.Settings) -> NDArray:
    """Weights of the gates, (input, gate): 1 from their group and from the marker."""
    own = np.kron(np.eye(cue_streams.GROUPS), np.ones((settings.per_group, 1)))
    marker = np.ones((settings.marker, cue_streams.GROUPS))
    return np.vstack([own, marker, np.zeros((cue_streams.N_GO, cue_streams.GROUPS))])


def asked(settings: cue_streams.Settings) -> NDArray:
    """Weights of the memories, (input, memory): those of the go signal."""
    weights = np.zeros((settings.n_inputs, cue_streams.GROUPS))
    weights[-cue_streams.N_GO :] = ASK
    return weights


def spiking(params: ct.ExperimentParameters, streams: Streams) -> ct.Network:
    """Four gates and four memories."""
    return gated(SETTINGS, TAU_GATE_MS, THETA_GATE)


def gated(
    settings: cue_streams.Settings, tau_ms: float, theta: float, again: float = 0.0
) -> ct.Network:
    """Gates, one a group, and as many memories, which the go signal asks."""
    return gated_networks.network(
        settings.n_inputs,
        cue_streams.GROUPS,
        cue_streams.GROUPS,
        gate=heard(settings),
        again=again * np.eye(cue_streams.GROUPS),
        keep=np.eye(cue_streams.GROUPS),
        ask=asked(settings),
        tau_gate=tau_ms,
        theta_gate=theta,
        tau_memory=TAU_MEMORY_MS,
        theta_memory=THETA_MEMORY,
    )


def latching(params: ct.ExperimentParameters, streams: Streams) -> ct.Network:
    """Four neurons that go on firing."""
    return gated_networks.network(
        SETTINGS.n_inputs,
        cue_streams.GROUPS,
        cue_streams.GROUPS,
        gate=heard(SETTINGS),
        again=AGAIN * np.eye(cue_streams.GROUPS),
        tau_gate=TAU_GATE_MS,
        theta_gate=THETA_GATE,
    )


def leaky(x: NDArray) -> gated_networks.Answer:
    """Four gates and four memories that send numbers."""
    return summed(x, heard(SETTINGS), TAU_GATE_MS, THETA_SENT)


def summed(x: NDArray, weights: NDArray, tau_ms: float, theta: float) -> gated_networks.Answer:
    """Leaky units that send what is beyond a threshold, and memories that sum it."""
    sent = gated_networks.leaky(np.exp(-DT_MS / tau_ms), theta, x @ weights)
    kept = gated_networks.leaky(np.exp(-DT_MS / TAU_MEMORY_MS), 0.0, sent)
    return kept[:, -1], gated_networks.counts(x, weights, sent, 2 * cue_streams.GROUPS)


def relu(x: NDArray) -> gated_networks.Answer:
    """Four ReLU units, each of which hears itself."""
    weights = heard(SETTINGS)
    drive = x @ weights - BIAS
    sent, h = np.zeros_like(drive), np.zeros_like(drive[:, 0])
    for step in range(x.shape[1]):
        sent[:, step] = h
        h = np.maximum(GROWTH * h + drive[:, step], 0)
    return h, gated_networks.counts(x, weights, sent, cue_streams.GROUPS)


SPIKING_NETWORKS = {"spiking": spiking, "latching": latching}
GRADED_NETWORKS = {"leaky": leaky, "relu": relu}
READS_POTENTIALS = False
"""Whether the answer is the largest potential at the end, and not who fires most at the end."""
