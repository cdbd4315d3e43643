"""Claudia Clopath: spiking networks trained with FORCE, and the hippocampus."""

EXPERIMENTS = {
    "sine": "izhikevich",
    "sawtooth": "izhikevich",
    "product": "izhikevich",
    "ode": "izhikevich",
    "episode": "izhikevich",
    "shot": "septal",
}
"""Experiment -> the module that fulfils it."""

NOT_EXPRESSIBLE = (
    "Izhikevich neurons have a quadratic membrane and an adaptation current (README, Eqs. 1 and 2; "
    "SHOT: Eqs. 15 to 20), and NIR has linear membranes only"
)
"""Why no network of this talk is a NIR graph."""
