"""Networks between this project and others: `nir`, `talks`, `export`, `foreign`.

`nir` reads and writes graphs, `talks` has for every talk how its networks become graphs, `export`
writes what was trained here, `foreign` measures what was trained elsewhere. May import all rooms of
whyspiking, none of which imports this. Nothing of a run depends on it, so it is an input of no job.
"""
