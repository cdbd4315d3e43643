"""Claudia Clopath: spiking networks trained with FORCE, and the hippocampus."""

EXPERIMENTS = {
    "sine": "force.signals",
    "sine_lif": "force.signals",
    "sine_theta": "force.signals",
    "van_der_pol": "force.signals",
    "ode": "force.signals",
    "episode": "force.signals",
    "song": "force.signals",
    "points": "force.points",
    "shot": "hippocampus.theta_replay",
    "shot_published": "hippocampus.published_replay",
    "oneshot": "hippocampus.oneshot",
    "reversion": "hippocampus.reversion",
    "sharp_waves": "hippocampus.sharp_waves",
    "shared_yinyang": "force.classification",
    "shared_randman": "force.classification",
    "shared_span_recall": "force.classification",
    "shared_volley_recall": "force.classification",
    "shared_sound": "force.classification",
}
"""Experiment -> the module that fulfils it."""

NOT_EXPRESSIBLE = (
    "Izhikevich neurons have a quadratic membrane and an adaptation current (README, Eqs. 1 and 2; "
    "SHOT: Eqs. 15 to 20), and NIR has linear membranes only"
)
"""Why no network of this talk is a NIR graph."""
