"""Bring MNIST into the data folder."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import fetch

with job(snakemake.log[0], "data mnist") as progress:
    fetch(snakemake.params.data, Path(snakemake.output[0]), progress)
