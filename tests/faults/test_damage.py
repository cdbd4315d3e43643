"""Files that are cut short or changed after a run: equal results, or a message that helps.

Every case damages one kind of file of a finished run and starts snakemake again. It may end well,
with the tables of an undamaged run; or it names the file and says what to delete, and then ends
well after that was deleted.
"""

import re
import shutil
from pathlib import Path

import pytest
from made import scenes

TALK = "results/smoke/listener"
SPIKING = f"{TALK}/patterns/spiking/seed-0"
VERDICTS = f"{TALK}/verdicts.csv"
PAGE = f"{TALK}/report.html"
JOINT = "results/smoke/costs.csv"
WORDS = "resources/data/words-6x2x4"
READ_BY_SIMULATION = f"{TALK}/patterns/metrics.csv"

# File -> what is asked for afterwards: the first file that is made from it. The template draws
# nothing from its exhibits, and its program reads no arrays of its own; `test_whole_files` and
# `tests/brian/test_building.py` damage those.
FILES = {
    f"{SPIKING}/network.npz": VERDICTS,
    f"{SPIKING}/network.json": VERDICTS,
    f"{SPIKING}/outcome.npz": VERDICTS,
    f"{TALK}/patterns/metrics.csv": VERDICTS,
    f"{TALK}/history.csv": PAGE,
    f"{TALK}/verdicts.csv": PAGE,
    JOINT: "results/smoke/why_spiking.html",
    "results/smoke/manifest.json": "results/smoke/why_spiking.html",
    f"{TALK}/report.ipynb": PAGE,
    f"{TALK}/report.html": PAGE,
    f"{SPIKING}/benchmark.tsv": JOINT,
    "results/smoke/durations.csv": JOINT,
    f"{WORDS}/shards/3.npz": VERDICTS,
    f"{WORDS}/words_train.npz": f"{SPIKING}/network.npz",
    f"{WORDS}/meta.json": VERDICTS,
    f"{WORDS}/samples.csv": f"{SPIKING}/network.npz",
    "resources/build/*/main": READ_BY_SIMULATION,
    "resources/build/*/manifest.json": READ_BY_SIMULATION,
    "resources/build/*/standard.h.gch": READ_BY_SIMULATION,
}


def cut(path: Path) -> None:
    """Lose the second half; of a table, whole rows: it is still a table."""
    raw = path.read_bytes()
    half = raw[: len(raw) // 2]
    path.write_bytes(half[: half.rindex(b"\n") + 1] if path.suffix == ".csv" else half)


def flip(path: Path) -> None:
    """Change one digit of a text, one bit of anything else."""
    raw = bytearray(path.read_bytes())
    places = [k for k in range(len(raw) // 2, len(raw)) if chr(raw[k]).isdigit()]
    if path.suffix in (".csv", ".json", ".tsv") and places:
        raw[places[0]] = ord("7") if raw[places[0]] != ord("7") else ord("3")
    else:
        raw[len(raw) // 2] ^= 16
    path.write_bytes(bytes(raw))


CASES = [
    pytest.param(file, damage, id=f"{damage.__name__}-{file.rpartition('/')[2]}-{number}")
    for number, file in enumerate(FILES)
    for damage in (cut, flip)
    if damage is cut or not file.endswith((".gch", ".ipynb", ".html"))
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run with every kind of file, and a copy of it that stays as it is."""
    folder = scenes.checkout(tmp_path_factory.mktemp("finished") / "run")
    scenes.finish(folder)
    saved = folder.with_name("saved")
    shutil.copytree(folder, saved, symlinks=True)
    return folder, saved


@pytest.mark.slow
@pytest.mark.parametrize(("file", "damage"), CASES)
def test_damage_is_found_and_its_remedy_works(finished, file, damage):
    folder, saved = finished
    # At the same place and with the same times: to snakemake it is the same run.
    shutil.rmtree(folder)
    shutil.copytree(saved, folder, symlinks=True)
    path = next(p for p in sorted(folder.glob(file)) if p.is_file())
    damage(path)
    if file.endswith(".gch"):  # only read when a program is made
        for program in (folder / "resources" / "build").glob("*/main"):
            shutil.rmtree(program.parent)
    target = FILES[file]
    if target in (READ_BY_SIMULATION, f"{SPIKING}/network.npz"):
        # Snakemake does not follow what is read here: the job must run once more.
        (folder / target).unlink()
    status, said = scenes.snakemake(folder, target)
    if status != 0:
        assert path.name in said, said[-3000:]
        assert "unexpected failure" not in said and "Traceback" not in said, said[-3000:]
        told = re.findall(r"\| ERROR .*?delete (\S+?)(?: beside it)?(?: and|,|;)", said)
        assert told, said[-3000:]
        named = path if told[0] == "it" else folder / told[0]
        assert named.is_file(), told
        named.unlink()
        scenes.finish(folder)
    scenes.finish(folder, JOINT)
    if not file.endswith("durations.csv"):
        scenes.assert_equal(saved, folder)


def test_what_a_talk_lacks_is_made_again_though_its_page_is_there(small_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder, symlinks=True)
    scenes.finish(folder, "tempotron")
    assert "othing to be done" in scenes.snakemake(folder, "-n", "tempotron")[1]
    own = folder / "results" / "smoke" / "tempotron"
    for lost in ("patterns/metrics.csv", "patterns/mlp/seed-0/outcome.npz", "history.csv"):
        (own / lost).unlink()
    status, said = scenes.snakemake(folder, "-n", "tempotron")
    assert status == 0 and said.count("missing output files") == 3, said
