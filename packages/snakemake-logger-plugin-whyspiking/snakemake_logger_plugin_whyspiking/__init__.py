"""What a reader sees on the terminal while the workflow runs.

Snakemake finds this package by its name; `logger: whyspiking` in the profile selects it. It shows
one line per finished job, how far the running ones are, and roughly how long is left; of a failed
job it shows the end of its log. Snakemake's own, longer output still goes to `.snakemake/log/`.
"""

from snakemake_logger_plugin_whyspiking.handler import LogHandler
from snakemake_logger_plugin_whyspiking.plan import announce

__all__ = ["LogHandler", "announce"]
