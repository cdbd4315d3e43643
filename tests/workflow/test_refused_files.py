"""Config files that are broken as files, as a user meets them: one message and no job."""

from pathlib import Path

import pytest
from made.checkouts import snakemake

BROKEN = {
    "no such file": (None, ["overlay.yaml", "no such file", "correct the path"]),
    "Latin-1": ("scale: smöke\n".encode("latin-1"), ["overlay.yaml", "0xf6", "UTF-8", "save it"]),
    "a key twice": (b"scale: smoke\nscale: paper\n", ["overlay.yaml", "'scale'", "remove one"]),
    "syntax": (b"scale: [smoke\n", ["overlay.yaml", "line 1", "not valid YAML", "mend"]),
    "nothing": (b"", ["overlay.yaml", "is empty", "scale: smoke"]),
    "a Python object": (
        b"scale: !!python/object/apply:os.mkdir [results/pwned]\n",
        ["overlay.yaml", "not valid YAML", "python/object"],
    ),
    "no block": (b"data: 5\n", ["'data' is 5", "mapping", "Correct"]),
}
SLOW = ("syntax", "nothing", "a Python object", "no block")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow if c in SLOW else ()) for c in BROKEN]
)
def test_broken_file_is_refused_in_one_message(checkout: Path, monkeypatch, case):
    content, words = BROKEN[case]
    if content is not None:
        (checkout / "overlay.yaml").write_bytes(content)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    done = snakemake(checkout, "--configfile", "overlay.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for word in words:
        assert word in said, said
    assert said.count("error:") == 1, said
    assert "Traceback" not in said and "Error in file" not in said, said
    assert not list((checkout / "results").iterdir()), "no job has started"
