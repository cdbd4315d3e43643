"""For maintainers: what makes `results/reference`, README's table and `tuning.csv`.

May import all rooms below; no job of a run but `reference` depends on it. At a glance: `record`
keeps finished results and says what is out of date; `tune` tries settings; `rule_study` simulates
how often the rule of verdicts errs; `paper_scale`, `readme` and `page` write what is derived from
the record. `python -m whyspiking.recording --help` lists the commands.
"""
