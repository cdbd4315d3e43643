"""Bring one data set into the data folder."""

from pathlib import Path

from whyspiking.datasets.making import fetch
from whyspiking.running.jobs import job

with job(snakemake.log[0], f"data {snakemake.wildcards.dataset}") as progress:
    fetch(snakemake.wildcards.dataset, snakemake.params.data, Path(snakemake.output[0]), progress)
