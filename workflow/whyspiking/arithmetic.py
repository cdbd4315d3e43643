"""One arithmetic: whatever decides numbers uses the same instructions on every x86-64 processor.

Libraries and compilers look at the processor and take the widest vectors that it has. Wider ones
sum in another order, and other instructions round once where two would round twice: then a network
that is trained on another machine is another network. So all of them are held to AVX2 with FMA
(the level x86-64-v3), on one thread, unless $WHYSPIKING_VECTORS says `native` or the processor has
no AVX2. `docs/running.md` says what is equal where, and why.

`set_variables` must be called before numpy, scipy or JAX are imported; the workflow calls
`set_for_children` for its jobs. Nothing else in the package sets a flag or a variable that numbers
depend on.
"""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError

VARIABLE = "WHYSPIKING_VECTORS"

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "PJRT_NPROC": "1",
}
"""One job is one thread: the workflow runs as many jobs as there are cores.

The last is XLA's: it cuts products into as many parts as there are cores, whatever its flag says.
"""
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
"""XLA stops reading at the first word that is no flag, so nothing else may stand here."""
XLA_ONE_ORDER = "--xla_cpu_enable_platform_dependent_math=false"
"""Else YNNPACK, which makes most of XLA's products, follows the processor, not `max_isa`."""
XLA_OF_THE_PROJECT = (
    "--xla_cpu_max_isa",
    XLA_ONE_THREAD.partition("=")[0],
    XLA_ONE_ORDER.partition("=")[0],
)
"""Flags of XLA that this project sets; a value that the user's shell gives them is replaced."""
XLA_WITHOUT_EFFECT_ON_NUMBERS = (
    "--xla_dump_",
    "--xla_force_host_platform_device_count",
    "--xla_gpu_cuda_data_dir",
)
"""How flags of XLA begin that a user's shell may set: no number of a network depends on them."""
JAX = {
    "JAX_ENABLE_X64": "0",
    "JAX_RANDOM_SEED_OFFSET": "0",
    "JAX_ENABLE_CUSTOM_PRNG": "0",
    "JAX_HIGH_DYNAMIC_RANGE_GUMBEL": "0",
    "JAX_ACCURATE_ERF_INV": "0",
    "JAX_SOFTMAX_CUSTOM_JVP": "0",
    "JAX_SCAN3": "0",
    "JAX_REMAT3": "0",
    "JAX_CUSTOM_VJP3": "0",
    "JAX_CUSTOM_JVP3": "0",
    "JAX_REMAT_BARRIER_NO_COTANGENTS": "0",
    "JAX_USE_SIMPLIFIED_JAXPR_CONSTANTS": "0",
    "EAGER_CONSTANT_FOLDING": "0",
    "JAX_DISABLE_JIT": "0",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "0",
    "JAX_USE_DIRECT_LINEARIZE": "1",
    "JAX_THREEFRY_PARTITIONABLE": "1",
    "JAX_COMPILER_ENABLE_REMAT_PASS": "1",
    "JAX_DEFAULT_PRNG_IMPL": "threefry2x32",
    "JAX_DEFAULT_MATMUL_PRECISION": "default",
    "JAX_EXPLICIT_X64_DTYPES": "warn",
    "JAX_EMBEDDED_CONSTANTS_MAX_BYTES": "32",
    "JAX_OPTIMIZATION_LEVEL": "UNKNOWN",
    "JAX_MEMORY_FITTING_LEVEL": "O2",
    "JAX_NUM_CPU_DEVICES": "-1",
    "JAX_ERROR_CHECKING_BEHAVIOR_NAN": "ignore",
    "JAX_ERROR_CHECKING_BEHAVIOR_DIVIDE": "ignore",
    "JAX_ERROR_CHECKING_BEHAVIOR_OOB": "ignore",
}
"""Flags of JAX that choose types, random numbers, gradients or how it compiles, at its defaults.

Of products that is None, which no variable can say, and which `default` compiles to. Not here:
flags that stop a job or print, and those of GPUs, TPUs and several devices.
"""

MARCH = {"baseline": "x86-64-v2", "avx2": "x86-64-v3", "native": "native"}
"""Choices of $WHYSPIKING_VECTORS -> `-march` of all that is compiled here; the default is avx2."""
NEEDS = {
    "baseline": {"ssse3", "sse4_1", "sse4_2", "popcnt"},
    "avx2": {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"},
}
"""What a processor must have for them, by Linux' names."""
LIBRARIES = {
    "baseline": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Nehalem",
        "XLA_FLAGS": f"--xla_cpu_max_isa=SSE4_2 {XLA_ONE_ORDER}",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "avx2": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Haswell",
        "OPENBLAS_L2_SIZE": "512",
        "XLA_FLAGS": f"--xla_cpu_max_isa=AVX2 {XLA_ONE_ORDER}",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "native": {},
}
"""The same for libraries that choose their instructions when they are loaded.

OpenBLAS cuts products into blocks by the size of the second cache (in KB), so the order of its sums
follows it; and its Haswell kernel overruns its stack where that is 1 MB (0.3.x, seen on AMD Zen 4).
oneDNN makes those products of XLA that YNNPACK does not.
"""

DATA_CACHES: Any = (188, 191)
"""Of `sysconf` of glibc: numbers that Python has no names for."""


def able() -> list[str]:
    """Keys of `MARCH` that this processor can run, the preferred first; on ARM native alone."""
    return [*(name for name in ("avx2", "baseline") if _has_instructions(name)), "native"]


def vectors() -> str:
    """The key of `MARCH` in force: $WHYSPIKING_VECTORS, else the first of `able`.

    Raises:
        UserError: If the variable says anything else, or what the processor lacks.
    """
    level = os.environ.get(VARIABLE) or able()[0]
    if level not in MARCH:
        raise UserError(
            f"{VARIABLE}: '{level}' is not known; expected one of {', '.join(MARCH)}. Correct it"
        )
    if level not in able():
        raise UserError(
            f"{VARIABLE}: '{level}' is not possible, because this processor "
            f"({platform.machine()}) lacks these instructions; expected one of "
            f"{', '.join(able())}. Correct it"
        )
    return level


def warning() -> str:
    """One line for a processor without AVX2; empty elsewhere."""
    if "avx2" in able():
        return ""
    return (
        f"this processor ({platform.machine()}) has no AVX2, so the run uses the SIMD level "
        f"'{vectors()}'. Rounding, and therefore networks, may differ from those of other "
        "machines (docs/running.md)"
    )


def compiler_flag() -> str:
    """The flag by which C++ is compiled for the instructions in force."""
    return f"-march={MARCH[vectors()]}"


def target() -> str:
    """What a compiled file depends on beside its sources; code for `native` fits one processor."""
    return f"{compiler_flag()} {processor() if vectors() == 'native' else platform.machine()}"


def set_variables() -> None:
    """Set the variables by which libraries choose instructions and threads, whatever they were.

    Raises:
        RuntimeError: If numpy is loaded already and they would change.
    """
    changed = [name for name, value in settings().items() if os.environ.get(name) != value]
    if changed and "numpy" in sys.modules:
        raise RuntimeError(f"numpy was loaded before {', '.join(changed)} could be set")
    set_for_children()


def set_for_children() -> None:
    """Set the same variables for the programs that this process starts; it computes nothing."""
    os.environ.update(settings())


def settings() -> dict[str, str]:
    """The variables to set; harmless flags of XLA that the user's shell sets stay, a GPU stays.

    Raises:
        UserError: If $XLA_FLAGS has a flag that may change numbers, or $WHYSPIKING_VECTORS is not
            possible.
    """
    library_settings = dict(LIBRARIES[vectors()])
    harmless_flags = []
    for flag in os.environ.get("XLA_FLAGS", "").split():
        name = flag.partition("=")[0]
        if name.startswith(XLA_WITHOUT_EFFECT_ON_NUMBERS):
            harmless_flags.append(flag)
        elif name not in XLA_OF_THE_PROJECT:
            raise UserError(
                f"XLA_FLAGS: '{name}' may change the numbers of networks; expected only flags that "
                f"begin with {', '.join(XLA_WITHOUT_EFFECT_ON_NUMBERS)}. Remove it (unset "
                "XLA_FLAGS), and start again."
            )
    project_flags = f"{XLA_ONE_THREAD} {library_settings.get('XLA_FLAGS', '')}".split()
    return {
        **ONE_THREAD,
        **JAX,
        **library_settings,
        "XLA_FLAGS": " ".join([*project_flags, *harmless_flags]),
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
    }


def described() -> dict[str, str]:
    """All of it, for a manifest."""
    libc = " ".join(platform.libc_ver())
    return {
        "vectors": vectors(),
        "march": MARCH[vectors()],
        "libc": libc,
        "caches": caches(),
        **settings(),
    }


def caches() -> str:
    """Sizes of the first and second data cache as the processor tells them; "?" without glibc."""
    numbers = DATA_CACHES if platform.libc_ver()[0] == "glibc" else ()
    return ", ".join(f"{os.sysconf(number) // 1024} KB" for number in numbers) or "?"


@cache
def processor() -> str:
    """The kind of this machine's processor and all instructions that it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    field_names = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(field_names)}))


def _has_instructions(name: str) -> bool:
    x86 = platform.machine() in ("x86_64", "AMD64")
    return x86 and NEEDS[name] <= set(processor().split())
