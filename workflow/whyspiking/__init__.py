"""Replications of the eight talks of SNUFA 2020, and one battery of measurements for all of them."""
