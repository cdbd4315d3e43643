"""Put all talks into common tables."""

from pathlib import Path

from whyspiking import sources
from whyspiking.compare import compare_talks
from whyspiking.jobs import job

with job(snakemake.log[0], "comparison"):
    compare_talks(
        metrics=list(snakemake.input.metrics),
        verdicts=list(snakemake.input.verdicts),
        config=snakemake.params.config,
        folder=Path(snakemake.output.metrics).parent,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
