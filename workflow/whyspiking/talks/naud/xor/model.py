"""The XOR network: neurons and noise (Eqs. 1-6), and what a run may set.

Brian2 is given these very strings and simulates what was learned; what learns (Eqs. 7-13) is
`ensembles.cpp`. Equation numbers are those of this talk's README; values are in
base units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

POPULATIONS = ("I1", "I2", "H1", "H2", "O")
INPUTS, HIDDEN, OUTPUT = (0, 1), (2, 3), 4
PROJECTIONS = ((0, 2), (0, 3), (1, 2), (1, 3), (2, 4), (3, 4))
"""Forward projections as (pre, post) populations, in the order of the pre population."""
FEEDBACK = ((OUTPUT, HIDDEN[0]), (OUTPUT, HIDDEN[1]))
TRIAL_MS = 4000.0
"""One presentation of a test; training is a sequence of such trials that go on from each other."""
CHANNELS = ("I1", "I2", "teach", "rate", "follow")
"""Columns of the schedule: currents in A of the two inputs; teaching (+1, -1: set for this target,
0: off, HOLD: as it is); factor of the learning rates, 0 where plasticity is off; 1 where the
running means follow the spikes, 0 where they are held."""
HOLD = 2.0
NEVER_S = 1e9

NEURON = """
dv_s/dt = ((e_leak - v_s) + g_e*(e_exc - v_s) + g_i*(e_inh - v_s))/tau_s
          + (i_s - b_w*w_s)/c_s : volt
dv_d/dt = ((e_leak - v_d) + g_ed*(e_exc - {drive}) + g_id*(e_inh - {drive}))/tau_d
          + (i_d + a_w*w_d)/c_d : volt
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - e_leak - w_d)/tau_wd : volt
dth/dt = (th_rest - th)/tau_th : volt
dg_e/dt = -g_e/tau_ampa : 1
dg_i/dt = -g_i/tau_gaba : 1
dg_ed/dt = -g_ed/tau_ampa : 1
dg_id/dt = -g_id/tau_gaba : 1
p_burst = clip(burst_blind, 0, 1) + int(burst_blind < 0)/(1 + exp(-(v_d - e_burst)/d_burst)) : 1
i_s : amp
i_d : amp
input_of : integer
is_input : 1
q_s : 1
jump_e : 1
jump_i : 1
key : 1
burst_blind : 1
p_lost_event : 1
p_lost_burst : 1
event_heard : 1
burst_heard : 1
t_free : second
t_second : second
"""
"""Eqs. 1-3, 6 (decay) and 5 (probability); `burst_blind` >= 0 replaces the probability."""

NOISE = """
u = uniform(key, timestep(t, dt))
hit = 1.0*int(u < q_s)
g_e = g_e + hit*jump_e
u = hit*u/q_s + (1 - hit)*(u - q_s)/(1 - q_s)
hit = 1.0*int(u < q_s)
g_i = g_i + hit*jump_i
u = hit*u/q_s + (1 - hit)*(u - q_s)/(1 - q_s)
hit = 1.0*int(u < q_d)
g_ed = g_ed + hit*jump_d
u = hit*u/q_d + (1 - hit)*(u - q_d)/(1 - q_d)
hit = 1.0*int(u < q_d)
g_id = g_id + hit*jump_d
"""
"""Eq. 6: four independent trains from one uniform number, made uniform again after each test.
`vector_functions.py` says what `uniform` is."""

EVENT = "v_s > th and t >= t_free"
ON_EVENT = """
v_s = e_leak
th += th_jump
w_s += 1
t_free = t + refractory + 0.5*dt
u = rand()
hit = int(u < p_burst)
t_second = hit*(t + burst_delay + burst_spread*u/clip(p_burst, 1e-9, 1)) + (1 - hit)*never
event_heard = int(rand() >= p_lost_event)
burst_heard = int(rand() >= p_lost_burst)
"""
"""Eqs. 3-5: what an event does; whether the next one is lost is drawn as well."""

BURST = "t >= t_second"
ON_BURST = """
t_second = never
t_free = t + refractory + 0.5*dt
"""
"""Eq. 4: the second spike restarts the refractory time and resets nothing."""

SCHEDULED = "i_s = is_input*schedule(t, input_of)*amp"
"""Currents of the inputs; executed at the start of every slot."""

ON_START = """
v_s = e_leak
v_d = e_leak
w_s = 0
w_d = 0*volt
th = th_rest
g_e = 0
g_i = 0
g_ed = 0
g_id = 0
t_free = 0*second
t_second = never
key = rand()
"""
"""Every trial begins afresh, with noise of its own."""

TOTALS = ("events_seen", "bursts_seen")
"""Counters of each population, one trace each."""

CONSTANTS: Mapping[str, str] = {
    **dict.fromkeys(("e_leak", "e_exc", "e_inh", "th_rest", "th_jump"), "volt"),
    **dict.fromkeys(("e_burst", "d_burst"), "volt"),
    **dict.fromkeys(("tau_th", "tau_s", "tau_ws", "tau_d", "tau_wd"), "ms"),
    **dict.fromkeys(("tau_ampa", "tau_gaba"), "ms"),
    **dict.fromkeys(("c_s", "c_d"), "farad"),
    "b_w": "amp",
    "a_w": "siemens",
}
"""Parameters that stand in the equations, with their unit in talk.yaml."""


def bernoulli(rate_hz: float | NDArray, weight: float | NDArray, dt_ms: float) -> tuple[Any, Any]:
    """Probability per step and jump with the mean and variance of Poisson noise (Eq. 6).

    Args:
        rate_hz: Rate of the Poisson train in Hz.
        weight: Its jump.
        dt_ms: Step in ms.
    """
    mean = np.asarray(rate_hz) * dt_ms / 1e3
    return mean / (1 + mean), np.asarray(weight) * (1 + mean)
