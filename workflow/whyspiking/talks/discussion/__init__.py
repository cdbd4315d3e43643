"""The discussion: why spiking? At what rate spikes approximate, and what one spiking neuron can."""

EXPERIMENTS = {
    "constructed": "constructed",
    "trained": "learned_rates",
    "exchange": "exchange",
    "one_neuron": "one_neuron",
    "units": "studies",
}
"""Experiment -> the module that fulfils it."""
NOT_EXPRESSIBLE = (
    "a neuron that fires once, its reset and the read-out by silence have no counterpart in NIR"
)
