"""For every talk whose networks NIR can express, a module of its name: see `nir`.

A talk of which there is none says why in NOT_EXPRESSIBLE (its `__init__.py` in whyspiking).
"""
