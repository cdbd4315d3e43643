"""Franz Scherr: e-prop, learning in recurrent spiking networks forwards in time."""

EXPERIMENTS = {
    "evidence": "evidence",
    "pattern": "pattern",
    "pattern_brian2": "pattern_brian2",
    "oneshot": "oneshot",
    "oneshot_outside": "oneshot",
}
"""Experiment -> the module that fulfils it."""
