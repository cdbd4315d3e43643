"""The burst rule in hierarchies of rate units, without spikes: MNIST and the shared tasks."""
