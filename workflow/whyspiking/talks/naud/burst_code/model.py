"""Two-compartment pyramidal neurons, interneurons and short-term plastic synapses (Eqs. 20-28, 30).

Brian2 is given these very strings. Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from whyspiking.contract.types import Params

# Eqs. 20-25. Dendritic synapses feel the somatic potential, as in the published code. With
# `opens` = 0 there is no plateau.
PYRAMIDAL = """
dv_s/dt = ((e_leak - v_s) + g_es*(e_exc - v_s) + g_is*(e_inh - v_s))/tau_s
    + (i_s - b_w*w_s + i_plateau_s*plateau)/c_s : volt
dv_d/dt = ((e_leak - v_d) + g_ed*(e_exc - v_s) + g_id*(e_inh - v_s))/tau_d
    + (i_d + a_w*w_d + i_plateau_d*plateau + i_back*int(t - spiked <= t_back))/c_d : volt
plateau = opens/(1 + exponential(-(v_d - v_plateau)/d_plateau)) : 1
opens : 1 (shared)
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - e_leak - w_d)/tau_wd : volt
dtheta/dt = (th_rest - theta)/tau_th : volt
dg_es/dt = -g_es/tau_ampa : 1
dg_is/dt = -g_is/tau_gaba : 1
dg_ed/dt = -g_ed/tau_ampa : 1
dg_id/dt = -g_id/tau_gaba : 1
spiked : second
key : 1
"""
FIRE = "v_s > theta"
# Eq. 25.
RESET = "v_s = e_leak; w_s += 1; theta += th_jump"
# Eqs. 20 and 21: what drives a neuron; two waves, shared by all neurons, scaled for each.
CURRENTS = """
i_s = base_s + swing_s*waves(t, 0) : amp
i_d = base_d + swing_d*waves(t, 1) : amp
base_s : amp
swing_s : amp
base_d : amp
swing_d : amp
"""
# Eqs. 27-28, from spike to spike; `out_*` is what this spike transmits. With `dynamic` = 0 that is
# u0 at every spike: a static synapse.
SHORT_TERM = """
x_{kind} = 1 + (x_{kind} - 1)*exp(-(t - spiked)/tau_rec_{kind})
u_{kind} = u0_{kind} + (u_{kind} - u0_{kind})*exp(-(t - spiked)/tau_fac_{kind})
out_{kind} = u_{kind}*x_{kind}
x_{kind} -= dynamic*out_{kind}
u_{kind} += dynamic*f_stp*(1 - u_{kind})
"""
KINDS = ("dep", "fac")
# Eq. 26.
INTERNEURON = """
dv/dt = ((e_leak - v) + slope*exponential((v - v_t)/slope)
    + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m + (i_const - adapt)/c_m : volt (unless refractory)
dadapt/dt = (a_sub*(v - e_leak) - adapt)/tau_w : amp
dg_e/dt = -g_e/tau_ampa : 1
dg_i/dt = -g_i/tau_gaba : 1
"""
INTERNEURON_FIRE = "v > 0*volt"
INTERNEURON_RESET = "v = v_r; adapt += b_spike"
INTERNEURON_UNITS = {
    "slope": "volt",
    "v_t": "volt",
    "v_r": "volt",
    "tau_m": "second",
    "c_m": "farad",
    "i_const": "amp",
    "a_sub": "siemens",
    "b_spike": "amp",
    "tau_w": "second",
    "t_ref": "second",
}

# Eq. 30: one uniform number serves all trains of a neuron; what is left of it is uniform again.
NOISE_START = "u = uniform(key, timestep(t, dt))"
NOISE_TRAIN = """
hit = 1.0*int(u < q_noise)
{conductance} += hit*{weight}
u = hit*u/q_noise + (1 - hit)*(u - q_noise)/(1 - q_noise)
"""

PYRAMIDAL_NOISE = (
    ("g_es", "noise_s"),
    ("g_is", "noise_s"),
    ("g_ed", "noise_d"),
    ("g_id", "noise_d"),
)
INTERNEURON_NOISE = (("g_e", "noise_e"), ("g_i", "noise_i"))

PROJECTIONS = {
    "relay": ("pyramidal", "pyramidal", "g_es", "out_dep"),
    "to_pv": ("pyramidal", "interneurons", "g_e", "out_dep"),
    "topdown": ("pyramidal", "pyramidal", "g_ed", "out_fac"),
    "to_som": ("pyramidal", "interneurons", "g_e", "out_fac"),
    "lateral": ("pyramidal", "pyramidal", "g_id", "out_fac"),
    "from_pv": ("interneurons", "pyramidal", "g_is", ""),
    "from_som": ("interneurons", "pyramidal", "g_id", ""),
}
"""Synapses -> pre, post, conductance they open, and what scales them (short-term plasticity)."""

UNITS = {
    **dict.fromkeys(("tau_s", "tau_d", "tau_ws", "tau_wd", "tau_th", "tau_ampa", "tau_gaba"), "ms"),
    **{f"{base}_{kind}": "ms" for base in ("tau_rec", "tau_fac") for kind in KINDS},
    **dict.fromkeys(("e_leak", "e_exc", "e_inh", "th_rest", "th_jump"), "volt"),
    **dict.fromkeys(("v_plateau", "d_plateau"), "volt"),
    **dict.fromkeys(("b_w", "i_plateau_s", "i_plateau_d", "i_back"), "amp"),
    **dict.fromkeys(("c_s", "c_d"), "farad"),
    "a_w": "siemens",
}
"""Parameters that stand in the equations, with their unit in talk.yaml."""
SAMPLE_MS = 1.0
"""Sampling of the waves."""


def back_ms(params: Params) -> float:
    """Length of the back-propagating pulse; half a step more settles its last step."""
    return params.pulse_ms + params.dt_ms / 2


def hit_probability(params: Params) -> float:
    """Chance of a noise spike per step, which with weights (1 + l) keeps mean and variance."""
    mean = mean_hits(params)
    return mean / (1.0 + mean)


def mean_hits(params: Params) -> float:
    """Expected spikes l per step of one Poisson train."""
    return params.noise_hz * params.dt_ms * 1e-3
