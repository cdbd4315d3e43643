"""Write all figures of the page as files."""

from pathlib import Path

from whyspiking.report import slides
from whyspiking.running.jobs import job

with job(snakemake.log[0], "slides"):
    slides.write([Path(snakemake.input.page)], Path(snakemake.output.slides))
