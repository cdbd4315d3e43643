"""Replicate the talks of SNUFA 2020 and answer: why spiking? Run `snakemake`.

All of it stands in workflow/Snakefile, where catalogs and `snakedeploy` look for it.
"""


include: "workflow/Snakefile"


# Snakemake takes no default target from a file that another includes.
workflow.default_target = "all"
