"""Layers of neurons that fire at most once, with exact spike times and exact gradients.

`compiled` computes them; `closed_form` does the same in JAX, several times slower, and is what
`compiled` is tested against. Time is in units of tau_s, so the layer serves every network of
current-based LIF neurons with tau_m = tau_s (alpha-shaped potentials) or tau_m = 2 tau_s.
Mathematics and derivatives: `layer`.
"""

from whyspiking.training.first_spike.layer import LayerOutput, measured, min_slope

__all__ = ["LayerOutput", "measured", "min_slope"]
