"""Spoken stand-ins for recorded speech: synthetic voices, an ear, spectra; one process per speaker.

`voices` says who speaks and how, `espeak` speaks; `digits` are heard as spikes by `ear`, and of the
words `commands` makes log-mel spectra; `corpus` has what both share. What reads the finished files is not here but
in `datasets.spoken` and `datasets.words`, so that a change there makes no data anew.
"""
