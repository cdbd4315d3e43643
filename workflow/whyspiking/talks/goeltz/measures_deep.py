"""What is measured of deeper networks beyond the score."""

from whyspiking.talks.goeltz.measures_few import measures

__all__ = ["measures"]
