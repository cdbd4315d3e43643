"""Describe the recordings of an event camera once all shards are there."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import catalogue

with job(snakemake.log[0], "data nmnist") as progress:
    catalogue(
        snakemake.params.data,
        [Path(path) for path in snakemake.input.shards],
        Path(snakemake.output[0]),
    )
    progress(1.0, "described")
