"""Spoken stand-ins for recorded speech: synthetic voices, an ear, spectra; one process per speaker.

`voices` says who speaks and how, `espeak` speaks, `ear` turns sound into spikes, `spectra` into
log-mel features, `corpus` puts a data set together. What reads the finished files is not here but
in `datasets.spoken` and `datasets.words`, so that a change there makes no data anew.
"""
