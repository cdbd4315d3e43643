"""Goeltz: the network of a chip, and models of the chip's neurons fitted to what it answered."""

import hashlib
import io
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.datasets.released import File
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import chip, figures, imperfections, substrate_fit
from whyspiking.talks.goeltz.task import with_bias
from whyspiking_exchange.nir import Clock, NotExpressible
from whyspiking_exchange.talks import goeltz as nir

SPREAD = 0.1
"""Of thresholds and time constants of the chip that is made here."""


def own(**changes):
    return params_of("goeltz", "released_chip", **changes)


def weights(params):
    """Weights with which most neurons fire, on the grid of the chip."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(0.4, 0.35, (params.input_copies, params.n_input, params.n_hidden))
    output = rng.normal(0.6, 0.5, (1, params.n_hidden, params.n_output))
    return tuple(np.round(w / params.weight_step) * params.weight_step for w in (hidden, output))


def archive(copies):
    """What PyTorch would have written of them."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as file:
        for name, w in zip(chip.STORED, copies, strict=True):
            file.writestr(name, w.astype("<f8").tobytes())
    return raw.getvalue()


def answers(params, factors):
    """Input with bias, weights, and output spikes of neurons with these factors."""
    held = chip.held(weights(params), params, None)
    task = task_of(params)
    times = task.stimulus.spikes["input"].first_ms()
    hidden = substrate_fit.first_spikes(params, times, held[0], factors[:, : params.n_hidden])
    onward = with_bias(hidden, params)
    output = substrate_fit.first_spikes(params, onward, held[1], factors[:, params.n_hidden :])
    return times, held, output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Parameters with a folder of the files of a made chip, and its saved spikes."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("chip")
    params = replace(own(), originals_dir=folder)
    factors = np.exp(SPREAD * rng.standard_normal((3, params.n_hidden + params.n_output)))
    saved = answers(params, factors)[-1]
    stored = io.BytesIO()
    np.save(stored, saved)
    contents = {"NETWORK": archive(weights(params)), "TIMES_FILE": stored.getvalue()}
    with pytest.MonkeyPatch.context() as patch:
        for name, raw in contents.items():
            (folder / name).write_bytes(raw)
            patch.setattr(chip, name, File(name, hashlib.sha256(raw).hexdigest()))
        yield params, saved


@pytest.fixture(scope="module")
def fitted(made):
    """Neurons that were fitted to the recordings."""
    return fulfilled(made[0]).train(made[0], "neurons", Streams(0), {}, silent)


def test_a_fit_finds_the_neurons_and_dealt_elsewhere_they_explain_nothing(made, fitted):
    params, saved = made
    assert fitted.info["measures"]["released_time_explained"] > 0.9
    assert fitted.arrays["held_out"].sum() == params.n_test // 2
    np.testing.assert_equal(fitted.arrays["saved_times"], saved)
    dealt = fulfilled(params).train(params, "elsewhere", Streams(0), {"neurons": fitted}, silent)
    alike = fulfilled(params).train(params, "common", Streams(0), {}, silent)
    assert dealt.info["measures"]["released_time_explained"] < 0.2
    assert alike.info["measures"]["released_time_explained"] < 0.5
    for part in substrate_fit.PARTS:
        named = f"{part}_hidden"
        np.testing.assert_allclose(np.sort(dealt.arrays[named]), np.sort(fitted.arrays[named]))
        assert np.unique(alike.arrays[named]).size == 1


def test_derivatives_are_those_of_longer_steps(made):
    params, _ = made
    factors = np.ones((3, params.n_hidden + params.n_output))
    times, held, output = answers(params, factors)
    again, slopes = substrate_fit.derivatives(params, held, times, factors)
    np.testing.assert_equal(again, output)
    step = 5e-3
    weight = np.abs(slopes).sum(axis=(0, 1))
    hidden = [int(row[: params.n_hidden].argmax()) for row in weight]  # those that matter most
    for part, neuron in [*enumerate(hidden), (0, 30), (1, 31), (2, 32)]:
        sides = []
        for sign in (-1, 1):
            moved = factors.copy()
            moved[part, neuron] *= np.exp(sign * step)
            sides.append(answers(params, moved)[-1])
        with np.errstate(invalid="ignore"):
            central = (sides[1] - sides[0]) / (2 * step)
        steady = np.isfinite(central) & (np.abs(central) < 3)
        size = np.abs(central[steady]).sum()
        off = np.abs(slopes[:, :, part, neuron] - central)[steady].sum()
        assert size > 1 and off < 0.05 * size


def test_ideal_neurons_that_answer_as_recorded_leave_nothing_to_explain(made):
    params, _ = made
    task = task_of(params)
    authors = fulfilled(params).train(params, "authors", Streams(0), {}, silent)
    ours = chip.reference_first_ms(params, "authors", authors, task)["output"]
    other, everyone = ours + 0.25, np.ones(len(ours), bool)
    points = np.asarray(task.features)[:, :2]
    found = chip.compare(ours, ours, other, everyone, points)
    assert found["released_decisions"] == found["released_time_explained"] == 1.0
    halfway = chip.compare(ours, ours + 0.125, other, everyone, points)
    assert halfway["released_time_explained"] == pytest.approx(0.75)
    assert halfway["released_time_sd"] == pytest.approx(0.0, abs=1e-12)


def test_planes_through_neighbours_are_exact_on_a_plane_and_silent_where_they_are():
    rng = np.random.default_rng(2)
    points, asked = rng.random((400, 2)), rng.uniform(0.2, 0.8, (50, 2))
    plane = [lambda at: 1 + at @ [0.5, -2], lambda at: np.where(at[:, 0] < 0.5, at[:, 1], np.inf)]
    times, true = (np.column_stack([f(at) for f in plane]) for at in (points, asked))
    found = chip.nearby(points, times, asked)
    np.testing.assert_allclose(found[:, 0], true[:, 0], atol=1e-9)
    clear = np.abs(asked[:, 0] - 0.5) > 0.1
    np.testing.assert_equal(np.isfinite(found[clear, 1]), np.isfinite(true[clear, 1]))


def test_copies_of_an_input_add_up_and_are_rounded_one_by_one():
    params = own()
    copies = tuple(w + 0.4 * params.weight_step for w in weights(params))
    ideal, coarse = (chip.held(copies, params, step) for step in (None, params.weight_step))
    for w, rounded, per_neuron in zip(ideal, coarse, (params.input_copies, 1), strict=True):
        np.testing.assert_allclose(w[:-1] - rounded[:-1], per_neuron * 0.4 * params.weight_step)
        assert not w[-1].any()  # the chip has no bias


def test_files_of_other_sizes_are_refused():
    params = own()
    raw = archive(weights(params))
    with pytest.raises(UserError, match=r"shape \(700,\)"):
        chip.read_weights(raw, replace(params, values={**params.values, "n_hidden": 35}))
    stored = io.BytesIO()
    np.save(stored, np.zeros((10, 3)))
    with pytest.raises(UserError, match=r"expected numbers of shape \(1000, 3\)"):
        chip.read_times(stored.getvalue(), params)


def test_fitted_thresholds_are_taken_into_the_weights_and_time_constants_reach_brian(made, fitted):
    params, _ = made
    factors = np.hstack(
        [
            [fitted.arrays[f"{part}_{layer}"] for part in substrate_fit.PARTS]
            for layer in imperfections.LAYERS
        ]
    )
    task = task_of(params)
    ours = chip.reference_first_ms(params, "neurons", fitted, task)["output"]
    np.testing.assert_allclose(ours, answers(params, factors)[-1], rtol=1e-9)
    with pytest.raises(NotExpressible, match="its own time constants"):
        nir.to_nir(params, "neurons", fitted, Clock(0.1))
    told = fulfilled(params).bind(params, fitted).values
    assert (told["hidden.v_th"] == params.theta).all()
    np.testing.assert_equal(told["s_hidden.w"], fitted.arrays["w_hidden"])
    for layer in imperfections.LAYERS:
        np.testing.assert_allclose(told[f"{layer}.tau_m"], fitted.arrays[f"tau_m_{layer}"] * 1e-3)
        np.testing.assert_allclose(told[f"{layer}.tau_s"], fitted.arrays[f"tau_s_{layer}"] * 1e-3)


def test_the_figure_shows_held_out_recordings_and_says_the_shares(made, fitted):
    params, saved = made
    authors = fulfilled(params).train(params, "authors", Streams(0), {}, silent)
    networks = {("authors", 0): authors, ("neurons", 0): fitted}
    arrays = fulfilled(params).exhibits(params, networks, silent, Streams(0))
    shown = saved[fitted.arrays["held_out"]]
    np.testing.assert_allclose(arrays["chip.saved"], shown, rtol=1e-6)
    gaps = {
        name: np.abs(np.minimum(arrays[f"chip.{name}"], 4) - np.minimum(arrays["chip.saved"], 4))
        for name in ("ideal", "fitted")
    }
    assert gaps["fitted"].mean() < 0.5 * gaps["ideal"].mean()
    rows = [
        {"experiment": "released_chip", "engine": "compiled", "variant": v, "metric": m, "value": x}
        for v, m, x in (
            ("neurons", "released_time_explained", 0.625),
            ("neurons", "released_time_explainable", 0.8),
        )
    ]
    plate = figures.chip(arrays, pd.DataFrame(rows))
    assert "factors for each neuron: 62 %" in plate.alt
    assert "for the nearest inputs: 80 %" in plate.alt
