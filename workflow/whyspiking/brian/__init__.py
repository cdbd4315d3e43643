"""Run Brian2 models as compiled programs: build once, then run with other inputs and numbers.

May import `measures`, `contract` and below. At a glance: `Machine.run`; `building` makes the
program, `run_files` writes inputs and reads spikes, `preferences` sets those of Brian2. This room
alone owns Brian2's device. A finished build is run with numpy alone; Brian2 is imported only where
something must be built.

**Time.** A trial has `trial_ms / dt_ms` steps. Step n ends at trial time `n * dt_ms`: the state
after step 0, which begins with the model's `reset`, is the state at time 0. Therefore

- an input spike at t acts (on what the synapses change) at the end of the step n nearest to t,
  n = floor(t / dt + 1/2); two spikes of a channel in one step become one (`Machine.merged` counts
  them), and a spike too late for the last step is dropped: nothing could follow from it;
- a recorded spike has the time `n * dt_ms` at which it acts on its targets. The threshold was
  crossed within the step before it, on average `dt_ms / 2` earlier;
- so recorded spikes that are sent in as input spikes act in the same step as before;
- sample m of a trace is the state at trial time `m * sampling`, after everything else in that step;
- row r of an analogue array, a `brian2.TimedArray` with a `name=`, is what steps that begin in its
  r-th period read, the first row from step 0 on. It has `max_trials` times the rows of one trial,
  or those of one trial, which all trials then share; the latter is read at the time within the
  trial (for instance `table(t - began)` with `reset` saying `began = t`).

**Exact times (`sub_step=True`).** An input spike at t belongs to the step with
(n - 1) * dt < t <= n * dt, and the variable `lag` of its channel holds the time n * dt - t in ms
that has passed since; a synapse reads it as "lag_pre" and changes the state as it would have become
by then. Populations do the same with a variable of their own: after the state update,
(v - v_th) / (v - v_before) is the part of the step that has passed since the crossing; the
statements after a spike store it, times dt in ms, as `lag`. The schedule must then have "resets"
before "synapses", or the lag of the present spike is not yet known. The error of spike times falls
from order dt to order dt^2. `lag_variable` has the lag subtracted from the recorded times. Sent in
again, such spikes keep their times to rounding, not bit for bit.

**Numbers.** `values` sets "object.variable" for one run: a number, or an array with one entry per
neuron, or per synapse in the order of the connections: for `connect()` all pre x post pairs,
row by row, given flat or as (pre, post) matrix. Numbers are in Brian2's base units (seconds, volts;
plain for variables without dimension). What `values` leaves out keeps the value that `start` of
the model gave it.

**Wiring.** "synapses.i" and "synapses.j" (pre- and postsynaptic indices, both or none) replace the
connections of that object for one run, with any number of synapses; variables of theirs that are
not given are 0. Give them in the order of `numpy.nonzero` (by i, then j) for speed. A model whose
wiring is always exchanged calls `connect(i=0, j=0)`; a run that forgets to do so is refused.

**Plasticity.** `record_final` brings variables back as they are when a run ends, e.g. the weights
of synapses that learn, in the order of the connections. What `reset` leaves alone goes on from
trial to trial of a run, so a training protocol may be a sequence of trials.

Between trials nothing remains but what `reset` leaves: spikes under way (delays) are dropped. A
model with refractoriness resets `lastspike = -1e4*second` too. Brian2 draws no random numbers
unless the model's own statements do; `seed` determines those.
"""

from whyspiking.brian.machine import Machine
from whyspiking.brian.run_files import Value

__all__ = ["Machine", "Value"]
