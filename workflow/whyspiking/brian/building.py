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
    """Hash everything that determines the program: the description, Brian2, compiler, builder."""
    sources = (__file__, assembling.__file__, preferences.__file__, programs.__file__, CODE)
    inputs = {
        "model": _describe_value(model),
        # The version decides the defaults of all preferences that are not named.
        "brian2": importlib.metadata.version("brian2"),
        "preferences": preferences.STANDALONE,
        "compiler": [*toolchain.compiler(), *programs.FLAGS, arithmetic.target()],
        "builder": [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in sources],
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def _describe_value(value: Any) -> Any:
    """Convert a description to JSON, every field of it."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"is": type(value).__name__, **{k: _describe_value(v) for k, v in fields.items()}}
    if isinstance(value, Mapping):
        return {str(key): _describe_value(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return [value.dtype.str, list(value.shape), digest]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_describe_value(entry) for entry in value]
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
        manifest = _build_project(model, project, header, clock)
    manifest["n_synapses"] = _count_synapses(project)
    return manifest | {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds}


def _build_project(
    model: BrianModel, project: Path, header: Path, clock: _Stopwatch
) -> dict[str, Any]:
    import brian2
    from brian2.devices.device import get_device

    clock.lap("import")
    saved_preferences = dict(brian2.prefs)
    preferences.set_preferences(preferences.STANDALONE)
    brian2.set_device("cpp_standalone", build_on_run=False)
    device: Any = get_device()
    device.reinit()
    device.activate(build_on_run=False)
    project.mkdir(parents=True)
    try:
        try:
            network, objects_by_kind = assemble(model)
            _insert_code(model, device, network, objects_by_kind)
            duration = model.max_trials * steps_per_trial(model) * model.dt_ms * brian2.ms
            network.run(duration, namespace={})
            shutil.copy(CODE, project / CODE.name)
            device.headers.append(f'"{CODE.name}"')
            manifest = _make_manifest(model, device, objects_by_kind)
            # The makefile that Brian2 writes beside the code is not used.
            device.build(directory=str(project), compile=False, run=False)
            _patch_code(project, model.dt_ms / 1e3, _list_result_files(manifest))
            programs.unite(project)
        except (UserError, OSError):
            raise
        except Exception as error:
            # Brian2 names the object, and keeps what is wrong with it in the cause.
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            origin = "" if cause is error else f"{str(error).partition(chr(10))[0]} "
            raise UserError(
                f"Brian2 model '{model.name}': Brian2 rejects it ({origin}{type(cause).__name__}: "
                f"{cause}). Correct the equations in the talk's model"
            ) from error
        clock.lap("generate")
        programs.build(project, model.name, header)
        clock.lap("compile")
        return manifest
    finally:
        device.reinit()
        brian2.set_device("runtime")
        brian2.prefs.update(saved_preferences)


def _insert_code(
    model: BrianModel, device: Any, network: Any, objects_by_kind: Mapping[str, Any]
) -> None:
    """Add to the program's main function what `program.cpp` provides."""
    # Dead networks give their names back now, not between here and the run.
    gc.collect()
    device.insert_code("before_start", "whyspiking::take_words(args);")
    device.insert_code("main", "\n".join(_write_links_code(device, objects_by_kind)))
    device.apply_run_args()
    code_lines = _write_inputs_code(
        model, device, network, objects_by_kind
    ) + _write_no_spikes_code(network, objects_by_kind)
    device.insert_code("before_network_run", "\n".join(code_lines))


def _name_array(device: Any, variable: Any) -> str:
    """Return the name of the dynamic array behind a variable."""
    return device.get_array_name(variable, access_data=False)


def _write_links_code(device: Any, objects_by_kind: Mapping[str, Any]) -> list[str]:
    """Write the code that loads seed and connections, or writes the number of synapses and ends."""
    # Connections: after Brian2's own have been created, before values and spike queues are set.
    main_lines: list[str] = [
        '_random_generators[0].seed(std::stoul(whyspiking::word("random:seed")));'
    ]
    describe_lines: list[str] = []
    for name, synapses in synapses_of(objects_by_kind).items():
        v = synapses.variables
        pre, post, outgoing, incoming = (
            _name_array(device, v[key])
            for key in ("_synaptic_pre", "_synaptic_post", "N_outgoing", "N_incoming")
        )
        number = device.get_array_name(v["N"])
        owned = synapses._registered_variables
        other_arrays = sorted({_name_array(device, variable) for variable in owned} - {pre, post})
        main_lines.append(
            f'if (whyspiking::given("links:{name}")) {{\n'
            f'    whyspiking::load_links("{name}", {len(synapses.source)}, {len(synapses.target)},'
            f" {synapses.source.start}, {synapses.target.start},\n"
            f"        {pre}, {post}, {outgoing}, {incoming}, {number});\n"
            + "".join(f"    {array}.assign({pre}.size(), 0);\n" for array in other_arrays)
            + "}"
        )
        describe_lines.append(f'sizes << "{name} " << {pre}.size() << std::endl;')
    return [
        *main_lines,
        'if (whyspiking::given("describe:file")) {',
        '    std::ofstream sizes(whyspiking::word("describe:file").c_str());',
        *(f"    {line}" for line in describe_lines),
        "    std::exit(0);",
        "}",
    ]


def _write_inputs_code(
    model: BrianModel, device: Any, network: Any, objects_by_kind: Mapping[str, Any]
) -> list[str]:
    """Write the code that loads input spikes, and the first object of every step."""
    # Input spikes: Brian2 sets its own (empty) time bins in the line before this one.
    steps = steps_per_trial(model)
    load_lines = ["static std::vector<double> no_lags;"]
    deliver_lines = []
    queue_lines = [
        f"whyspiking::clear_queue({pathway.name});"
        for synapses in synapses_of(objects_by_kind).values()
        for pathway in sorted(synapses._pathways, key=lambda pathway: pathway.name)
    ]
    for name, generator in objects_by_kind["inputs"].items():
        bins = _name_array(device, generator.variables["_timebins"])
        channels = _name_array(device, generator.variables["neuron_index"])
        lags = "no_lags"
        if model.sub_step:
            lags, position = f"lags_of_{name}", f"position_in_{name}"
            load_lines.append(
                f"static std::vector<double> {lags}; static std::size_t {position} = 0;"
            )
            target = device.get_array_name(generator.variables["lag"])
            deliver_lines.append(
                f"whyspiking::deliver_lags(step, {position}, {bins}, {channels}, {lags}, {target});"
            )
        load_lines.append(
            f'whyspiking::load_events("{name}", {len(generator)}, '
            f"{'true' if model.sub_step else 'false'}, {bins}, {channels}, {lags});"
        )
    # The first object of every step: trial borders, end of the last trial, lags of input spikes.
    return [
        *load_lines,
        'static const int64_t n_trials = std::stol(whyspiking::word("trials:count"));',
        f"static const int64_t last_step = n_trials * {steps} - 1;",
        f"{network.name}.objects.insert({network.name}.objects.begin(), "
        "std::pair<BaseClock*, codeobj_func>(&defaultclock, []() {",
        "    const int64_t step = defaultclock.timestep[0];",
        f"    if (step % {steps} == 0) {{",
        *(f"        {line}" for line in queue_lines),
        "    }",
        "    if (step >= last_step) Network::_globally_stopped = true;",
        "    whyspiking::tell(step, last_step);",
        *(f"    {line}" for line in deliver_lines),
        "}));",
    ]


def _write_no_spikes_code(network: Any, objects_by_kind: Mapping[str, Any]) -> list[str]:
    """Write the code that removes the spike monitors of a run without recorded spikes."""
    from brian2.core.names import find_name

    code_lines = ['if (whyspiking::given("spikes:none")) {']
    for monitor in objects_by_kind["spike_monitors"].values():
        # As Brian2 will name it: with a number where an earlier network of the process still lives.
        run = f"_run_{find_name(f'{monitor.name}_codeobject*')}"
        code_lines.append(f"    whyspiking::forget({network.name}.objects, &{run});")
    return [*code_lines, "}"]


def _find_final_variables(model: BrianModel, objects_by_kind: Mapping[str, Any]) -> dict[str, Any]:
    """Find Brian2's variables behind `record_final`, by name.

    Raises:
        UserError: If one does not exist.
    """
    final_variables = {}
    for key in model.record_final:
        owner, _, name = key.partition(".")
        variables = (
            objects_by_kind["objects"][owner].variables
            if owner in objects_by_kind["objects"]
            else {}
        )
        if name not in variables:
            raise UserError(
                f"Brian2 model '{model.name}': record_final names '{key}', which is not a "
                "variable of any of its objects. Correct the name"
            )
        final_variables[key] = variables[name]
    return final_variables


def _patch_code(project: Path, dt_s: float, results: set[str]) -> None:
    """Change the generated code: its clocks between steps, and its files at the end.

    Clocks of different period are taken to meet when their times agree within some seconds.
    Brian2's 1e-14 s is less than the spacing of doubles beyond 64 s: trials would begin, and traces
    be sampled, out of step.

    Of a hundred files that a program writes at its end, only `results` are read.
    """
    path = project / "network.cpp"
    code = path.read_text()
    clock_tolerance = "#define Clock_epsilon 1e-14"
    if code.count(clock_tolerance) != 1:
        raise _make_code_error("file network.cpp does not contain the expected clock tolerance")
    path.write_text(code.replace(clock_tolerance, f"#define Clock_epsilon {dt_s / 1e3!r}"))

    path = project / "objects.cpp"
    code = path.read_text()
    written = set()

    def filter_block(block: re.Match[str]) -> str:
        written.add(block["file"])
        return block[0] if block["file"] in results else ""

    path.write_text(WRITING.sub(filter_block, code))
    if not results < written:
        raise _make_code_error("file objects.cpp writes its results in an unexpected way")


def _make_code_error(change: str) -> UserError:
    return UserError(
        f"Brian2: the generated {change}. Install the version of Brian2 that requirements.txt names"
    )


def _make_manifest(
    model: BrianModel, device: Any, objects_by_kind: Mapping[str, Any]
) -> dict[str, Any]:
    """Collect names, types and sizes of all inputs and results of the program."""

    def describe_result(variable: Any) -> dict[str, str]:
        return {"file": device.get_array_filename(variable), "dtype": np.dtype(variable.dtype).str}

    synapses = synapses_of(objects_by_kind)
    per_synapse = {
        variable for item in synapses.values() for variable in item._registered_variables
    }
    variables = {}
    for name, owner in objects_by_kind["objects"].items():
        owner_variables = dict(owner.variables)
        if name in synapses and len(owner._pathways) == 1:
            owner_variables["delay"] = next(iter(owner._pathways)).variables["delay"]
        for key, variable in owner_variables.items():
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
        "inputs": {name: len(item) for name, item in objects_by_kind["inputs"].items()},
        "populations": {
            name: {
                "size": len(objects_by_kind["objects"][name.partition(".")[0]]),
                "unit": describe_result(monitor.variables["i"]),
                "time": describe_result(monitor.variables["t"]),
                "lag": (
                    describe_result(monitor.variables[model.lag_variable[name]])
                    if name in model.lag_variable
                    else None
                ),
            }
            for name, monitor in objects_by_kind["spike_monitors"].items()
        },
        "traces": {
            name: {
                "every": whole_steps(model, model.record_traces[name][2], name),
                **describe_result(monitor.variables[model.record_traces[name][1]]),
            }
            for name, monitor in objects_by_kind["trace_monitors"].items()
        },
        "final": {
            key: describe_result(v)
            for key, v in _find_final_variables(model, objects_by_kind).items()
        },
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


def _list_result_files(manifest: Mapping[str, Any]) -> set[str]:
    """List the files that `Exchange` reads after a run."""
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
        self._wall, self._cpu = self._read_clocks()

    def lap(self, phase: str) -> None:
        wall, cpu = self._read_clocks()
        self.seconds[phase], self.cpu_seconds[phase] = wall - self._wall, cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    @staticmethod
    def _read_clocks() -> tuple[float, float]:
        times = os.times()
        cpu = times.user + times.system + times.children_user + times.children_system
        return time.monotonic(), cpu
