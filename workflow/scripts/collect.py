"""Collect one talk's tables and judge its claims."""

if "snakemake" not in globals():
    from whyspiking.running import one_job

    snakemake = one_job.find("collect")

from pathlib import Path

from whyspiking.running import code_inputs
from whyspiking.running.jobs import job, wildcard_label
from whyspiking.stages.collect import collect_talk

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)):
    collect_talk(
        talk=snakemake.wildcards.talk,
        metrics=list(snakemake.input.metrics),
        facts=list(snakemake.input.facts),
        scale=snakemake.params.scale,
        folder=Path(snakemake.output[0]).parent,
        changed=snakemake.params.changed,
    )
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
