"""A gradient of every kind of network that JAX trains, over rows enough for Eigen to cut sums.

Each gives arrays; equal calls give equal arrays.
"""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.talks.bohte import network as bohte
from whyspiking.talks.bohte import training as bohte_training
from whyspiking.talks.discussion import fitting
from whyspiking.talks.masquelier.audio import model as words
from whyspiking.talks.neftci import gru, learning, model
from whyspiking.talks.neftci.training import RULES
from whyspiking.talks.scherr import oneshot, oneshot_task
from whyspiking.training import controls
from whyspiking.training.reference import units as reference
from whyspiking.training.reference.learning import loss as reference_loss

STREAMS = Streams(3)
ZERO = {"penalty": np.float32(0), "adaptation": np.float32(1.8)}


def _rng():
    return np.random.default_rng(0)


def _events(*shape):
    return (_rng().random(shape) < 0.2).astype(np.float32)


def _classes(n, *shape):
    return _rng().integers(0, n, shape).astype(np.int32)


def _float32(arrays):
    return {name: jnp.asarray(value, jnp.float32) for name, value in arrays.items()}


def of_a_wide_control():
    sizes = [784, 300, 10]
    adam = optax.adam(1e-3)
    arrays = _float32(controls.initial(sizes, _rng()))
    order = np.arange(512).reshape(2, 256)
    run = controls._compile_epoch(2, adam, 0.1, 0.1)
    key = jax.random.key_data(jax.random.key(0))
    return run(arrays, adam.init(arrays), key, order, _events(512, 784), _classes(10, 512))[0]


def of_a_wide_gru():
    arrays = _float32(gru.initial(140, 64, 4, STREAMS))
    learner = gru.Learner(1e-3, 10, 2)
    frames, labels = _events(12, 64, 140), _classes(4, 64)
    return jax.jit(learner.update)(arrays, learner.start(arrays), frames, labels)[0]


def _bohte(cell):
    own = params_of("bohte", "ecg", n_input=70, n_hidden=[100])
    arrays = _float32(bohte.initial(own, cell, _rng()))
    given = {"x": _events(32, 40, 70), "labels": _classes(own.n_output, 32), **ZERO}
    return jax.jit(jax.grad(bohte_training.class_loss(own, cell), has_aux=True))(arrays, given)[0]


of_adaptive_neurons = partial(_bohte, "alif")
of_plain_neurons = partial(_bohte, "lif_published")
of_gated_units = partial(_bohte, "gru")
of_tanh_units = partial(_bohte, "rnn")


def _decolle(rule, n_trials):
    rng = _rng()
    sizes = (578, 100, 50)
    w = [0.1 * rng.standard_normal(shape) for shape in pairwise(sizes)]
    weights = model.Weights(
        w, [np.zeros(n) for n in sizes[1:]], [rng.random((n, 10)) for n in sizes[1:]]
    )
    weights = jax.tree.map(partial(jnp.asarray, dtype=jnp.float32), weights)
    target = np.eye(10, dtype=np.float32)[_classes(10, n_trials)]
    given = _events(21, n_trials, 578), target, np.float32(1e-3)
    constants = model.constants(params_of("neftci", "nmnist"))
    return RULES[rule](learning.start(weights), weights.g, *given, constants, 0.9)[:2]


local_in_every_step = partial(_decolle, "online", 260)
local_once = partial(_decolle, "batched", 40)
end_to_end = partial(_decolle, "end_to_end", 40)


def _oneshot(signal):
    own = params_of("scherr", "oneshot", trial_ms=400.0, n_learner=80, n_generator=60, n_in=20)
    both = oneshot.both_trials(own, signal)
    clock = jnp.asarray(oneshot_task.clock(own), jnp.float32)
    wanted = oneshot_task.draw(own, _rng(), 3).swapaxes(0, 1).astype(np.float32)

    def loss(arrays):
        _, after, rates = both(arrays, clock, wanted)
        return ((after - wanted) ** 2).sum() + sum((r**2).mean() for pair in rates for r in pair)

    return jax.jit(jax.grad(loss))(_float32(oneshot.initial(own, STREAMS)))


from_one_demonstration = partial(_oneshot, "generator")
from_an_error = partial(_oneshot, "filtered error")


def _discussion(loss, start, *shape):
    arrays, y = _float32(start(rng=_rng())), _classes(2, shape[0]).astype(np.float32)
    return jax.jit(jax.grad(loss))(arrays, _events(*shape), y)


of_wide_relu = partial(
    _discussion, fitting.relu_decision, partial(fitting.relu_start, [6, 512, 128]), 400, 6
)
of_few_gated_units = partial(
    _discussion, fitting.gru_decision, partial(fitting.gru_start, 6, 16), 400, 12, 6
)


def _words(variant):
    own = params_of("masquelier", "words", n_channels=64)
    arrays = _float32(words.initial(own, variant, _rng()))
    given = {"x": _events(8, own.n_frames, own.n_bands), "labels": _classes(10, 8), **ZERO}
    return jax.jit(jax.grad(words.loss(own, variant), has_aux=True))(arrays, given)[0]


of_lateral_neurons = partial(_words, "spiking")
of_convolutions = partial(_words, "conv")


def _reference(kind):
    own, shape = (
        reference.Recipe(kind, 12, 0.01, recurrent=True),
        reference.Shape(30, 20, 5, 9, 5.0),
    )
    given = np.float32(0.01), np.float32(0.5), _events(20, 400, 30), _classes(9, 400)
    slopes = jax.jit(jax.grad(partial(reference_loss, own, shape)))
    return slopes(reference.initial(own, shape, _rng()), *given)


of_reference_neurons = partial(_reference, "spiking")
of_reference_gates = partial(_reference, "gru")

ALL = {
    name: made
    for name, made in globals().items()
    if not name.startswith("_") and (name.startswith(("of_", "from_", "local_", "end_")))
}
"""Name -> what makes it."""
