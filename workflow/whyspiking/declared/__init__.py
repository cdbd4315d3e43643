"""What config.yaml, talk.yaml and claims.yaml say, read strictly and checked before any job.

May import `contract` and below. At a glance: `config.check_config`, `registry.load_talk`,
`claims_file.load`, `plans` (what a job is told); one model per block, whose docstring explains the
keys.
"""
