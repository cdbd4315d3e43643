"""The experiment `xor`: stages of the workflow."""
