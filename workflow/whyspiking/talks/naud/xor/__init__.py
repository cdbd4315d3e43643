"""XOR learned by ensembles of bursting neurons: `xor`, `xor_published` and `xor_gradient`."""
