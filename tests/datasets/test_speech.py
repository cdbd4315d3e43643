"""Synthetic voices and the ear: closed forms, an independent reference, the same twice."""

import ctypes.util
import subprocess
import sys

import numpy as np
import pytest

from whyspiking.datasets.speech import commands, corpus, digits, ear, espeak, voices
from whyspiking.errors import UserError
from whyspiking.records import array_files

# ---- The ear -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_ear():
    return ear.Ear(70, 24, 0.3)


def test_pressure_at_the_base_is_a_hankel_function():
    """At x = 0 the logarithm of Eq. 1 vanishes: p(0) = sqrt(2 / alpha) H0(2 g(0) / alpha)."""
    from scipy.special import hankel1

    omega = 2 * np.pi * np.array([50.0, 500.0, 5000.0])
    xi = 1e9 - 3500 - 0.05 * omega**2 - 0.15j * omega * np.sqrt(1e9 * 0.05)
    g = omega * np.sqrt(1.0 / (0.1 * xi))
    expected = np.sqrt(2 / 3.0) * hankel1(0, 2 * g / 3.0)
    np.testing.assert_allclose(ear.pressure(omega, 0.0), expected, rtol=1e-12)


def test_response_at_the_base_is_the_input_impedance():
    """V(w, 0) = 2 w Z / xi, with the quotient of Bessel functions written as Hankel functions."""
    from scipy.special import hankel2

    omega = 2 * np.pi * np.array([100.0, 1000.0, 8000.0])
    kappa = 2 * omega / 3.0 * np.sqrt(2 / (0.1 * 1e9))
    z = np.sqrt(2e10) * 1j * hankel2(0, kappa) / hankel2(1, kappa)
    xi = 1e9 - 3500 - 0.05 * omega**2 - 0.15j * omega * np.sqrt(1e9 * 0.05)
    found = ear.response(omega, np.array([0.0]))[0]
    np.testing.assert_allclose(found, 2 * omega * z / xi, rtol=1e-9)


def test_every_place_has_its_frequency_below_its_resonance():
    omega = 2 * np.pi * np.geomspace(60, 11000, 3000)
    places = np.linspace(0.8, 3.2, 13)
    best = omega[np.abs(ear.response(omega, places)).argmax(axis=1)]
    assert (np.diff(best) < 0).all(), "low frequencies travel further"
    resonance = np.sqrt((1e9 * np.exp(-3.0 * places) - 3500) / 0.05)
    assert (best < resonance).all() and (best > 0.3 * resonance).all()


def test_membrane_moves_by_the_inverse_transform(small_ear):
    """Blocks of channels and Hermitian halves against one complex transform of Eq. 2."""
    wave = np.random.default_rng(2).standard_normal(5000)
    n_samples = small_ear._n_samples
    padded = np.zeros(n_samples)
    padded[: wave.size] = 0.3 * wave / np.sqrt(np.mean(wave**2)) * np.hanning(wave.size)
    grid = ear.angular_frequencies(n_samples, 24000)
    response = ear.response(grid, 3.5 * small_ear.positions / 699)
    expected = np.fft.ifft(response * np.fft.rfft(padded), axis=1).real[:, :2500]
    error = small_ear.velocity(wave) - expected
    assert np.abs(error).max() < 1e-5 * np.abs(expected).max()


def test_a_kept_response_is_what_was_computed(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYSPIKING_CACHE", str(tmp_path))
    wave = np.random.default_rng(3).standard_normal(2000)
    computed = ear.Ear(7, 24, 0.1).velocity(wave)
    (kept,) = tmp_path.glob("ear-*.npz")
    np.testing.assert_array_equal(ear.Ear(7, 24, 0.1).velocity(wave), computed)
    kept.write_bytes(kept.read_bytes()[:1000])
    np.testing.assert_array_equal(ear.Ear(7, 24, 0.1).velocity(wave), computed)


def reference_hair_cell(v, dt):
    """Eq. 3 by Euler steps, all channels at once; the firing probability per step."""
    k0 = 2000 * 5 / 305
    c = 5.05 * k0 / (2500 * k0 + 5.05 * 9080) * np.ones(len(v))
    q, w = c * 9080 / k0, c * 6580 / 66.3
    p = np.empty_like(v)
    for step in range(v.shape[1]):
        drive = np.maximum(v[:, step] + 5, 0)
        k = np.where(drive > 0, 2000 * drive / (v[:, step] + 305), 0)
        dq = 5.05 * np.maximum(1 - q, 0) - k * q + 66.3 * w
        dc, dw = k * q - 9080 * c, 6580 * c - 66.3 * w
        q, c, w = (np.maximum(x + dt * d, 0) for x, d in ((q, dq), (c, dc), (w, dw)))
        p[:, step] = 50000 * c * dt
    return p


@pytest.mark.parametrize("n_channels", [1, 4, 8, 13, 70])
def test_hair_cells_follow_their_equations(n_channels, vectors):
    own = ear.Ear(70, 24, 0.3)
    v = 40 * np.random.default_rng(1).standard_normal((n_channels, 600)).cumsum(axis=1) / 10
    _, firing = own.respond(v, 0)
    expected = np.minimum(reference_hair_cell(v, own.step_s), 1)
    np.testing.assert_allclose(firing, expected, rtol=1e-10, atol=1e-15)


def reference_bushy_cells(firing, dt, weight, rng):
    """Eq. 4 with every fibre on its own; spikes per channel."""
    n_channels, n_steps = firing.shape
    refractory = round(1e-3 / dt)
    last = np.full((n_channels, 40), -refractory)
    v, current, silent = (np.zeros(n_channels) for _ in range(3))
    counts = np.zeros(n_channels)
    for step in range(n_steps):
        fires = (rng.random((n_channels, 40)) < firing[:, step, None]) & (step - last >= refractory)
        last[fires] = step
        awake = silent <= 0
        crossed = awake & (v >= 1)
        counts += crossed
        v = np.where(crossed, 0, np.where(awake, v * np.exp(-dt / 1e-3), v))
        silent = np.where(crossed, refractory, silent)
        current = current * np.exp(-dt / 5e-4) + fires.sum(axis=1)
        v = np.minimum(np.where(silent <= 0, v + dt * weight / 40 * current, v), 1)
        silent = silent - 1
    return counts


@pytest.mark.parametrize("velocity", [5.0, 20.0, 400.0])
def test_bushy_cells_fire_as_if_every_fibre_were_drawn(velocity, vectors):
    own = ear.Ear(70, 24, 0.3)
    v = np.full((200, 1200), velocity)
    spikes, firing = own.respond(v, 7)
    expected = reference_bushy_cells(
        firing, own.step_s, ear.WEIGHT_PER_S[24], np.random.default_rng(3)
    )
    counts = spikes.sum(axis=1)
    error = np.sqrt((counts.var() + expected.var()) / 200)
    assert counts.mean() > 1
    assert abs(counts.mean() - expected.mean()) < 4 * error
    assert 0.6 < counts.std() / expected.std() < 1.6


def test_fibres_differ_between_channels_and_seeds(small_ear):
    v = np.full((20, 1200), 20.0)
    one, again, other = (small_ear.respond(v, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert len({row.tobytes() for row in one}) == 20


def test_tones_are_heard_where_they_belong(small_ear):
    t = np.arange(6000) / 24000
    heard = [small_ear.hear(np.sin(2 * np.pi * f * t), 0) for f in (3000, 1000, 300)]
    middle = [np.median(small_ear.positions[channels]) for _, channels in heard]
    assert middle[0] < middle[1] < middle[2]
    for times, _ in heard:
        assert (np.diff(times) >= 0).all() and times[-1] < 0.25


def test_ear_refuses_other_channels_rates_and_long_clips(small_ear):
    divides = "must divide 700"
    for n_channels, rate, words in (
        (3, 24, divides), (0, 24, divides), (1400, 24, divides), (70, 16, "24, 48"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            ear.Ear(n_channels, rate, 0.1)
    with pytest.raises(ValueError, match="takes up to"):
        small_ear.velocity(np.ones(20000))


def test_positions_are_the_middles_of_groups():
    np.testing.assert_array_equal(ear.positions(140)[:3], [2, 7, 12])
    np.testing.assert_array_equal(ear.positions(700), np.arange(700))


@pytest.mark.slow
def test_ear_agrees_with_the_published_tool():
    """A clip at 48 kHz in 70 channels against lauscher: membrane, hair cells, number of spikes."""
    pytest.importorskip(
        "lauscher", reason="the published tool is not installed", exc_type=Exception
    )
    from lauscher.audiowaves import MonoAudioWave
    from lauscher.helpers import CommandLineArguments
    from lauscher.transformations import BasilarMembrane, BushyCell, HairCell, HanningWindow
    from lauscher.transformations import RmsNormalizer as Level

    CommandLineArguments().num_concurrent_jobs = 1
    rng = np.random.default_rng(5)
    # Something like a vowel: harmonics of a falling pitch under two resonances.
    t = np.arange(24000) / 48000
    phase = 2 * np.pi * np.cumsum(140 - 60 * t) / 48000
    level = [1 / (1 + ((140 * k - 600) / 200) ** 2) + 0.4 / (1 + ((140 * k - 1700) / 300) ** 2)
             for k in range(1, 30)]  # fmt: skip
    wave = sum(a * np.sin(k * phase) for k, a in enumerate(level, 1))
    wave = wave + 0.02 * rng.standard_normal(wave.size)
    ours = ear.Ear(70, 48, 0.5)
    v = ours.velocity(wave)
    membrane = BasilarMembrane(channels=70)
    membrane.ch = 3.5 * ours.positions / 699
    sound = MonoAudioWave(wave.copy(), 48000).transform(Level(0.3)).transform(HanningWindow())
    theirs = sound.transform(membrane)
    n = v.shape[1]
    assert np.corrcoef(theirs.channels[:, :n].ravel(), v.ravel())[0, 1] > 0.998
    probability = HairCell()(theirs)
    counts = [ours.respond(v, seed)[0].sum(axis=1).astype(float) for seed in range(5)]
    firing = ours.respond(v, 0)[1]
    assert firing.mean() == pytest.approx(probability.channels[:, :n].mean(), rel=0.01)
    np.random.seed(0)  # noqa: NPY002 -- their tool draws from it
    spikes = BushyCell()(probability)
    assert np.mean(counts, axis=0).sum() == pytest.approx(spikes.spike_times.size, rel=0.1)
    profile = np.bincount(spikes.spike_labels.astype(int), minlength=70)
    assert np.corrcoef(profile, np.mean(counts, axis=0))[0, 1] > 0.9


# ---- Voices --------------------------------------------------------------------------------


def said_so(**changes):
    how = voices.manner(voices.SPEAKERS[0], "one", False, np.random.default_rng(0))
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


def test_noise_has_the_ratio_asked_for():
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(200000) * 0.1)
    noise = voices.with_noise(wave, 20.0, rng) - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.1)


def test_manners_vary_about_the_speaker():
    rng = np.random.default_rng(0)
    speaker = voices.SPEAKERS[3]
    manners = [voices.manner(speaker, "one", False, rng) for _ in range(2000)]
    found, rate = np.array([(m.rate, m.pitch, m.tilt) for m in manners]), 0.85 * 120 / 1.05
    np.testing.assert_allclose(found.mean(axis=0), [rate, 60, 0], rtol=0.0066, atol=0.01)
    np.testing.assert_allclose(found.std(axis=0), [0.08 * 0.6 * rate, 3.6, 0.09], rtol=0.1)
    assert {m.text for m in manners} == {"one", "one.", "one!", "one?", "one,"}
    assert voices.manner(speaker, "eins", True, rng).voice == "de+f4"


@pytest.mark.parametrize(
    ("library", "message"),
    [
        (None, "no library of it is installed; install the Python"),
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
    with pytest.raises(RuntimeError, match="keeps state"):
        espeak.Synthesiser(0)


SPEAK = """
import sys
from pathlib import Path
from whyspiking.stages import data as making
key, speaker, path, repetitions = sys.argv[1:]
settings = {"repetitions": int(repetitions), "channels": 70, "rate_khz": 24, "words": 6}
making.shard(key, {key: settings}, speaker, Path(path), lambda share, news: None)
"""


def speak(key, speaker, path, repetitions=1):
    """One speaker in a process of its own."""
    command = [sys.executable, "-c", SPEAK, key, str(speaker), str(path), str(repetitions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return array_files.load_arrays(path)


def test_a_speaker_says_the_same_digits_in_two_processes(tmp_path):
    """Speaker 3 has a voice with breath, for which the library draws random numbers."""
    one, two = (speak("spoken", 3, tmp_path / f"{k}.npz") for k in range(2))
    np.testing.assert_equal(one, two)
    spikes = np.diff(one["ptr"])
    assert len(one["labels"]) == 20 and one["units"].max() < 700
    assert ((one["duration_s"] > 0.3) & (one["duration_s"] < 1.3)).all()
    # A channel fires as in the recorded digits: thousands of spikes a second in 700 channels.
    assert 4000 < (10 * spikes / one["duration_s"]).mean() < 16000
    assert (np.diff(one["times"][: one["ptr"][1]]) >= 0).all()


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
        tested = np.bincount(labels[corpus.test_trials(speaker, labels, 12)], minlength=20)
        np.testing.assert_array_equal(tested, 10 if speaker in voices.HELD_OUT else 1)
    index = corpus.Index.of([{"labels": labels}] * len(voices.SPEAKERS))
    tested = np.unique(index.speakers[index.test], return_counts=True)[1] == len(labels)
    assert np.flatnonzero(tested).tolist() == list(voices.HELD_OUT_OF_ALL)
    # Others were left out of trainings when settings were chosen.
    assert min(voices.HELD_OUT_OF_ALL) >= 36
    index = corpus.Index.of([{"labels": labels}] * 6)
    both = np.concatenate([index.mixed(False), index.mixed(True)])
    np.testing.assert_array_equal(np.sort(both), np.arange(1200))
    assert index.summary() == {
        "utterances": {"train": 4 * 180, "test": 4 * 20 + 400},
        "held_out_speakers": [4, 5],
    }
    assert digits.described({"rate_khz": 24})["bushy_cell_weight_per_s"] == 12.2e3
