"""Spoken stand-ins for recorded speech: synthetic voices, an ear, spectra; one process per speaker.

`voices` says who speaks and how, `espeak` speaks. `digits` become spikes (`ear`), words
(`commands`) log-mel spectra; `corpus` has what both share. What reads the finished files is not
here but in `datasets.spoken` and `datasets.words`, so that a change there makes no data anew.
"""
