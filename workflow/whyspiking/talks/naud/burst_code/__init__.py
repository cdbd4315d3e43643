"""Two channels in one spike train: `neuron`, `multiplexing` and, at one synapse, `plasticity`."""
