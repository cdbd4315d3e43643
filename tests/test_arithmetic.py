"""A network trained on any x86-64-v3 processor is the same network, to the last bit."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made.checkouts import ROOT, copy_workflow

from whyspiking import arithmetic
from whyspiking.errors import UserError

ENGINES = {
    "by_gradient": "XLA",
    "of_a_gru": "XLA, a loop over time",
    "of_first_spikes": "kernels of first spikes",
    "online_with_means": "kernels of S4NN",
    "by_eprop": "kernels of e-prop",
    "of_ensembles": "kernels of two-compartment neurons",
    "by_bursts": "numpy with OpenBLAS",
    "in_brian2": "Brian2's programs",
    "products": "large products, which OpenBLAS cuts by the size of the cache",
    "xla_products": "XLA's products, which it cuts by the number of cores",
}
"""Small trainings of `made.trainings` that between them use all that computes numbers."""

TRAIN = """
import hashlib, json, sys
from pathlib import Path
import pytest
from whyspiking import arithmetic
arithmetic.set_variables()
from made import trainings
print(json.dumps(["caches", arithmetic.caches()]))
with pytest.MonkeyPatch.context() as patch:
    for name in sys.argv[3:]:
        arrays = getattr(trainings, name)(lambda *_, **__: None, patch).arrays
        bits = b"".join(arrays[key].tobytes() for key in sorted(arrays))
        print(json.dumps([name, hashlib.sha256(bits).hexdigest()]))
from made.brian_networks import make_model, random_spikes, random_values
from whyspiking.brian import Machine
from whyspiking.contract.types import Stimulus
inputs = Stimulus({"input": random_spikes(0)})
recording = Machine(make_model(), Path(sys.argv[2])).run(inputs, random_values(0))
bits = b"".join(trace.tobytes() for trace in recording.traces.values())
print(json.dumps(["in_brian2", hashlib.sha256(bits).hexdigest()]))
import numpy as np
x = np.random.default_rng(0).random((900, 600))
bits = b"".join(part.tobytes() for part in np.linalg.eigh(x @ x.T))
print(json.dumps(["products", hashlib.sha256(bits).hexdigest()]))
import jax
from whyspiking.training.products import over_rows
bits = b"".join(
    jax.numpy.asarray(jax.jit(over_rows)(*x.reshape(2, terms, -1))).tobytes()
    for terms, x in ((50, x[:100]), (1000, x[:500].reshape(2000, -1)))
    for x in (np.float32(x),)
)
print(json.dumps(["xla_products", hashlib.sha256(bits).hexdigest()]))
if sys.argv[1] == "wide":
    from made import gradients
    for name, of in gradients.ALL.items():
        bits = b"".join(np.asarray(array).tobytes() for array in jax.tree.leaves(of()))
        print(json.dumps([name, hashlib.sha256(bits).hexdigest()]))
"""

WIDE = {
    "OPENBLAS_CORETYPE": "SkylakeX",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX512 --xla_force_host_platform_device_count=4",
    "NPY_DISABLE_CPU_FEATURES": "",
    "OMP_NUM_THREADS": "2",
    "PJRT_NPROC": "8",
    "JAX_ENABLE_X64": "1",
    "JAX_RANDOM_SEED_OFFSET": "1",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
}
"""What libraries choose by themselves, or a user's shell says, on a processor with AVX-512."""
NARROW = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-AVX512ER",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "PJRT_NPROC": "1",
}
"""Has libraries see a processor with one core, and without AVX-512 or even AVX."""


def _trained(
    builds: Path, rows: str = "few", python: Sequence[str] = (sys.executable,), **environment: str
) -> dict[str, str]:
    paths = os.pathsep.join(map(str, (ROOT / "workflow", ROOT / "tests")))
    # What another run has compiled would hide that this one compiles otherwise.
    own = {**environment, "JAX_ENABLE_COMPILATION_CACHE": "0", "PYTHONPATH": paths}
    done = subprocess.run(
        [*python, "-c", TRAIN, rows, str(builds), *list(ENGINES)[:-3]],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


def test_every_engine_gives_the_same_bits_at_both_widths(tmp_path):
    wide, narrow = _trained(tmp_path, **WIDE), _trained(tmp_path, **NARROW)
    assert set(wide) == {*ENGINES, "caches"}
    assert {ENGINES[name] for name in ENGINES if wide[name] != narrow[name]} == set()


EMULATED = {
    "valgrind": ("32 KB, 256 KB", ["valgrind", "-q", "--tool=none", sys.executable]),
    "qemu-x86_64": (
        "64 KB, 512 KB",
        ["qemu-x86_64", "-0", sys.executable, "-cpu", "max", os.path.realpath(sys.executable)],
    ),
}
"""What makes a program see another processor -> its caches, and Python on it."""
OF_80_BITS = {"valgrind": {"products"}}
"""valgrind computes in 64 bits what the x87 has 80 for, and LAPACK's rotations need."""


@pytest.mark.slow
@pytest.mark.parametrize("emulator", EMULATED)
def test_every_engine_and_every_gradient_of_jax_gives_the_same_bits_whatever_the_caches(
    emulator, tmp_path
):
    """Sums are long enough for Eigen to cut them: before `training.products` 15 of 17 differed."""
    from made import gradients

    caches, python = EMULATED[emulator]
    if shutil.which(emulator) is None:
        pytest.skip(f"no {emulator} here, which has programs see caches of {caches}")
    here, there = _trained(tmp_path, "wide"), _trained(tmp_path, "wide", python)
    assert set(here) == {"caches", *ENGINES, *gradients.ALL}
    assert there.pop("caches") == caches
    differ = {name for name, bits in there.items() if bits != here[name]}
    assert differ == OF_80_BITS.get(emulator, set())


def test_a_manifest_names_the_caches(monkeypatch):
    sizes = {188: 48 * 1024, 191: 1024 * 1024}
    monkeypatch.setattr(arithmetic.os, "sysconf", sizes.__getitem__)
    monkeypatch.setattr(arithmetic.platform, "libc_ver", lambda: ("glibc", "2.41"))
    assert arithmetic.described()["caches"] == "48 KB, 1024 KB"
    monkeypatch.setattr(arithmetic.platform, "libc_ver", lambda: ("", ""))
    assert arithmetic.described()["caches"] == "?"


REFUSES = {
    "jax_allow_f16_reductions", "jax_check_static_indices", "jax_debug_key_reuse",
    "jax_mutable_array_checks", "jax_no_execution", "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion", "jax_pallas_enable_debug_checks", "jax_raise_on_ppermute_sort_diff",
}  # fmt: skip
ELSEWHERE = {
    "check_vma", "jax_auto_pcast", "jax_default_device", "jax_enable_pgle",
    "jax_hlo_source_file_canonicalization_regex", "jax_pgle_profiling_runs",
    "jax_remove_size_one_mesh_axis_from_type", "jax_threefry_gpu_kernel_lowering",
    "jax_use_emit_pipeline_primitive", "jax_use_hlo_logistic_lowering",
    "jax_use_shardy_partitioner", "jax_xla_profile_version",
}  # fmt: skip
"""Flags of JAX that stop a job, and those of GPUs, TPUs, several devices and texts."""
FLAGS_OF_JAX = """
import json, jax
from jax._src import config
flags = {name: str(holder.value) for name, holder in jax.config._value_holders.items()}
print(json.dumps([flags, list(config.trace_context_names())]))
"""


def test_a_flag_of_jax_that_may_decide_numbers_is_held_at_its_default_and_in_the_manifest():
    """All by which it traces: a flag of a new version is held, or named above with its reason."""
    clean = {k: v for k, v in os.environ.items() if k not in arithmetic.JAX}
    (told, traced), (held, _) = (
        json.loads(subprocess.check_output([sys.executable, "-c", FLAGS_OF_JAX], env=env))
        for env in (clean, {**clean, **arithmetic.JAX})
    )
    names = {name.lower() for name in arithmetic.JAX}
    assert {k for k in told if told[k] != held[k]} == {"jax_default_matmul_precision"}  # None
    assert held["jax_default_matmul_precision"] == "default"
    assert set(traced) & set(told) - names == REFUSES | ELSEWHERE
    assert arithmetic.described().items() >= {**arithmetic.JAX, "JAX_PLATFORMS": "cpu"}.items()


def test_xla_says_that_it_heeds_every_flag_whatever_the_user_wrote(tmp_path):
    compute = (
        "arithmetic.set_variables(); import jax; print(jax.jit(jax.numpy.sum)(jax.numpy.ones(3)))"
    )
    subprocess.run(
        [sys.executable, "-c", f"from whyspiking import arithmetic; {compute}"],
        env={
            **os.environ,
            arithmetic.VARIABLE: "avx2",
            "PYTHONPATH": str(ROOT / "workflow"),
            "XLA_FLAGS": f"--xla_dump_to={tmp_path} --xla_cpu_max_isa=AVX512",
        },
        check=True,
        capture_output=True,
    )
    heeded = next(tmp_path.glob("*.debug_options")).read_text()
    assert 'xla_cpu_max_isa: "AVX2"' in heeded
    assert "xla_cpu_enable_platform_dependent_math: false" in heeded
    assert "xla_cpu_multi_thread_eigen: false" in heeded


@pytest.fixture
def other(monkeypatch):
    """Makes this processor another: (kind, instructions)."""

    def become(machine, instructions):
        monkeypatch.delenv(arithmetic.VARIABLE, raising=False)
        monkeypatch.setattr(arithmetic.platform, "machine", lambda: machine)
        monkeypatch.setattr(arithmetic, "processor", lambda: f"flags : {instructions}")

    return become


OLD = "ssse3 sse4_1 sse4_2 popcnt"
NEW = f"{OLD} avx avx2 fma bmi1 bmi2 f16c movbe abm"


@pytest.mark.parametrize(
    ("machine", "instructions", "found"),
    [
        ("x86_64", NEW, "avx2"),
        ("x86_64", NEW.replace("bmi2 ", ""), "baseline"),
        ("x86_64", OLD, "baseline"),
        ("x86_64", "sse2", "native"),
        ("aarch64", "asimd", "native"),
    ],
)
def test_every_processor_gets_flags_that_it_has_and_one_line_where_digits_may_differ(
    machine, instructions, found, other, monkeypatch
):
    other(machine, instructions)
    assert arithmetic.vectors() == found
    assert arithmetic.compiler_flag() == f"-march={arithmetic.MARCH[found]}"
    if found == "native":
        others = {*arithmetic.JAX, "XLA_FLAGS", "JAX_PLATFORMS"}
        assert set(arithmetic.settings()) == {*arithmetic.ONE_THREAD, *others}
    line = arithmetic.warning()
    assert bool(line) == (found != "avx2")
    if line:
        assert f"'{found}'" in line and "may differ" in line and "\n" not in line
        monkeypatch.setenv(arithmetic.VARIABLE, "avx2")
        with pytest.raises(UserError, match=f"'avx2' is not possible.*{machine}.*native"):
            arithmetic.vectors()


def test_a_run_without_avx2_says_so_once_and_goes_on(tmp_path):
    """The `Snakefile` itself, to its plan of jobs, on a processor that is said to be old."""
    copy_workflow(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        "from whyspiking import arithmetic\narithmetic.processor = lambda: 'flags : sse4_2'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "goeltz", "-n", "-q"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{tmp_path / 'workflow'}"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("has no AVX2") == 1


def test_flags_of_the_user_stay_beside_ours(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x --xla_cpu_max_isa=AVX512")
    monkeypatch.setenv(arithmetic.VARIABLE, "avx2")
    flags = arithmetic.settings()["XLA_FLAGS"].split()
    assert "--xla_dump_to=x" in flags and "--xla_cpu_max_isa=AVX2" in flags
    assert "--xla_cpu_max_isa=AVX512" not in flags


@pytest.mark.parametrize(
    "flag",
    ["--xla_cpu_enable_fast_math=true", "--xla_backend_optimization_level=0", "flags.txt"],
)
def test_a_flag_that_may_change_numbers_stops_a_job_and_names_itself(flag, monkeypatch, tmp_path):
    monkeypatch.setenv("XLA_FLAGS", f"--xla_dump_to=x {flag}")
    told = f"XLA_FLAGS: '{flag.partition('=')[0]}' may change"
    with pytest.raises(UserError, match=rf"{told}.*begin with --xla_dump_, .*unset XLA_FLAGS"):
        arithmetic.set_for_children()
    assert os.environ["XLA_FLAGS"] == f"--xla_dump_to=x {flag}"
    job = "from whyspiking.running.jobs import job\nwith job('log', 'a job'): print('trained')"
    done = subprocess.run(
        [sys.executable, "-c", job],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    text = done.stderr + (tmp_path / "log").read_text()
    assert told in text and "trained" not in text


def test_native_restricts_nothing_and_names_the_processor(monkeypatch):
    monkeypatch.setenv(arithmetic.VARIABLE, "native")
    assert arithmetic.compiler_flag() == "-march=native"
    assert "OPENBLAS_CORETYPE" not in arithmetic.settings()
    assert arithmetic.processor() in arithmetic.target()


def test_what_comes_too_late_or_is_unknown_is_refused(monkeypatch):
    assert np.__version__  # loaded
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    with pytest.raises(RuntimeError, match="before OPENBLAS_CORETYPE"):
        arithmetic.set_variables()
    monkeypatch.setenv(arithmetic.VARIABLE, "mmx")
    with pytest.raises(
        UserError, match="'mmx' is not known; expected one of baseline, avx2, native"
    ):
        arithmetic.vectors()
