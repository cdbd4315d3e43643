"""Networks from elsewhere: a .nir file under the battery, beside the recorded networks.

May import every room. At a glance: `measuring.measure`, which `python -m whyspiking measure` calls.
Nothing of a run depends on this room.
"""
