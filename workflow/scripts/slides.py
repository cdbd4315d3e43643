"""Write all figures of the page and its details as files."""

from pathlib import Path

from whyspiking.report import slides
from whyspiking.running.jobs import job

with job(snakemake.log[0], "slides"):
    slides.write(map(Path, snakemake.input.pages), Path(snakemake.output.slides))
