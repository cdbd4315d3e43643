"""Write the matrix, the forests and the verdicts as figures that stand by themselves."""

from pathlib import Path

from whyspiking.report import slides
from whyspiking.report.run_page import RunPage
from whyspiking.running.jobs import job

with job(snakemake.log[0], "slides"):
    page = RunPage.open(snakemake.params.results, snakemake.params.scale)
    slides.write(page.slides(), Path(snakemake.output.slides))
