"""Put all talks into common tables."""

from pathlib import Path

from whyspiking import sources
from whyspiking.compare import compare_talks
from whyspiking.jobs import job

with job(snakemake.log[0], "comparison"):
    compare_talks(
        talks=snakemake.params.talks,
        config=snakemake.params.config,
        folder=Path(snakemake.output.manifest).parent,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
