"""Trained networks as graphs of NIR, the Neuromorphic Intermediate Representation.

A talk whose neurons can be written with NIR's nodes has a module in `talks` with

    step_ms(params) -> float
        Step of time in ms that its engine of training takes, or that its times are rounded to.
    to_nir(params, variant, network, clock) -> Graph
        The network; raises `NotExpressible` with the reason where NIR has no node for it.
    stimulus(params, network, task, clock) -> (trial, time, channel), 0 or 1
        The inputs of a task, step by step, as the graph reads them.
    readout(params) -> Readout
        How decisions are read from what the graph gives.
    reference(params, variant, network, task) -> (trial,) or (trial, time), -1 where undecided
        Decisions of the engine of training by the same rule.

Where none of its networks can be written, the talk says why in NOT_EXPRESSIBLE (`__init__.py`).
Graphs from elsewhere go the other way: `reading` (the file), `arranging` (nodes to `layers`),
`model` (layers to Brian2), `script` (to a program of Brian2 that stands by itself).

May import `contract` and below. At a glance: `graph`. Nothing of a run depends on this room, so it
is an input of no job.
"""

from __future__ import annotations

from whyspiking_exchange.nir.graph import Clock, Graph, NotExpressible
from whyspiking_exchange.nir.layers import Readout

__all__ = ["Clock", "Graph", "NotExpressible", "Readout"]
