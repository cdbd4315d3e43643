"""Disks that are full or read-only, runs beside each other, other numbers of cores."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from made import scenes
from made.hangs import limit, wait_until

VERDICTS = "results/smoke/tempotron/verdicts.csv"


@pytest.fixture
def folder(tmp_path):
    return scenes.checkout(tmp_path / "run", ("tempotron",))


def in_namespace(folder, script):
    """Run a script in a mount namespace of its own, whose mounts end with it; what it said."""
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", str(folder / "config")],
        capture_output=True,
        text=True,
        check=False,
    ) if shutil.which("unshare") else None  # fmt: skip
    if probe is None or probe.returncode:
        pytest.skip("mounting in a namespace of one's own is not permitted here")
    done = subprocess.run(
        ["unshare", "-m", "bash", "-euc", script],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(folder / "workflow"),
            "RUN": f"{sys.executable} -m snakemake {VERDICTS}",
        },
        # One stream, so that what the script says stands where it said it.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit(),
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout
    assert "Traceback" not in said and "unexpected failure" not in said, said[-4000:]
    return done.returncode, said


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("results", "'results/smoke' is not writable"),
        pytest.param("resources", "'resources' is not writable", marks=pytest.mark.slow),
        pytest.param(".", "is not writable", marks=pytest.mark.slow),
    ],
)
def test_read_only_folder_is_refused_before_any_job(folder, place, words):
    (folder / "results" / "smoke").mkdir(parents=True)
    (folder / "resources").mkdir()
    script = f'mount --bind {place} {place}; mount -o remount,ro,bind {place}; cd "$PWD"; $RUN'
    status, said = in_namespace(folder, script)
    assert status != 0
    assert said.count("error:") == 1 and words in said, said
    assert "mounted with write access" in said, "the remedy"
    assert "jobs to do" not in said


@pytest.mark.slow
def test_a_checkout_below_a_folder_of_any_name(small_run, tmp_path):
    (tmp_path / "it's größer; $(touch MADE)").mkdir()
    folder = scenes.checkout(tmp_path / "it's größer; $(touch MADE)" / "run", ("tempotron",))
    scenes.finish(folder, "tempotron")
    assert (folder / "results/smoke/tempotron/report.html").is_file()
    scenes.assert_equal(small_run, folder)
    assert not list(tmp_path.rglob("MADE"))


@pytest.mark.parametrize(
    "file",
    [
        "spiking/seed-0/network.npz",
        # Of a simulation whose program is compiled below that folder, too.
        pytest.param("metrics.csv", marks=pytest.mark.slow),
    ],
)
def test_jobs_run_by_an_interpreter_whose_path_a_shell_would_split(file, tmp_path, monkeypatch):
    folder = scenes.checkout(tmp_path / "a b (c)", ("tempotron",))
    (folder / ".venv").symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "executable", str(folder / ".venv/bin/python"))
    target = f"results/smoke/tempotron/patterns/{file}"
    scenes.finish(folder, target)
    assert (folder / target).is_file()
    if file == "metrics.csv":
        assert list(folder.glob("resources/build/*/main")), "compiled here"


@pytest.mark.slow
def test_a_locale_of_decimal_commas_and_dotless_i_changes_nothing(
    small_run, folder, tmp_path, monkeypatch
):
    made = ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(tmp_path / "tr_TR.UTF-8")]
    if shutil.which(made[0]) is None or subprocess.run(made, check=False).returncode:
        pytest.skip("no Turkish locale can be made here")
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    scenes.finish(folder, VERDICTS)
    scenes.assert_equal(small_run, folder)


FULL = {
    "results, at once": ("results", "8k"),
    "results, later": ("results", "48k"),
    "compiled simulations": ("resources/build", "2m"),
    "generated code": ("resources/build", "45600k"),
    "temporary files": ("scratch", "80k"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", FULL)
def test_full_disk_is_told_and_the_run_goes_on_when_there_is_space(small_run, folder, case):
    place, size = FULL[case]
    (folder / place).mkdir(parents=True)
    script = f"""
        mount -t tmpfs -o size={size} tmpfs {place}
        {"export TMPDIR=$PWD/scratch" if place == "scratch" else ""}
        if $RUN; then echo "no trouble"; fi
        echo "--- more space"
        mount -o remount,size=300m {place}
        $RUN
        mkdir saved
        cp -a {place} saved/
    """
    status, said = in_namespace(folder, script)
    before, _, after = said.partition("--- more space")
    assert status == 0, said[-4000:]
    if "no trouble" in before:
        pytest.skip(f"{size} were enough on this machine")
    assert "finished" in after
    assert "No space left on device" in before and "free some space" in before.lower(), before[
        -3000:
    ]
    if place == "results":
        shutil.rmtree(folder / "results")
        shutil.move(folder / "saved" / "results", folder / "results")
    scenes.assert_equal(small_run, folder)


@pytest.mark.slow
def test_two_runs_in_one_folder_the_second_is_refused(small_run, folder):
    first = scenes.start(folder, VERDICTS)
    try:
        scenes.halt(first, folder, folder / "results" / "smoke" / "logs")
        status, said = scenes.snakemake(folder, VERDICTS)
        assert status != 0
        assert "this folder is locked by another run" in said and "--unlock" in said, said
        assert "Traceback" not in said
        os.killpg(first.pid, signal.SIGCONT)
        assert first.wait(limit()) == 0, (folder / "said.txt").read_text()
    finally:
        if first.poll() is None:
            scenes.kill(first, folder)
    scenes.assert_equal(small_run, folder)


@pytest.mark.slow
def test_cores_and_a_second_run_change_nothing(small_run, folder, tmp_path):
    """The same seed with two cores, and once more with one: equal to the first run, bit for bit."""
    scenes.finish(folder, VERDICTS, "--cores", "2")
    scenes.assert_equal(small_run, folder)
    again = scenes.checkout(tmp_path / "again", ("tempotron",))
    scenes.finish(again, VERDICTS, "--cores", "1")
    scenes.assert_equal(small_run, again)


@pytest.mark.slow
def test_a_job_that_outlives_its_run_does_no_harm(small_run, folder):
    """Only snakemake itself is killed: its job goes on while the resumed run does the same job."""
    process = scenes.start(folder, VERDICTS)
    scenes.halt(process, folder, folder / "results" / "smoke" / "logs")
    process.kill()
    process.wait()
    assert scenes.running(folder), "the job is still there"
    os.killpg(process.pid, signal.SIGCONT)
    scenes.unlock(folder)
    scenes.finish(folder, VERDICTS)
    wait_until(lambda: not scenes.running(folder))
    scenes.finish(folder, VERDICTS)
    scenes.assert_equal(small_run, folder)
