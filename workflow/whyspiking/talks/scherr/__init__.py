"""Franz Scherr: e-prop, learning in recurrent spiking networks forwards in time."""

EXPERIMENTS = {
    "evidence": "evidence",
    "evidence_comparison": "evidence",
    "evidence_published": "evidence_published",
    "evidence_reward": "reward",
    "pattern": "pattern",
    "oneshot": "oneshot",
    "shared_yinyang": "shared_networks",
    "shared_randman": "shared_networks",
    "shared_span_recall": "shared_networks",
    "shared_volley_recall": "shared_networks",
    "shared_sound": "shared_networks",
}
"""Experiment -> the module that fulfils it."""
