"""A job's progress: lines in its log, one small file for the terminal."""

import re

import pytest

from whyspiking.running import progress


@pytest.fixture
def log(tmp_path):
    return tmp_path / "train.log"


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_log_and_news_tell_the_same(log, clock):
    log.write_text("from before\n")
    tell = progress.reporter(log, "goeltz yinyang spiking seed 3")
    assert progress.latest(log) is None
    clock[0] += 38
    tell(0.25, "epoch 5/20\nerror 4 %")
    assert {path.name for path in log.parent.iterdir()} == {"train.log", "train.log.progress"}
    line = log.read_text().removeprefix("from before\n")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d \+38 s goeltz yinyang spiking seed 3 25%: epoch 5/20 error 4 %\n", line
    )
    assert progress.latest(log) == (0.25, "epoch 5/20 error 4 %")


def test_calls_in_quick_succession_are_dropped_but_the_last(log, clock):
    tell = progress.reporter(log, "a")
    for step in range(1, 101):
        clock[0] += 0.02
        tell(step / 100, f"step {step}")
    # 100 calls in 2 s: one each half second, and the end.
    assert len(log.read_text().splitlines()) <= 5
    assert progress.latest(log) == (1.0, "step 100")


@pytest.mark.parametrize(
    ("given", "kept"), [(-1, 0.0), (2, 1.0), (float("nan"), 0.0), (float("inf"), 1.0), (1, 1.0)]
)
def test_fractions_are_clipped(log, clock, given, kept):
    progress.reporter(log, "a")(given, "text")
    assert progress.latest(log) == (kept, "text")


def test_half_written_news_counts_as_none(log):
    for text in ('{"fraction": 0.', '["not", "a", "mapping"]'):
        progress.news_file(log).write_text(text)
        assert progress.latest(log) is None
