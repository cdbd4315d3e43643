"""One battery of measurements for all talks: a trained network under every condition.

May import `brian`, `training`, `measures`, `declared` and below. At a glance: `probe.probe`
measures an experiment, `spiking` a network in Brian2, `control` its matched control,
`partial_input` a control that has not seen everything yet.
"""
