"""Synthetic voices and their spectra: closed forms, the same twice."""

import ctypes.util
import subprocess
import sys

import numpy as np
import pytest

from whyspiking.datasets.speech import commands, corpus, espeak, voices
from whyspiking.errors import UserError
from whyspiking.records import array_files

# ---- Voices --------------------------------------------------------------------------------


def said_so(**changes):
    how = voices.manner(voices.SPEAKERS[0], "one", np.random.default_rng(0))
    return voices.Manner(**{**how.__dict__, "tilt": 0.0, "scale": 1.0, **changes})


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1])
def test_a_shorter_vocal_tract_shifts_all_frequencies(scale):
    t = np.arange(11025) / 22050
    shaped = voices.shape(np.sin(2 * np.pi * 1000 * t), 22050, said_so(scale=scale), 16000)
    peak = np.abs(np.fft.rfft(shaped, 160000)).argmax() / 10
    assert peak == pytest.approx(1000 * scale, rel=0.005)
    assert np.abs(shaped).max() == pytest.approx(1)


def test_silence_around_a_word_is_cut_but_for_margins():
    wave = np.zeros(22050)
    wave[8000:12000] = np.sin(np.arange(4000) * 0.3)
    shaped = voices.shape(wave, 22050, said_so(), 22050)
    assert shaped.size == pytest.approx(4000 + 0.03 * 22050, abs=60)


def test_manners_vary_about_the_speaker():
    rng = np.random.default_rng(0)
    speaker = voices.SPEAKERS[3]
    manners = [voices.manner(speaker, "one", rng) for _ in range(2000)]
    found, rate = np.array([(m.rate, m.pitch, m.tilt) for m in manners]), 0.85 * 120 / 1.05
    np.testing.assert_allclose(found.mean(axis=0), [rate, 60, 0], rtol=0.0066, atol=0.01)
    np.testing.assert_allclose(found.std(axis=0), [0.08 * 0.6 * rate, 3.6, 0.09], rtol=0.1)
    assert {m.text for m in manners} == {"one", "one.", "one!", "one?", "one,"}
    assert {m.voice for m in manners} == {"en-gb-x-rp+f4"}


@pytest.mark.parametrize(
    ("library", "message"),
    [
        (None, "its library is not installed; install the Python"),
        ("libnowhere.so", r"libnowhere\.so cannot be loaded"),
    ],
)
def test_a_library_that_is_missing_or_does_not_load_is_told(monkeypatch, library, message):
    monkeypatch.setattr(espeak.Synthesiser, "_made", False)
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: library)
    with pytest.raises(UserError, match=message):
        espeak.Synthesiser(0)


def test_one_process_speaks_for_one_speaker(monkeypatch):
    monkeypatch.setattr(espeak.Synthesiser, "_made", True)
    with pytest.raises(RuntimeError, match="keeps a state"):
        espeak.Synthesiser(0)


SPEAK = """
import sys
from pathlib import Path
from whyspiking.stages import data as making
speaker, path = sys.argv[1:]
settings = {"repetitions": 1, "words": 20}
making.shard("words", {"words": settings}, speaker, Path(path), lambda share, news: None)
"""


def speak(speaker, path):
    """One speaker in a process of its own."""
    command = [sys.executable, "-c", SPEAK, str(speaker), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return array_files.load_arrays(path)


def test_a_speaker_says_the_same_words_in_two_processes(tmp_path):
    """Speaker 3 has a voice with breath, for which the library draws random numbers."""
    one, two = (speak(3, tmp_path / f"{k}.npz") for k in range(2))
    np.testing.assert_equal(one, two)
    assert one["labels"].tolist() == list(range(20)) and one["log_mel"].shape == (20, 101, 40)
    assert ((one["duration_s"] > 0.2) & (one["duration_s"] < 1.3)).all()
    assert (one["log_mel"].max(axis=(1, 2)) == 0).all()


# ---- Spectra and parts ---------------------------------------------------------------------


def test_mel_bands_cover_their_range_and_a_tone_falls_into_its_band():
    bands = commands.filters()
    assert bands.shape == (40, 241)
    np.testing.assert_allclose(bands.sum(axis=1), 1)
    bins = np.arange(241) * 16000 / 480
    assert not bands[:, bins > 4000].any()
    centres = bands @ bins
    assert (np.diff(centres) > 0).all() and centres[0] < 70 and centres[-1] > 3700
    for band in (5, 20, 35):
        clip = np.sin(2 * np.pi * centres[band] * np.arange(16000) / 16000)
        spectrum = commands.log_mel(clip)
        assert spectrum.shape == (101, 40) and spectrum.max() == 0
        assert abs(int(spectrum[50].argmax()) - band) <= 1


def test_a_frame_tells_nothing_of_what_is_far_away():
    clip = np.random.default_rng(0).standard_normal(16000)
    changed = clip.copy()
    changed[8000 + 240 + 1 :] = 0
    before = slice(0, 51)
    one, other = (np.exp(commands.log_mel(c)) for c in (clip, changed))
    ratio = one[before] / other[before]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-6, err_msg="same but for the scale")


def test_parts_of_the_test_file():
    labels = np.tile(np.arange(20), 10)
    for speaker in range(12):
        tested = np.bincount(labels[corpus.test_trials(speaker, labels)], minlength=20)
        np.testing.assert_array_equal(tested, 10 if speaker in voices.HELD_OUT else 1)
    index = corpus.Index.of([{"labels": labels}] * 6)
    both = np.concatenate([index.mixed(False), index.mixed(True)])
    np.testing.assert_array_equal(np.sort(both), np.arange(1200))
    assert index.summary() == {
        "utterances": {"train": 4 * 180, "test": 4 * 20 + 400},
        "held_out_speakers": [4, 5],
    }
