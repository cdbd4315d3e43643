"""XOR learned by ensembles of bursting neurons: `xor` and `xor_published`."""
