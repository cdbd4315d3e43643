"""Turn a `BrianModel` into a program: Brian2's C++ standalone code plus `program.cpp`.

Input spikes, connections, the number of trials and the random seed come from files and words of the
command line, so that no other spikes, weights or wiring need a second build.
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking import arithmetic
from whyspiking.brian import assembling, preferences
from whyspiking.brian.assembling import assemble, steps_per_trial, synapses_of, whole_steps
from whyspiking.compiler import programs, toolchain
from whyspiking.contract.brian_model import BrianModel
from whyspiking.errors import UserError

CODE = Path(__file__).with_name("program.cpp")

WRITING = re.compile(
    r"    ofstream (?P<stream>\w+);\n"
    r'    (?P=stream)\.open\(results_dir \+ "(?P<file>\w+(\.txt)?)"'
    r".*?\n    }\s*else\s*{.*?\n    }\n",
    re.DOTALL,
)
"""The lines of the generated objects.cpp that write one file."""


def digest(model: BrianModel) -> str:
    """Hash of everything that determines the program: the description, and what makes it one."""
    sources = (__file__, assembling.__file__, preferences.__file__, programs.__file__, CODE)
    parts = {
        "model": _described(model),
        # The version decides the defaults of all preferences that are not named.
        "brian2": importlib.metadata.version("brian2"),
        "preferences": preferences.STANDALONE,
        "compiler": [*toolchain.compiler(), *programs.FLAGS, arithmetic.target()],
        "builder": [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in sources],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _described(value: Any) -> Any:
    """JSON form of a description, every field of it."""
    if dataclasses.is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"is": type(value).__name__, **{k: _described(v) for k, v in own.items()}}
    if isinstance(value, Mapping):
        return {str(key): _described(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return [value.dtype.str, list(value.shape), digest]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_described(entry) for entry in value]
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value


def build(model: BrianModel, project: Path, shared: Path) -> dict[str, Any]:
    """Generate and compile the program of a model.

    Args:
        model: The network.
        project: Folder for code and program; must not exist.
        shared: Folder for the precompiled headers, which all builds share.

    Returns:
        The manifest: everything that running the program needs to know, JSON-able.

    Raises:
        UserError: If the compiler is missing, or if Brian2 or the compiler reject the model.
    """
    clock = _Stopwatch()
    header = programs.precompiled_headers(shared)
    clock.lap("headers")
    # Deprecations inside Brian2 and its parsers are no news to the user of this package.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        manifest = _build(model, project, header, clock)
    manifest["n_synapses"] = _count_synapses(project)
    return manifest | {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds}


def _build(model: BrianModel, project: Path, header: Path, clock: _Stopwatch) -> dict[str, Any]:
    import brian2
    from brian2.devices.device import get_device

    clock.lap("import")
    before = dict(brian2.prefs)
    preferences.set_preferences(preferences.STANDALONE)
    brian2.set_device("cpp_standalone", build_on_run=False)
    device: Any = get_device()
    device.reinit()
    device.activate(build_on_run=False)
    project.mkdir(parents=True)
    try:
        try:
            network, parts = assemble(model)
            _insert_code(model, device, network, parts)
            duration = model.max_trials * steps_per_trial(model) * model.dt_ms * brian2.ms
            network.run(duration, namespace={})
            shutil.copy(CODE, project / CODE.name)
            device.headers.append(f'"{CODE.name}"')
            manifest = _manifest(model, device, parts)
            # The makefile that Brian2 writes beside the code is not used.
            device.build(directory=str(project), compile=False, run=False)
            _mend(project, model.dt_ms / 1e3, _results(manifest))
            programs.unite(project)
        except (UserError, OSError):
            raise
        except Exception as error:
            # Brian2 names the object, and keeps what is wrong with it in the cause.
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            where = "" if cause is error else f"{str(error).partition(chr(10))[0]} "
            raise UserError(
                f"Brian2 model '{model.name}': Brian2 rejects it ({where}{type(cause).__name__}: "
                f"{cause}). Correct the equations in the talk's model"
            ) from error
        clock.lap("generate")
        programs.build(project, model.name, header)
        clock.lap("compile")
        return manifest
    finally:
        device.reinit()
        brian2.set_device("runtime")
        brian2.prefs.update(before)


def _insert_code(model: BrianModel, device: Any, network: Any, parts: Mapping[str, Any]) -> None:
    """Add to the program's main function what `program.cpp` provides."""
    # Dead networks give their names back now, not between here and the run.
    gc.collect()
    device.insert_code("before_start", "whyspiking::take_words(args);")
    device.insert_code("main", "\n".join(_links_code(device, parts)))
    device.apply_run_args()
    before = _inputs_code(model, device, network, parts) + _forgetting_code(network, parts)
    device.insert_code("before_network_run", "\n".join(before))


def _vector(device: Any, variable: Any) -> str:
    """Name of the dynamic array behind a variable."""
    return device.get_array_name(variable, access_data=False)


def _links_code(device: Any, parts: Mapping[str, Any]) -> list[str]:
    """Seed and connections, and what tells the number of synapses and ends."""
    # Connections: after Brian2's own have been created, before values and spike queues are set.
    main: list[str] = ['_random_generators[0].seed(std::stoul(whyspiking::word("random:seed")));']
    describe: list[str] = []
    for name, synapses in synapses_of(parts).items():
        v = synapses.variables
        pre, post, outgoing, incoming = (
            _vector(device, v[key])
            for key in ("_synaptic_pre", "_synaptic_post", "N_outgoing", "N_incoming")
        )
        number = device.get_array_name(v["N"])
        owned = synapses._registered_variables
        others = sorted({_vector(device, variable) for variable in owned} - {pre, post})
        main.append(
            f'if (whyspiking::given("links:{name}")) {{\n'
            f'    whyspiking::load_links("{name}", {len(synapses.source)}, {len(synapses.target)},'
            f" {synapses.source.start}, {synapses.target.start},\n"
            f"        {pre}, {post}, {outgoing}, {incoming}, {number});\n"
            + "".join(f"    {other}.assign({pre}.size(), 0);\n" for other in others)
            + "}"
        )
        describe.append(f'sizes << "{name} " << {pre}.size() << std::endl;')
    return [
        *main,
        'if (whyspiking::given("describe:file")) {',
        '    std::ofstream sizes(whyspiking::word("describe:file").c_str());',
        *(f"    {line}" for line in describe),
        "    std::exit(0);",
        "}",
    ]


def _inputs_code(
    model: BrianModel, device: Any, network: Any, parts: Mapping[str, Any]
) -> list[str]:
    """Input spikes, and what the first object of every step does."""
    # Input spikes: Brian2 sets its own (empty) time bins in the line before this one.
    steps = steps_per_trial(model)
    before = ["static std::vector<double> no_lags;"]
    deliver = []
    queues = [
        f"whyspiking::clear_queue({pathway.name});"
        for synapses in synapses_of(parts).values()
        for pathway in sorted(synapses._pathways, key=lambda pathway: pathway.name)
    ]
    for name, generator in parts["inputs"].items():
        bins = _vector(device, generator.variables["_timebins"])
        channels = _vector(device, generator.variables["neuron_index"])
        lags = "no_lags"
        if model.sub_step:
            lags, position = f"lags_of_{name}", f"position_in_{name}"
            before.append(f"static std::vector<double> {lags}; static std::size_t {position} = 0;")
            target = device.get_array_name(generator.variables["lag"])
            deliver.append(
                f"whyspiking::deliver_lags(step, {position}, {bins}, {channels}, {lags}, {target});"
            )
        before.append(
            f'whyspiking::load_events("{name}", {len(generator)}, '
            f"{'true' if model.sub_step else 'false'}, {bins}, {channels}, {lags});"
        )
    # The first object of every step: trial borders, end of the last trial, lags of input spikes.
    return [
        *before,
        'static const int64_t n_trials = std::stol(whyspiking::word("trials:count"));',
        f"static const int64_t last_step = n_trials * {steps} - 1;",
        f"{network.name}.objects.insert({network.name}.objects.begin(), "
        "std::pair<BaseClock*, codeobj_func>(&defaultclock, []() {",
        "    const int64_t step = defaultclock.timestep[0];",
        f"    if (step % {steps} == 0) {{",
        *(f"        {line}" for line in queues),
        "    }",
        "    if (step >= last_step) Network::_globally_stopped = true;",
        "    whyspiking::tell(step, last_step);",
        *(f"    {line}" for line in deliver),
        "}));",
    ]


def _forgetting_code(network: Any, parts: Mapping[str, Any]) -> list[str]:
    """A run that does not ask for spikes does not pay for them."""
    from brian2.core.names import find_name

    before = ['if (whyspiking::given("spikes:none")) {']
    for monitor in parts["spike_monitors"].values():
        # As Brian2 will name it: with a number where an earlier network of the process still lives.
        run = f"_run_{find_name(f'{monitor.name}_codeobject*')}"
        before.append(f"    whyspiking::forget({network.name}.objects, &{run});")
    return [*before, "}"]


def _final_variables(model: BrianModel, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Brian2's variables behind `record_final`, by name.

    Raises:
        UserError: If one does not exist.
    """
    found = {}
    for key in model.record_final:
        owner, _, name = key.partition(".")
        variables = parts["objects"][owner].variables if owner in parts["objects"] else {}
        if name not in variables:
            raise UserError(
                f"Brian2 model '{model.name}': record_final names '{key}', which is not a "
                "variable of any of its objects. Correct the name"
            )
        found[key] = variables[name]
    return found


def _mend(project: Path, dt_s: float, results: set[str]) -> None:
    """Change what the generated code does between steps and at the end.

    Clocks of different period are taken to meet when their times agree within some seconds.
    Brian2's 1e-14 s is less than the spacing of doubles beyond 64 s: trials would begin, and traces
    be sampled, out of step.

    Of a hundred files that a program writes at its end, only `results` are read.
    """
    path = project / "network.cpp"
    code = path.read_text()
    narrow = "#define Clock_epsilon 1e-14"
    if code.count(narrow) != 1:
        raise _changed("file network.cpp does not contain the expected clock tolerance")
    path.write_text(code.replace(narrow, f"#define Clock_epsilon {dt_s / 1e3!r}"))

    path = project / "objects.cpp"
    code = path.read_text()
    written = set()

    def kept(block: re.Match[str]) -> str:
        written.add(block["file"])
        return block[0] if block["file"] in results else ""

    path.write_text(WRITING.sub(kept, code))
    if not results < written:
        raise _changed("file objects.cpp writes its results in an unexpected way")


def _changed(what: str) -> UserError:
    return UserError(
        f"Brian2: the generated {what}. Install the version of Brian2 that requirements.txt names"
    )


def _manifest(model: BrianModel, device: Any, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Names, types and sizes of all that goes into and comes out of the program."""

    def result(variable: Any) -> dict[str, str]:
        return {"file": device.get_array_filename(variable), "dtype": np.dtype(variable.dtype).str}

    synapses = synapses_of(parts)
    per_synapse = {
        variable for item in synapses.values() for variable in item._registered_variables
    }
    variables = {}
    for name, owner in parts["objects"].items():
        own = dict(owner.variables)
        if name in synapses and len(owner._pathways) == 1:
            own["delay"] = next(iter(owner._pathways)).variables["delay"]
        for key, variable in own.items():
            if variable not in device.arrays or variable.owner.name != name:
                continue
            if variable.read_only or key.startswith("_"):
                continue
            variables[f"{name}.{key}"] = {
                "word": f"{name}.{variable.name}",  # a delay has a name of its own from 2.11 on
                "dtype": np.dtype(variable.dtype).str,
                "size": None if variable in per_synapse else int(variable.size),
            }
    return {
        "inputs": {name: len(item) for name, item in parts["inputs"].items()},
        "populations": {
            name: {
                "size": len(parts["objects"][name.partition(".")[0]]),
                "unit": result(monitor.variables["i"]),
                "time": result(monitor.variables["t"]),
                "lag": (
                    result(monitor.variables[model.lag_variable[name]])
                    if name in model.lag_variable
                    else None
                ),
            }
            for name, monitor in parts["spike_monitors"].items()
        },
        "traces": {
            name: {
                "every": whole_steps(model, model.record_traces[name][2], name),
                **result(monitor.variables[model.record_traces[name][1]]),
            }
            for name, monitor in parts["trace_monitors"].items()
        },
        "final": {key: result(v) for key, v in _final_variables(model, parts).items()},
        "variables": variables,
        "synapses": {name: [len(item.source), len(item.target)] for name, item in synapses.items()},
        "arrays": {
            array.name: {
                "shape": list(array.values.shape),
                "dtype": np.dtype(array.values.dtype).str,
                "dt_ms": float(array.dt) * 1e3,
            }
            for array in device.timed_arrays
        },
    }


def _results(manifest: Mapping[str, Any]) -> set[str]:
    """The files that `Exchange` reads after a run."""
    entries = [*manifest["traces"].values(), *manifest["final"].values()]
    for population in manifest["populations"].values():
        entries += [population[key] for key in ("unit", "time", "lag") if population[key]]
    return {entry["file"] for entry in entries}


def _count_synapses(project: Path) -> dict[str, int]:
    """Ask the finished program how many synapses its own connections have."""
    path = (project / "sizes.txt").resolve()
    programs.run_program(project, ["random:seed=0", f"describe:file={path}"])
    pairs = (line.split() for line in path.read_text().splitlines())
    return {name: int(size) for name, size in pairs}


class _Stopwatch:
    """Wall-clock and CPU seconds (of this process and its finished children) by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self._wall, self._cpu = self._now()

    def lap(self, phase: str) -> None:
        wall, cpu = self._now()
        self.seconds[phase], self.cpu_seconds[phase] = wall - self._wall, cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    @staticmethod
    def _now() -> tuple[float, float]:
        times = os.times()
        cpu = times.user + times.system + times.children_user + times.children_system
        return time.monotonic(), cpu
