"""Collect one talk's tables and judge its claims."""

from pathlib import Path

from whyspiking import sources
from whyspiking.collect import collect_talk
from whyspiking.jobs import job, wildcard_label

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)):
    collect_talk(
        talk=snakemake.wildcards.talk,
        metrics=list(snakemake.input.metrics),
        facts=list(snakemake.input.facts),
        config=snakemake.params.config,
        folder=Path(snakemake.output[0]).parent,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
