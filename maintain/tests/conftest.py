"""The settings and fixtures that all tests share."""

from made.fixtures import (  # noqa: F401
    builds,
    energy_config,
    shared,
    smoke_run,
    vectors,
)
