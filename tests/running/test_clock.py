"""Tables from the future are told of: the clock was set back."""

import os
import time

from whyspiking.running import clock


def test_tables_that_are_newer_than_the_clock_are_told_of(tmp_path, caplog):
    own = tmp_path / "goeltz" / "yinyang"
    own.mkdir(parents=True)
    for path in (tmp_path / "axes.csv", own / "metrics.csv"):
        path.write_text("metric,value\n")
    clock.warn_of_future(tmp_path)
    clock.warn_of_future(tmp_path / "nothing yet")
    assert not caplog.messages
    tomorrow = time.time() + 86_400
    os.utime(own / "metrics.csv", (tomorrow, tomorrow))
    clock.warn_of_future(tmp_path)
    (told,) = caplog.messages
    assert str(own / "metrics.csv") in told and "snakemake --touch --forceall" in told
