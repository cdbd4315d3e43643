"""For maintainers: what makes `results/reference`, README's table and `tuning.csv`.

May import all rooms below; no job of a run depends on it. At a glance: `one_run` makes the record,
`again` a part of it once more, `inputs` says what is out of date; `restate` confirms that changed
code gives the recorded numbers; `tune` tries settings; `concordance` lists every published figure
beside the claims that judge it; `readme` and `page` write what is derived from the
record. `python -m whyspiking.recording --help` lists the commands.
"""
