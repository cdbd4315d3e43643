"""Claudia Clopath: spiking networks trained with FORCE, and the hippocampus."""

EXPERIMENTS = {
    "sine": "izhikevich",
    "sine_lif": "izhikevich",
    "sine_theta": "izhikevich",
    "van_der_pol": "izhikevich",
    "ode": "izhikevich",
    "episode": "izhikevich",
    "song": "izhikevich",
    "shot": "septal",
    "oneshot": "oneshot",
    "reversion": "reversion",
    "sharp_waves": "sharp_waves",
    "shared_yinyang": "classification",
    "shared_randman": "classification",
    "shared_xor_100": "classification",
    "shared_xor_400": "classification",
}
"""Experiment -> the module that fulfils it."""

NOT_EXPRESSIBLE = (
    "Izhikevich neurons have a quadratic membrane and an adaptation current (README, Eqs. 1 and 2; "
    "SHOT: Eqs. 15 to 20), and NIR has linear membranes only"
)
"""Why no network of this talk is a NIR graph."""
