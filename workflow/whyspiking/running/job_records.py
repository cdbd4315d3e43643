"""What a file was made of is noted by the job that made it, though its run was killed meanwhile.

Snakemake's main process alone notes with which parameters, code and inputs a job made its output. A
job that outlives it, on a cluster or here, would leave files of which nobody knows the recipe, and
which no change of it makes anew.
"""

from __future__ import annotations

from typing import Any


def keep() -> None:
    """Have this process, which is a job, note what the main process would note at its end."""
    from snakemake.persistence import PersistenceBase
    from snakemake.settings.types import ExecMode

    finished = PersistenceBase.finished

    async def noting(self: Any, job: Any) -> None:
        settings = self.dag.workflow.workflow_settings
        mode, settings.exec_mode = settings.exec_mode, ExecMode.DEFAULT
        try:
            await finished(self, job)
        finally:
            settings.exec_mode = mode

    PersistenceBase.finished = noting
