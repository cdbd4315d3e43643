"""The settings and fixtures that all tests share."""

from made.fixtures import (  # noqa: F401
    builds,
    shared,
    smoke_run,
    vectors,
)
