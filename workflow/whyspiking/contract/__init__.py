"""What crosses the stages: the types, and all that a talk must and may offer.

May import `records`, `compiler` and `running`. At a glance: `talk.Replication` is what a talk
fulfils and gets for nothing, `types` the tasks, networks, recordings and outcomes;
`spikes.Spikes` with the doses of `perturb`, `randomness.Streams`, `trial_subsets`;
`counts.Counts` is what a network takes.
"""
