"""Volley recall by hand (equations: README of the shared benchmark).

The ten inputs of a group fire once in each of its slots, over eight steps of 5 ms, but once within
10 ms, which is two or three steps. A gate hears its group with weight 1 and has tau = 11 ms: a step
keeps a = 0.63. Evenly spread, 1.25 spikes a step leave at most 1.25 a / (1 - a) = 2.2, by chance
more; a volley leaves 5 (a + a^2) = 5.2 in two even steps and 10 (a + a^2 + a^3) / 3 = 4.3 in three.
Chance leaves more than 4 in one of twelve slots now and then, a volley in uneven steps less: no
threshold tells all trials apart. 4.12 was the best of a few on data with seeds 901 to 903.

- `spiking`: gates and memories of span recall, but a gate's spike comes back to it with weight -4,
  so that it fires once: after two spikes a memory would answer before it is asked.
- `leaky`: gates send what they have beyond 5.25, and memories sum it: by how much a volley exceeds
  it is kept, and the larger sum is right where two gates have sent something.

The same with ReLU units without a leak is not known: they would not forget spikes of other slots.
"""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.tasks import gated_networks
from whyspiking.tasks.span_recall import hand_designed as span
from whyspiking.tasks.volley_recall.generator import SETTINGS

TAU_GATE_MS, THETA_GATE, ONCE = 11.0, 4.12, -4.0
TAU_SENT_MS, THETA_SENT = 10.0, 5.25


def spiking(params: ct.ExperimentParameters, streams: Streams) -> ct.Network:
    """Four gates, which fire once, and four memories."""
    return span.gated(SETTINGS, TAU_GATE_MS, THETA_GATE, ONCE)


def leaky(x: NDArray) -> gated_networks.Answer:
    """Four gates and four memories that send numbers."""
    return span.summed(x, span.heard(SETTINGS), TAU_SENT_MS, THETA_SENT)


SPIKING_NETWORKS = {"spiking": spiking}
GRADED_NETWORKS = {"leaky": leaky}
READS_POTENTIALS = False
"""Whether the answer is the largest potential at the end, and not who fires most at the end."""
