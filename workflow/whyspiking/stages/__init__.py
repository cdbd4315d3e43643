"""What each job does, from files to files: rule X of Snakemake is scripts/X.py is stages/X.py.

The rules that make data sets are functions of `data` here and of `datasets.recordings`.

May import everything but `report` and `export`. At a glance: `train.train`, `simulate.simulate`,
`collect.collect_talk`, `compare.compare_talks`; `data` makes data sets, `provenance` the manifest,
`durations` tells what the jobs of a run cost.
"""
