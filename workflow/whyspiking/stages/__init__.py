"""What each job does, from files to files.

The script of a rule (workflow/scripts, of the rule's name) unpacks its files and calls a function:
of `train`, `simulate`, `collect`, `compare` and `data` here; of `report` for pages and slides.

May import everything but `report` and `export`. At a glance: `train.train`, `simulate.simulate`,
`collect.collect_talk`, `compare.compare_talks`; `data` makes data sets, `provenance` the manifest,
`durations` tells what the jobs of a run cost. For the Snakefile: `run` begins a run, `asked` looks
up what a job is told, `order` which one comes first.
"""
