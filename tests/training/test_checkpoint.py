"""Checkpoints: a training that was stopped or killed ends in the bits of an undisturbed one."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from made import checkpointed_job, trainings
from made.project import silent

from whyspiking.contract import network_files
from whyspiking.records.array_files import load_arrays
from whyspiking.training import checkpoint
from whyspiking.training.checkpoint import Checkpoint, kept_in

STOPPED_AT = {"on_substrates": 0.89, "of_one_shot": 0.6, "until_the_criterion": 0.9}
"""Share of the training after which it is stopped, if not half: there all that it keeps counts."""
SLOW = ("of_gates", "of_a_gru", "of_one_shot")
"""What JAX compiles for seconds, three times over."""


class Stopped(Exception):
    """What stops a training in a test."""


def stopping(at):
    def stop(share, news):
        if share >= at:
            raise Stopped

    return stop


def facts(network):
    """All that a network says but its durations."""
    history = [row for row in network.history if not row["metric"].endswith("epoch_seconds")]
    info = {key: value for key, value in network.info.items() if not key.endswith("seconds")}
    return json.dumps([info, history], sort_keys=True)


def assert_equal(one, other):
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        again = other.arrays[name]
        assert (array.dtype, array.shape) == (again.dtype, again.shape), name
        assert array.tobytes() == again.tobytes(), name
    assert facts(one) == facts(other)


@pytest.mark.parametrize(
    "train",
    [
        pytest.param(train, marks=pytest.mark.slow if train.__name__ in SLOW else ())
        for train in trainings.ALL
    ],
)
def test_what_was_stopped_ends_in_the_same_bits(train, tmp_path, monkeypatch):
    whole = train(silent, monkeypatch)
    folder, told = tmp_path / "kept", []
    with pytest.raises(Stopped), kept_in(folder, "plan", [], every_s=0):
        train(stopping(STOPPED_AT.get(train.__name__, 0.5)), monkeypatch)
    assert list(folder.glob("*.npz"))
    with kept_in(folder, "plan", []):
        again = train(lambda share, news: told.append(news), monkeypatch)
    assert told[0].startswith("training continues after "), told
    assert not told[0].startswith("training continues after 0")
    assert_equal(whole, again)
    assert not folder.exists(), "a training that ended leaves no checkpoint"


def test_a_training_within_one_interval_writes_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    with pytest.raises(Stopped), kept_in(folder, "plan", [], every_s=3600):
        trainings.by_gradient(stopping(0.5), monkeypatch)
    assert not folder.exists()


def counted(n, told=silent, stop=None, **options):
    """A loop that draws n numbers; gives those, and the rounds that it ran."""
    rng, drawn, ran = np.random.default_rng(0), [], []
    old = np.random.Generator(np.random.MT19937(0))  # its state is an array
    for k in Checkpoint(rng, old, drawn, **options).rounds(range(n), told):
        if k == stop:
            raise Stopped
        ran.append(k)
        drawn.append(float(rng.random() + old.random()))
    return drawn, ran


@pytest.fixture
def stopped(tmp_path):
    """The folder of a job that was stopped in round 3 of 5, with one input file."""
    code = tmp_path / "code.py"
    code.write_text("one")
    folder = tmp_path / "kept"
    with pytest.raises(Stopped), kept_in(folder, {"seed": 1}, [code], every_s=0):
        counted(5, stop=3)
    return folder, code


def test_it_goes_on_with_the_round_that_was_broken_off(stopped):
    folder, code = stopped
    told = []
    with kept_in(folder, {"seed": 1}, [code]):
        drawn, ran = counted(5, lambda share, news: told.append((share, news)))
    assert ran == [3, 4] and drawn == counted(5)[0]
    assert told == [(0.6, "training continues after 3 of 5 rounds")]


@pytest.mark.parametrize("changed", ["plan", "code", "package", "damage"])
def test_a_checkpoint_of_anything_else_is_not_used(stopped, changed, monkeypatch):
    folder, code = stopped
    plan = {"seed": 2 if changed == "plan" else 1}
    if changed == "code":
        code.write_text("two")
    if changed == "package":
        monkeypatch.setattr(checkpoint.metadata, "version", lambda name: "0.0")
    if changed == "damage":
        path = folder / "training.npz"
        path.write_bytes(path.read_bytes()[:-30])
    told = []
    with kept_in(folder, plan, [code]):
        drawn, ran = counted(5, lambda share, news: told.append(news))
    assert ran == [0, 1, 2, 3, 4] and drawn == counted(5)[0]
    reason = "damaged" if changed == "damage" else "made with other code, data or parameters"
    assert (
        len(told) == 1
        and told[0].startswith("training starts from the beginning")
        and reason in told[0]
    )


def test_seconds_before_the_stop_count(stopped):
    folder, code = stopped
    assert checkpoint.seconds_before() == (0.0, 0.0)
    with kept_in(folder, {"seed": 1}, [code]):
        counted(5)
        wall, cpu = checkpoint.seconds_before()
    assert wall > 0 and cpu > 0


def test_loops_of_one_job_need_names_of_their_own(tmp_path):
    with kept_in(tmp_path / "kept", "plan", []):
        counted(2)
        counted(2, name="further")
        with pytest.raises(ValueError, match="two trainings of a job have the name 'training'"):
            counted(2)


def test_a_disk_that_refuses_is_told_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    with kept_in(tmp_path / "file" / "kept", "plan", [], every_s=0):
        drawn, _ = counted(2, lambda share, news: told.append(news))
    assert drawn == counted(2)[0]
    assert [news.startswith("the checkpoint could not be written") for news in told] == [True, True]


def test_all_kinds_of_values_survive(tmp_path):
    """JAX arrays, named tuples in tuples, memory order, numbers that JSON would change, rounds."""
    import jax.numpy as jnp
    import optax

    start = {"w": jnp.ones((2, 3), jnp.float32)}
    state = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3)).init(start)
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    values = (fortran, np.float32(0.1), float("nan"), 0.1 + 0.2, None, True, "text")
    with pytest.raises(Stopped), kept_in(tmp_path / "kept", "plan", [], every_s=0):
        now = SimpleNamespace(state=state, values=values)
        for k in Checkpoint(now).rounds(range(2, 6, 2), silent):
            if k == 4:
                raise Stopped
    with kept_in(tmp_path / "kept", "plan", []):
        again = SimpleNamespace(state=state, values=None)
        assert list(Checkpoint(again).rounds(range(2, 6, 2), silent)) == [4]
    assert str(again.state) == str(state), "types, values and kinds of numbers"
    assert again.values[0].flags.f_contiguous and (again.values[0] == fortran).all()
    assert repr(again.values[1:]) == repr(values[1:])


@pytest.mark.parametrize("part", [0.0, (1, 2), "text", None, np.float32(1)])
def test_what_cannot_be_restored_in_place_is_refused(part):
    with pytest.raises(TypeError, match=f"{type(part).__name__} cannot be .* SimpleNamespace"):
        Checkpoint(part)


def test_an_array_of_jax_is_refused():
    import jax.numpy as jnp

    with pytest.raises(TypeError, match="ArrayImpl cannot be restored in place"):
        Checkpoint(jnp.zeros(2))


def test_a_job_that_was_killed_ends_in_the_same_bits(tmp_path):
    """SIGKILL to a job that trains; what it then writes against what an undisturbed one writes."""
    killed = subprocess.Popen(
        [sys.executable, checkpointed_job.__file__, tmp_path / "resumed"],
        stdout=subprocess.PIPE,
        text=True,
    )
    while float(killed.stdout.readline()) < 0.1:
        pass
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    folder, told = tmp_path / "resumed", []
    assert (folder / "kept" / "training.npz").is_file() and not (folder / "network").exists()
    checkpointed_job.run(folder, lambda share, news: told.append(news), every_s=60)
    assert told[0].startswith("training continues after ") and not (folder / "kept").exists()
    checkpointed_job.run(tmp_path / "undisturbed", silent, every_s=60)
    ours, theirs = (tmp_path / name / "network" for name in ("resumed", "undisturbed"))
    assert_equal(network_files.load_network(ours), network_files.load_network(theirs))
    ours, theirs = (load_arrays(path / "outcome.npz") for path in (ours, theirs))
    assert ours.keys() == theirs.keys() and len(ours) > 4
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name
