"""A network trained on any x86-64-v3 processor is the same network, to the last bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.checkouts import ROOT

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
}
"""Small trainings of `made.trainings` that between them use all that computes numbers."""

TRAIN = """
import hashlib, json, sys
from pathlib import Path
import pytest
from whyspiking import arithmetic
arithmetic.settle()
from made import trainings
with pytest.MonkeyPatch.context() as patch:
    for name in sys.argv[2:]:
        arrays = getattr(trainings, name)(lambda *_, **__: None, patch).arrays
        bits = b"".join(arrays[key].tobytes() for key in sorted(arrays))
        print(json.dumps([name, hashlib.sha256(bits).hexdigest()]))
from made.brian_networks import make_model, random_spikes, random_values
from whyspiking.brian import Machine
from whyspiking.contract.types import Stimulus
inputs = Stimulus({"input": random_spikes(0)})
recording = Machine(make_model(), Path(sys.argv[1])).run(inputs, random_values(0))
bits = b"".join(trace.tobytes() for trace in recording.traces.values())
print(json.dumps(["in_brian2", hashlib.sha256(bits).hexdigest()]))
import numpy as np
x = np.random.default_rng(0).random((900, 600))
bits = b"".join(part.tobytes() for part in np.linalg.eigh(x @ x.T))
print(json.dumps(["products", hashlib.sha256(bits).hexdigest()]))
"""

WIDE = {
    "OPENBLAS_CORETYPE": "SkylakeX",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
    "NPY_DISABLE_CPU_FEATURES": "",
    "OMP_NUM_THREADS": "2",
}
"""What libraries choose by themselves, or a user's shell says, on a processor with AVX-512."""
NARROW = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-AVX512ER"
}
"""Has the C library see a processor without AVX-512."""


def _trained(builds: Path, **environment: str) -> dict[str, str]:
    paths = os.pathsep.join(map(str, (ROOT / "workflow", ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(builds), *list(ENGINES)[:-2]],
        env={**os.environ, **environment, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


def test_every_engine_gives_the_same_bits_at_both_widths(builds):
    wide, narrow = _trained(builds, **WIDE), _trained(builds, **NARROW)
    assert set(wide) == set(ENGINES)
    assert {ENGINES[name] for name in ENGINES if wide[name] != narrow[name]} == set()


def test_flags_of_the_user_stay_beside_ours(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x --xla_cpu_max_isa=AVX512")
    monkeypatch.setenv(arithmetic.VARIABLE, "avx2")
    flags = arithmetic.settings()["XLA_FLAGS"].split()
    assert "--xla_dump_to=x" in flags and "--xla_cpu_max_isa=AVX2" in flags
    assert "--xla_cpu_max_isa=AVX512" not in flags


def test_native_restricts_nothing_and_names_the_processor(monkeypatch):
    monkeypatch.setenv(arithmetic.VARIABLE, "native")
    assert arithmetic.compiler_flag() == "-march=native"
    assert "OPENBLAS_CORETYPE" not in arithmetic.settings()
    assert arithmetic.processor() in arithmetic.target()


def test_what_comes_too_late_or_is_unknown_is_refused(monkeypatch):
    assert np.__version__  # loaded
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    with pytest.raises(RuntimeError, match="before OPENBLAS_CORETYPE"):
        arithmetic.settle()
    monkeypatch.setenv(arithmetic.VARIABLE, "mmx")
    with pytest.raises(UserError, match="'mmx' is not known; one of baseline, avx2, native"):
        arithmetic.vectors()
