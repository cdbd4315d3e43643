"""Finished runs for other tools: see `python -m whyspiking.export --help`.

May import everything but `report` and `stages`. No number depends on it. At a glance: `networks`
writes NIR files, `shipped` those that come with the repository, `crate` how a run was made.
"""
