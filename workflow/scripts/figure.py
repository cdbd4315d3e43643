"""Write one figure of a talk's page as a file."""

from pathlib import Path

from whyspiking.report import slides
from whyspiking.running.jobs import job, wildcard_label

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)):
    slides.write_one(Path(snakemake.input.page), Path(snakemake.output.figure))
