"""What the Snakefile does of a run beside its rules: `begin`, `started`, `leave`."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from snakemake_logger_plugin_whyspiking import announce
from whyspiking import arithmetic
from whyspiking.compiler import toolchain
from whyspiking.declared import config as configs
from whyspiking.declared.registry import Talk
from whyspiking.running import preflight
from whyspiking.running import snakemake_inside as inside
from whyspiking.running.stopping import STOP

leave = STOP.leave


def begin(workflow: Any, config: dict[str, Any]) -> dict[str, Talk]:
    """Settle what all jobs have in common, then read and check the config.

    Args:
        workflow: That of the Snakefile, once it has named its files of the config.
        config: What these say; completed in place.

    Returns:
        The chosen talks by name.

    Raises:
        UserError: If anything of the config is wrong.
    """
    arithmetic.set_for_children()
    preflight.use_english()
    preflight.reuse_memory()
    inside.name_python_without_quotes()
    STOP.install()
    main = inside.is_main(workflow)
    if main:
        _tell(arithmetic.warning())
        configs.check_words(sys.argv)
    else:
        inside.note_recipes()
    configs.check_files(inside.config_files(workflow))
    command_line = configs.as_written(inside.command_config(workflow))
    if inside.is_module(workflow):
        configs.complete(config)
    else:
        configs.merge(config, command_line)
    line = configs.use_seeds_of_command_line(config, command_line)
    lines = configs.use_own_folder_of_changed_parameters(config)
    if main:
        _tell(line, *lines)
    return configs.check_config(config)


def started(workflow: Any, config: dict[str, Any], compiling: Collection[str]) -> None:
    """Look after the jobs of a run; called by `onstart`, once it is known which are due.

    Args:
        workflow: That of the Snakefile.
        config: The run configuration.
        compiling: Rules whose jobs compile C++.

    Raises:
        UserError: If there is no compiler.
    """
    local = inside.is_local(workflow)
    # What is asked for may be there already, or need no compiler.
    if local and any(job.rule.name in compiling for job in inside.due(workflow)):
        toolchain.require()
    announce(workflow.dag, config)
    STOP.include_jobs(workflow)
    if local:
        inside.drop_rate_limit(workflow)


def _tell(*lines: str) -> None:
    for line in filter(None, lines):
        print(line, file=sys.stderr)
