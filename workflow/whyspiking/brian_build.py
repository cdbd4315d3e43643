"""Compile a `BrianModel` into a program that `brian.Machine` runs; the only user of Brian2's device.

The program is Brian2's C++ standalone code plus `brian_run.h`: input spikes, connections, the number
of trials and the random seed come from files and words of the command line, so that no other
spikes, weights or wiring need a second build.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking.contract import BrianModel
from whyspiking.errors import UserError

FLAGS = ("-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++11")
"""Brian2's own defaults for GCC, stated here because the hash of a build covers them."""

HEADER = Path(__file__).with_name("brian_run.h")

# Every generated file includes these; compiling them once halves the time of a build.
STANDARD_HEADERS = (
    "algorithm chrono cmath cstdint cstdlib ctime fstream iostream iterator map random set sstream "
    "string tuple utility vector"
).split()


def compiler() -> str:
    """The C++ compiler that make will call."""
    return os.environ.get("CXX", "g++")


def steps_per_trial(model: BrianModel) -> int:
    """Steps of one trial.

    Raises:
        UserError: If the trial is not a whole number of steps.
    """
    return whole_steps(model, model.trial_ms, "trial_ms")


def whole_steps(model: BrianModel, duration_ms: float, what: str) -> int:
    """Number of steps in `duration_ms`, which must be a positive multiple of dt."""
    steps = round(duration_ms / model.dt_ms)
    if steps < 1 or abs(steps * model.dt_ms - duration_ms) > 1e-6 * model.dt_ms:
        raise UserError(
            f"Brian2 model '{model.name}': {what} is {duration_ms} ms; it must be a positive "
            f"multiple of dt_ms = {model.dt_ms} ms"
        )
    return steps


def build(model: BrianModel, project: Path, shared: Path) -> dict[str, Any]:
    """Generate and compile the program of a model.

    Args:
        model: The network.
        project: Folder for code and program; must not exist.
        shared: Folder for the precompiled headers, which all builds share.

    Returns:
        The manifest: everything that running the program needs to know, JSON-able.

    Raises:
        UserError: If compiler or make is missing, or if Brian2 or the compiler reject the model.
    """
    for tool in (compiler(), "make"):
        if shutil.which(tool) is None:
            raise UserError(
                f"Brian2 model '{model.name}': '{tool}' was not found, and building a simulation "
                "needs a C++ compiler and make; use the project's environment (environment.yml) "
                "or install both (Debian: apt install g++ make)"
            )
    # Deprecations inside Brian2 and its parsers are no news to the user of this package.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return _build(model, project, shared)


def _build(model: BrianModel, project: Path, shared: Path) -> dict[str, Any]:
    started, cpu_started = time.monotonic(), _cpu_seconds()
    import brian2
    from brian2.devices.device import get_device

    imported, cpu_imported = time.monotonic(), _cpu_seconds()
    brian2.set_device("cpp_standalone", build_on_run=False)
    device: Any = get_device()
    device.reinit()
    device.activate(build_on_run=False)
    project.mkdir(parents=True)
    try:
        try:
            network, parts = assemble(model)
            duration = model.max_trials * steps_per_trial(model) * model.dt_ms * brian2.ms
            _insert_code(model, device, network, parts)
            network.run(duration, namespace={})
            shutil.copy(HEADER, project / HEADER.name)
            device.headers.append(f'"{HEADER.name}"')
            flags = list(FLAGS) + precompiled_headers(shared)
            _generate(device, project, flags, model.dt_ms / 1e3)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"Brian2 model '{model.name}': Brian2 rejects it ({type(error).__name__}: "
                f"{error}); mend the equations in the talk's model"
            ) from error
        generated, cpu_generated = time.monotonic(), _cpu_seconds()
        _compile(model, project)
        manifest = _manifest(model, device, network, parts)
    finally:
        device.reinit()
        brian2.set_device("runtime")
    manifest["n_synapses"] = _describe(project)
    manifest["seconds"] = {
        "import": imported - started,
        "generate": generated - imported,
        "compile": time.monotonic() - generated,
    }
    manifest["cpu_seconds"] = {
        "import": cpu_imported - cpu_started,
        "generate": cpu_generated - cpu_imported,
        "compile": _cpu_seconds() - cpu_generated,
    }
    return manifest


def assemble(model: BrianModel) -> tuple[Any, dict[str, Any]]:
    """Make Brian2's objects: inputs, the model's own, resets, monitors.

    Returns:
        The network, and its parts: "inputs", "objects", "spike_monitors", "trace_monitors", each a
        dict by name.
    """
    import brian2

    ms = brian2.ms
    brian2.defaultclock.dt = model.dt_ms * ms
    inputs = {}
    for name, channels in model.inputs.items():
        generator = brian2.SpikeGeneratorGroup(channels, [], [] * brian2.second, name=name)
        if model.sub_step:
            generator.variables.add_array("lag", size=channels)
        inputs[name] = generator
    objects = {}
    for item in model.construct(inputs):
        if item.name in objects or item.name in inputs:
            raise UserError(f"Brian2 model '{model.name}': two objects are named '{item.name}'")
        objects[item.name] = item

    def find(name: str, what: str) -> Any:
        if name not in objects:
            raise UserError(
                f"Brian2 model '{model.name}': {what} names '{name}', which `construct` does not "
                f"return; it returns {sorted(objects)}"
            )
        return objects[name]

    # One clock per period: a step takes longer with every further clock.
    clocks: dict[int, Any] = {1: brian2.defaultclock}

    def clock(steps: int) -> Any:
        if steps not in clocks:
            clocks[steps] = brian2.Clock(steps * model.dt_ms * ms, name=f"clock_of_{steps}_steps")
        return clocks[steps]

    for name, code in model.reset.items():
        # Before everything else that a model runs at the start of a step.
        find(name, "reset").run_regularly(
            code,
            clock=clock(steps_per_trial(model)),
            when="start",
            order=-1000,
            name=f"{name}_trial_start",
        )
    spike_monitors = {}
    for name in model.record_spikes:
        lag = model.lag_variable.get(name)
        # At the end of the step, when the statements after a spike have stored its lag.
        spike_monitors[name] = brian2.SpikeMonitor(
            find(name, "record_spikes"),
            variables=[lag] if lag else None,
            when="end",
            name=f"{name}_spikes_recorded",
        )
    trace_monitors = {}
    for monitor, (name, variable, sampling_ms) in model.record_traces.items():
        every = whole_steps(model, sampling_ms, f"sampling of trace '{monitor}'")
        if steps_per_trial(model) % every:
            raise UserError(
                f"Brian2 model '{model.name}': trace '{monitor}' is sampled every {sampling_ms} "
                f"ms, which does not divide the trial of {model.trial_ms} ms"
            )
        trace_monitors[monitor] = brian2.StateMonitor(
            find(name, "record_traces"),
            variable,
            record=True,
            clock=clock(every),
            when="end",
            name=f"{monitor}_trace_recorded",
        )
    network = brian2.Network(
        *inputs.values(),
        *objects.values(),
        *spike_monitors.values(),
        *trace_monitors.values(),
        name="network",
    )
    network.schedule = list(model.schedule)
    return network, {
        "inputs": inputs,
        "objects": objects,
        "spike_monitors": spike_monitors,
        "trace_monitors": trace_monitors,
    }


def _synapses(parts: Mapping[str, Any]) -> dict[str, Any]:
    import brian2

    return {
        name: item for name, item in parts["objects"].items() if isinstance(item, brian2.Synapses)
    }


def _insert_code(model: BrianModel, device: Any, network: Any, parts: Mapping[str, Any]) -> None:
    """Add to the program's main function what `brian_run.h` provides."""

    def vector(variable: Any) -> str:
        return device.get_array_name(variable, access_data=False)

    device.insert_code("before_start", "whyspiking::take_words(args);")

    # Connections: after Brian2's own have been created, before values and spike queues are set.
    main: list[str] = ['_random_generators[0].seed(std::stoul(whyspiking::word("random:seed")));']
    clear: list[str] = []
    describe: list[str] = []
    queues: list[str] = []
    for name, synapses in _synapses(parts).items():
        v = synapses.variables
        pre, post = vector(v["_synaptic_pre"]), vector(v["_synaptic_post"])
        outgoing, incoming = vector(v["N_outgoing"]), vector(v["N_incoming"])
        number = device.get_array_name(v["N"])
        others = sorted(
            {vector(variable) for variable in synapses._registered_variables} - {pre, post}
        )
        main.append(
            f'if (whyspiking::given("links:{name}")) {{\n'
            f'    whyspiking::load_links("{name}", {len(synapses.source)}, {len(synapses.target)},'
            f" {synapses.source.start}, {synapses.target.start},\n"
            f"        {pre}, {post}, {outgoing}, {incoming}, {number});\n"
            + "".join(f"    {other}.assign({pre}.size(), 0);\n" for other in others)
            + "}"
        )
        describe.append(f'sizes << "{name} " << {pre}.size() << std::endl;')
        clear += [f"{array}.clear();" for array in (pre, post, outgoing, incoming, *others)]
        queues += [
            f"whyspiking::clear_queue({pathway.name});"
            for pathway in sorted(synapses._pathways, key=lambda pathway: pathway.name)
        ]
    main += [
        'if (whyspiking::given("describe:file")) {',
        '    std::ofstream sizes(whyspiking::word("describe:file").c_str());',
        *(f"    {line}" for line in describe),
        "    std::exit(0);",
        "}",
    ]
    device.insert_code("main", "\n".join(main))
    device.apply_run_args()

    # Input spikes: Brian2 sets its own (empty) time bins in the line before this one.
    steps = steps_per_trial(model)
    before = ["static std::vector<double> no_lags;"]
    deliver = []
    for name, generator in parts["inputs"].items():
        bins = vector(generator.variables["_timebins"])
        channels = vector(generator.variables["neuron_index"])
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
        clear += [f"{bins}.clear();", f"{channels}.clear();"]
    # The first object of every step: trial borders, the end of the last trial, lags of input spikes.
    before += [
        f'static const int64_t last_step = std::stol(whyspiking::word("trials:count")) * {steps}L - 1;',
        f"{network.name}.objects.insert({network.name}.objects.begin(), "
        "std::pair<BaseClock*, codeobj_func>(&defaultclock, []() {",
        "    const int64_t step = defaultclock.timestep[0];",
        f"    if (step % {steps} == 0) {{",
        *(f"        {line}" for line in queues),
        "    }",
        "    if (step >= last_step) Network::_globally_stopped = true;",
        *(f"    {line}" for line in deliver),
        "}));",
    ]
    device.insert_code("before_network_run", "\n".join(before))
    # What is not a result need not be written.
    device.insert_code("before_end", "\n".join(["using namespace brian;", *clear]))


def _generate(device: Any, project: Path, flags: Sequence[str], dt_s: float) -> None:
    """Write the C++ code and the makefile."""
    from brian2 import prefs

    before = prefs["codegen.cpp.extra_compile_args"]
    prefs["codegen.cpp.extra_compile_args"] = list(flags)
    try:
        device.build(directory=str(project), compile=False, run=False)
    finally:
        prefs["codegen.cpp.extra_compile_args"] = before
    # Clocks of different period are taken to meet when their times agree within this number of
    # seconds. Brian2's 1e-14 s is less than the spacing of doubles beyond 64 s: trials would begin,
    # and traces be sampled, out of step.
    path = project / "network.cpp"
    code = path.read_text()
    narrow = "#define Clock_epsilon 1e-14"
    if code.count(narrow) != 1:
        raise UserError(
            "Brian2: the generated network.cpp lacks its clock tolerance; install the version that "
            "requirements.txt names"
        )
    path.write_text(code.replace(narrow, f"#define Clock_epsilon {dt_s / 1e3!r}"))


def _compile(model: BrianModel, project: Path) -> None:
    result = subprocess.run(
        ["make", "-j2", f"CXX={compiler()}"], cwd=project, capture_output=True, text=True
    )
    if result.returncode:
        (project / "make.log").write_text(result.stdout + result.stderr)
        raise UserError(
            f"Brian2 model '{model.name}': compiling it failed; the compiler said: "
            f"{result.stderr[-1500:]}"
        )


def precompiled_headers(shared: Path) -> list[str]:
    """Compiler flag that includes the precompiled standard headers, made at the first call."""
    version = subprocess.run(
        [compiler(), "--version"], capture_output=True, text=True, check=True
    ).stdout
    text = "".join(f"#include <{name}>\n" for name in STANDARD_HEADERS)
    key = hashlib.sha256(f"{version}{FLAGS}{text}".encode()).hexdigest()[:12]
    folder = (shared / f"headers-{key}").resolve()
    header = folder / "standard.h"
    if not (folder / "standard.h.gch").exists():
        folder.mkdir(parents=True, exist_ok=True)
        header.write_text(text)
        partial = folder / f"standard-{os.getpid()}.gch"
        result = subprocess.run(
            [compiler(), "-x", "c++-header", "-Wno-write-strings", *FLAGS, str(header)]
            + ["-o", str(partial)],
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise UserError(
                f"'{compiler()}' cannot compile the C++ standard headers; install a complete C++11 "
                f"compiler. It said: {result.stderr[-500:]}"
            )
        partial.replace(folder / "standard.h.gch")
    # One token: Brian2 would lose the second of two.
    return [f"-include{header}"]


def _manifest(
    model: BrianModel, device: Any, network: Any, parts: Mapping[str, Any]
) -> dict[str, Any]:
    """Names, types and sizes of all that goes into and comes out of the program."""

    def result(variable: Any) -> dict[str, str]:
        return {
            "file": device.get_array_filename(variable),
            "dtype": np.dtype(variable.dtype).str,
        }

    synapses = _synapses(parts)
    per_synapse = {
        variable for item in synapses.values() for variable in item._registered_variables
    }
    owners = {**parts["objects"], **parts["inputs"]}
    variables = {}
    for name, owner in owners.items():
        own = dict(owner.variables)
        if name in synapses and len(owner._pathways) == 1:
            own["delay"] = next(iter(owner._pathways)).variables["delay"]
        for key, variable in own.items():
            if variable not in device.arrays or variable.owner.name != name:
                continue
            if variable.read_only or key.startswith("_"):
                continue
            variables[f"{name}.{key}"] = {
                "dtype": np.dtype(variable.dtype).str,
                "size": None if variable in per_synapse else int(variable.size),
            }
    return {
        "inputs": {name: len(item) for name, item in parts["inputs"].items()},
        "populations": {
            name: {
                "size": len(parts["objects"][name]),
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
                "size": int(monitor.variables["_indices"].size),
                **result(monitor.variables[model.record_traces[name][1]]),
            }
            for name, monitor in parts["trace_monitors"].items()
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


def _describe(project: Path) -> dict[str, int]:
    """Ask the finished program how many synapses its own connections have."""
    path = (project / "sizes.txt").resolve()
    result = subprocess.run(
        ["./main", "random:seed=0", f"describe:file={path}"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    if result.returncode or result.stderr:
        raise UserError(f"the compiled simulation does not start: {result.stderr[-1500:]}")
    pairs = (line.split() for line in path.read_text().splitlines())
    return {name: int(size) for name, size in pairs}


def _cpu_seconds() -> float:
    """CPU time of this process and its finished children in s."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
