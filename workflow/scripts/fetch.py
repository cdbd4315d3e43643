"""Bring one data set into the data folder."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import fetch

with job(snakemake.log[0], f"data {snakemake.wildcards.dataset}") as progress:
    fetch(snakemake.wildcards.dataset, snakemake.params.data, Path(snakemake.output[0]), progress)
