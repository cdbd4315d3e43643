"""Collect one talk's tables and judge its claims."""

from pathlib import Path

from whyspiking import sources
from whyspiking.compare import collect_talk
from whyspiking.jobs import job, wildcard_label

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)):
    collect_talk(
        talk=snakemake.wildcards.talk,
        metrics=list(snakemake.input.metrics),
        facts=list(snakemake.input.facts),
        config=snakemake.params.config,
        folder=Path(snakemake.output.metrics).parent,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
