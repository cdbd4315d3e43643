"""How jobs run: the log of a job and its progress, its code inputs, the machine they run on.

May import `records` and `compiler`. No number depends on this room, so a change here runs nothing
again. At a glance: `jobs.job` wraps every script, `code_inputs` says which files each stage depends
on, `preflight` says what the machine lacks, `machine` how slow it is,
`stopping` ends a run at Ctrl-C, `snakemake_inside` is all that is taken of Snakemake beyond its
manual.
"""
