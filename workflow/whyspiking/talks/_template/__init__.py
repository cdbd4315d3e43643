"""Template of a talk: the tempotron of Gütig & Sompolinsky 2006."""

EXPERIMENTS = {"patterns": "tempotron", "shared_yinyang": "tempotron"}
"""Experiment -> the module that fulfils it."""
