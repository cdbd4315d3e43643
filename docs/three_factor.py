"""A three-factor rule: what a synapse was told, how near its neuron was to firing, the error.

Neurons leak, v <- (1 - a) v + a W x, fire above 1 and are reset; outputs weigh how often they did.
A synapse keeps a trace p <- (1 - a) p + a x of its input, and sums up p psi(v) over the trial, psi
a triangle around the threshold. At the end it learns by this sum times the errors of the outputs,
which come back through fixed random weights: no neuron is told another's weights, and nothing goes
back in time.
"""

import numpy as np

from whyspiking_exchange.nir import Graph

READOUT = "last"
TAU_MS, WIDTH, BATCH, RATE, RATE_OUT = 20.0, 0.5, 50, 100.0, 0.1


def forward(x, w, a):
    """Of spikes x (trial, step, input): counts (trial, neuron), p psi (trial, input, neuron)."""
    v, count = np.zeros((2, len(x), w.shape[1]))
    trace, told = np.zeros(x[:, 0].shape), np.zeros((len(x), *w.shape))
    for now in x.transpose(1, 0, 2):
        v = (1 - a) * v + a * (now @ w)
        trace = (1 - a) * trace + a * now
        told += trace[:, :, None] * np.maximum(0, 1 - np.abs(v - 1) / WIDTH)[:, None]
        count += v > 1
        v[v > 1] = 0
    return count, told


def learn(lesson, rng):
    """A network that learned from the training data alone."""
    a, n, k = lesson.step_ms / TAU_MS, lesson.n_hidden, lesson.n_classes
    x, classes = lesson.train
    w = rng.uniform(0, 1, (x.shape[2], n)) / a
    out, bias, back = np.zeros((n, k)), np.zeros(k), rng.normal(0, 1, (k, n))
    for epoch in range(lesson.epochs):
        left = 1 - epoch / lesson.epochs
        for part in rng.permutation(len(x)).reshape(-1, BATCH):
            count, told = forward(x[part], w, a)
            z = np.exp(count @ out + bias)
            error = (z / z.sum(1, keepdims=True) - np.eye(k)[classes[part]]) / BATCH
            w -= left * RATE * np.einsum("bij,bj->ij", told, error @ back)
            out -= left * RATE_OUT * count.T @ error
            bias -= left * RATE_OUT * error.sum(0)
        chosen = (forward(lesson.validation[0], w, a)[0] @ out + bias).argmax(1)
        share = (chosen == lesson.validation[1]).mean()
        print(f"epoch {epoch + 1}: {share:.1%} of the validation data", flush=True)
    graph, one = Graph(), np.ones(n)
    leaky = {"tau": TAU_MS * 1e-3 * one, "r": one, "v_leak": 0 * one, "v_threshold": one}
    hidden = graph.add("hidden", "LIF", **leaky, v_reset=0 * one)
    outputs = graph.linear("out", out, bias / x.shape[1]), graph.add("sum", "I", r=np.ones(k))
    graph.connect(graph.input(x.shape[2]), graph.linear("in", w), hidden, *outputs, graph.output(k))
    return graph
