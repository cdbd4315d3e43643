"""Synthetic voices that stand in for recorded speech, one process per speaker.

`voices` says who speaks and how, `espeak` speaks, `corpus` says which part is for the test, and
`commands` makes the logarithmic mel spectra. `datasets.words` reads the finished files: it is not
in this folder, so that no data are made again when it changes.
"""
