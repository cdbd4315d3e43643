"""DECOLLE on MNIST digits as Poisson spikes, with convolutional layers (README, section 10).

At a glance: `experiment` fulfils the contract, `training` trains, `local_learning` and
`end_to_end` have the two rules, `model` the spiking network, and `convolutions` calls the kernel.
"""
