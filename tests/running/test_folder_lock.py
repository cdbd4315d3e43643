"""Whether a lock of Snakemake is left over, told by a lock of the operating system."""

import fcntl
import platform

import pytest

from whyspiking.errors import UserError
from whyspiking.running import folder_lock


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Snakemake's folder as a run leaves it that is killed."""
    held: list = []
    monkeypatch.setattr(folder_lock, "_held", held)
    monkeypatch.setattr(folder_lock, "beside", [])
    folder_lock.acquire(tmp_path)
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "0.output.lock").write_text("results/a.csv")
    held.pop().close()  # as the system does when the process ends
    yield tmp_path
    for file in held:
        file.close()


def test_the_lock_of_a_living_run_stays(folder, monkeypatch):
    with (folder / "whyspiking-runs").open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        folder_lock.acquire(folder)
        assert folder_lock.beside
        monkeypatch.setattr(folder_lock.slurm, "orphans", lambda folder: ["12"])
        (folder / "slurm_logs").mkdir()
        with pytest.raises(UserError, match="scancel 12"):  # of a third run, which was killed
            folder_lock.acquire(folder)
    assert (folder / "locks").exists()


@pytest.mark.parametrize("unlocked", [False, True])
def test_a_killed_run_whose_jobs_a_cluster_still_has_is_not_begun_again(
    folder, monkeypatch, unlocked
):
    """Until they have ended, though the user has removed the lock as Snakemake advises."""
    queue = ["12", "13"]
    monkeypatch.setattr(folder_lock.slurm, "orphans", lambda folder: queue)
    (folder / "slurm_logs").mkdir()
    if unlocked:
        (folder / "locks" / "0.output.lock").unlink()
    for _ in range(2):
        with pytest.raises(UserError, match=r"12, 13.*second time.*scancel 12 13"):
            folder_lock.acquire(folder)
        folder_lock._held.pop().close()
    queue.clear()
    folder_lock.acquire(folder)
    assert (folder / "locks").exists() == unlocked


def test_the_lock_of_a_killed_run_is_removed_and_no_queue_asked(folder, monkeypatch):
    monkeypatch.setattr(folder_lock.slurm, "orphans", lambda folder: ["12"])
    folder_lock.acquire(folder)
    assert not (folder / "locks").exists()


@pytest.mark.parametrize(
    "hosts", ["", "elsewhere", f"{platform.node()}\nelsewhere"], ids=["none", "one", "two"]
)
def test_a_lock_that_may_be_of_another_machine_stays(folder, hosts):
    (folder / "whyspiking-runs").write_text(f"{hosts}\n" if hosts else "")
    folder_lock.acquire(folder)
    assert (folder / "locks").exists()
    folder_lock._held.pop().close()
    # The user has removed it, as Snakemake advised: from now on all is as usual.
    (folder / "locks" / "0.output.lock").unlink()
    folder_lock.acquire(folder)
    assert (folder / "whyspiking-runs").read_text().split() == [platform.node()]


def test_a_folder_that_cannot_be_locked_is_left_to_snakemake(folder, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(folder_lock.fcntl, "flock", refuse)
    folder_lock.acquire(folder)
    assert (folder / "locks").exists()
