"""Replicate the talks of SNUFA 2020 and answer: why spiking? Run `snakemake`."""

from snakemake.utils import min_version
from snakemake_logger_plugin_whyspiking import announce

min_version("9.20")


report: "workflow/report/workflow.rst"


configfile: "config/config.yaml"


pathvars:
    results=f"results/{config.get('scale')}",
    data=(config.get("data") or {}).get("folder"),


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/replicate.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/report.smk"


onstart:
    announce(workflow.dag)


rule all:
    default_target: True
    input:
        "<results>/why_spiking.html",
