"""From measurements to judgements: verdicts, comparisons, and every printed number.

May import `measures`, `declared` and below; no HTML. At a glance: `judge.judge_all` judges the
claims; `common_ground` says how the talks fare on the tasks that they share; `points`, `frontiers`
and `advantage` what spikes cost at the same accuracy; `overview` and `costs` write the tables that
the report prints.
`metrics` are rows of the metrics table, of all talks that `talks` holds by name; `described` joins
what these say of each network.
"""
