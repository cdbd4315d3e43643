"""Replicate the talks of SNUFA 2020 and answer: why spiking? Run `snakemake`."""

from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


pathvars:
    results=f"results/{config.get('scale')}",
    data=(config.get("data") or {}).get("folder"),


include: "workflow/rules/common.smk"
include: "workflow/rules/replicate.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "<results>/why_spiking.html",
