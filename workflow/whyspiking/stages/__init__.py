"""What each job does, from files to files: rule X of Snakemake is scripts/X.py is stages/X.py.

May import everything but `report` and `export`. At a glance: `train.train`, `simulate.simulate`,
`collect.collect_talk`, `compare.compare_talks`; `data` makes data sets, `provenance` the manifest.
"""
