"""The closed list of metrics: name, unit and one-line definition; the report prints it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One entry of the glossary: unit and a one-line definition."""

    unit: str
    definition: str


GLOSSARY: dict[str, Metric] = {
    # score
    "accuracy": Metric(
        "fraction",
        "Share of trials (of labelled steps, where every step is labelled) whose choice is the "
        "target; undecided counts as wrong.",
    ),
    "accuracy_fresh": Metric(
        "fraction", "Accuracy on fresh samples beyond the published test set."
    ),
    "undecided": Metric("fraction", "Share of trials without a decision."),
    "score": Metric(
        "fraction", "S of the battery: accuracy, or max(0, 1 - NMSE) for continuous outputs."
    ),
    "chance": Metric(
        "fraction",
        "Score of guessing: 1/K, the share of the most frequent label where every step is "
        "labelled, or the score against time-shifted targets.",
    ),
    "normalised_score": Metric(
        "fraction", "(S - chance) / (clean S - chance): 1 unperturbed, 0 chance."
    ),
    "correlation": Metric(
        "1",
        "Pearson correlation of output and target, mean over channels; lag-tolerant "
        "(best lag per 1 s window) for autonomous oscillators.",
    ),
    "nrmse": Metric(
        "1",
        "Root mean square error over the standard deviation of the target; at the best "
        "lag per 1 s window for autonomous oscillators.",
    ),
    "frequency_error": Metric("Hz", "Output frequency minus target frequency."),
    # timing
    "timing_index": Metric(
        "1",
        "T1: 1 - normalised score when spike times are redrawn and counts kept; 0 rate "
        "code, 1 timing code.",
    ),
    "timing_information": Metric(
        "1", "T2: (S_trace - S_count)/(S_trace - chance) of fresh linear decoders."
    ),
    "sigma50": Metric("ms", "T3: jitter at which the normalised score is 0.5; inf if not reached."),
    # latency
    "decision_time": Metric("ms", "Mean time of the decision over decided trials."),
    "t95": Metric("ms", "L2: first time at which 95 % of the final score above chance is reached."),
    "speed_area": Metric(
        "fraction",
        "L3: mean over time of the anytime score above chance, relative to the final one; of a "
        "control, the score on what has arrived of its input.",
    ),
    "speed_area_gain": Metric(
        "fraction",
        "L4: speed area of the spiking network minus that of its control, which was trained on "
        "whole inputs, is asked at every time on the input so far and answers without delay.",
    ),
    "label_delay": Metric(
        "ms", "Median time from a change of the true label to that of the chosen one."
    ),
    "missed_changes": Metric(
        "fraction", "Share of changes of the true label after which the new one is never chosen."
    ),
    # counting and energy
    "spikes": Metric(
        "spikes/trial", "Spikes of all populations that feed synapses, inputs included."
    ),
    "spikes_input": Metric("spikes/trial", "Input spikes."),
    "spikes_hidden": Metric("spikes/trial", "Hidden spikes."),
    "spikes_per_neuron": Metric("spikes/trial", "Hidden spikes per hidden neuron."),
    "spikes_to_decision": Metric("spikes/trial", "Spikes up to the decision."),
    "rate": Metric("Hz", "Mean firing rate of the population."),
    "syn_events": Metric(
        "ops/trial", "Sum over spikes of the non-zero outgoing weights of the neuron."
    ),
    "syn_events_feedforward": Metric("ops/trial", "Synaptic events of feed-forward synapses."),
    "syn_events_recurrent": Metric("ops/trial", "Synaptic events of recurrent synapses."),
    "syn_events_readout": Metric("ops/trial", "Synaptic events of readout synapses."),
    "synapses": Metric("1", "Non-zero synapses."),
    "events_to_decision": Metric("ops/trial", "Synaptic events up to the decision."),
    "macs_effective": Metric(
        "ops/trial", "Multiply-accumulates with non-binary presynaptic value, zeros skipped."
    ),
    "macs_dense": Metric("ops/trial", "Multiply-accumulates with nothing skipped."),
    "neuron_updates": Metric("updates/trial", "Neurons times time steps (clock-driven)."),
    "neuron_updates_event": Metric(
        "updates/trial", "Neuron updates if done only when an input spike arrives."
    ),
    "state_updates": Metric(
        "updates/trial",
        "Updates of state variables beyond the membrane (adaptation, synaptic current, dendrite), "
        "clock-driven.",
    ),
    "state_updates_event": Metric(
        "updates/trial", "The same if done only when an input spike arrives at the neuron."
    ),
    "density": Metric("1", "Synaptic events per non-zero synapse and trial (s)."),
    "density_break_even": Metric(
        "1",
        "s*: density below which the spiking network needs less energy; perturbation "
        "column names the cost model.",
    ),
    "energy": Metric(
        "pJ/trial", "Energy per trial under the cost model named in the perturbation column."
    ),
    "energy_ratio": Metric(
        "1",
        "R: energy of the control over energy of the spiking network, per cost model; "
        "above 1 favours spikes.",
    ),
    "energy_ratio_variation": Metric(
        "1",
        "R with one assumption of the base cost model changed; perturbation column: "
        "assumption=setting.",
    ),
    "information_per_spike": Metric(
        "bit/spike", "E2: mutual information of target and choice per spike up to the decision."
    ),
    "activation_sparsity": Metric(
        "fraction", "Share of zero activations over neurons, steps, trials."
    ),
    "connection_sparsity": Metric("fraction", "Share of zero weights."),
    "footprint": Metric(
        "byte",
        "Bytes of weights (zeros count) and of parameters per neuron at 32 bits; state excluded.",
    ),
    # activity of each recorded population, named in the locus column
    "rate_hz": Metric("Hz", "Spikes per neuron and second of the population."),
    "active_share": Metric(
        "fraction", "Share of the population that fires at least once in a trial, mean over trials."
    ),
    "isi_cv": Metric(
        "1",
        "Coefficient of variation of the intervals between spikes within a trial, mean over "
        "neurons with at least 20 of them; undefined where there is no such neuron.",
    ),
    # robustness
    "robustness_area": Metric(
        "fraction", "R1: mean normalised score over the non-zero levels of a perturbation."
    ),
    "half_dose": Metric(
        "level", "R2: level at which the normalised score is 0.5; inf if not reached."
    ),
    "bits95": Metric("bit", "R2: fewest weight bits with normalised score of at least 0.95."),
    "robustness_advantage": Metric(
        "fraction", "R3: robustness area of the spiking network minus that of its control."
    ),
    # learning
    "gradient_cosine": Metric(
        "1",
        "M3: cosine of the learning rule's update with the gradient, same network and trials; the "
        "locus column says which weights or which feedback.",
    ),
    "gradient_cosine_permuted": Metric("1", "The same with the labels permuted: the null."),
    "gradient_cosine_gain": Metric("1", "Cosine minus that with the labels permuted."),
    # size
    "parameters": Metric("1", "Numbers that training sets."),
    "size_ratio": Metric(
        "1",
        "G1: parameters of the control over those of the spiking network at equal score, geometric "
        "mean over the scores that both reach; undefined where their ranges do not overlap.",
    ),
    # parity of engines
    "equal_decisions": Metric(
        "fraction", "Q1: share of trials, or labelled steps, with the same choice in both engines."
    ),
    "spike_time_error": Metric(
        "ms", "Q1: median absolute difference of output spike times between engines."
    ),
    "spike_time_error_hidden": Metric(
        "ms", "Q1: median absolute difference of hidden spike times between engines."
    ),
    "spike_partners": Metric(
        "fraction",
        "Q1: share of first spikes of either engine with a partner in the other within one step.",
    ),
    "rate_correlation": Metric(
        "1", "Q1: correlation over neurons of their numbers of spikes in the two engines."
    ),
    "equal_spike_sets": Metric(
        "fraction", "Q1: share of hidden neurons and trials that agree on firing or silence."
    ),
    "score_difference": Metric(
        "fraction", "Q1: score in Brian2 minus score in the training engine."
    ),
    "dt_sensitivity": Metric("fraction", "Q2: score at half the time step minus score."),
    # hippocampal sequences (clopath)
    "internal_frequency": Metric(
        "Hz", "Frequency of the network's own rhythm (phase slope of the decoded oscillator)."
    ),
    "internal_frequency_off": Metric("Hz", "The same with septal inhibition removed."),
    "beat_frequency": Metric(
        "Hz", "Frequency that maximises the mean vector strength of excitatory spikes."
    ),
    "beat_error": Metric(
        "Hz", "Measured beat minus (measured internal frequency - septal frequency)."
    ),
    "order_correlation": Metric(
        "1", "Circular correlation of firing order, theta sequence against compressed replay."
    ),
    "order_correlation_reversed": Metric("1", "The same against the reversed replay."),
    "order_correlation_shuffled": Metric(
        "1", "The same with neuron labels shuffled, mean absolute value."
    ),
    "compression": Metric("1", "Measured duration of the sequence over that of its replay."),
    "compression_prediction": Metric("1", "f_off / (f_int - f_septum) from measured frequencies."),
    "compression_deviation": Metric(
        "fraction", "Measured compression over its prediction, minus 1."
    ),
    # labelled steps (bohte)
    "accuracy_padded": Metric(
        "fraction", "Accuracy over steps with unlabelled ones counted as the first class."
    ),
    "energy_ratio_published": Metric(
        "1",
        "Energy of an LSTM of equal size over that of the spiking network by the paper's own "
        "formula (README of the talk).",
    ),
    # first-spike networks (comsa)
    "hidden_before_decision": Metric(
        "fraction",
        "Share of hidden neurons that fire before the decision, mean over decided trials.",
    ),
    "accuracy_xor": Metric("fraction", "Accuracy on noisy XOR, median over networks."),
    "accuracy_and": Metric("fraction", "Accuracy on noisy AND, median over networks."),
    "accuracy_or": Metric("fraction", "Accuracy on noisy OR, median over networks."),
    # burst-dependent plasticity, parts (naud)
    "event_rate": Metric("Hz", "Events (spikes after 16 ms of silence) per neuron and second."),
    "sigmoid_fit": Metric(
        "fraction",
        "Share of variance of burst probability against dendritic current that a sigmoid explains.",
    ),
    "event_rate_leak": Metric(
        "1", "Range of event rate over dendritic currents, relative to that over somatic ones."
    ),
    "burst_probability_leak": Metric(
        "1",
        "Range of burst probability over somatic currents, relative to that over dendritic ones.",
    ),
    "event_correlation": Metric(
        "1", "Correlation of event rate and somatic current, lower ensemble, mean of the trials."
    ),
    "relay_correlation": Metric("1", "Correlation of event rates, lower and upper ensemble."),
    "burst_correlation": Metric(
        "1", "Correlation of burst probability and dendritic current, upper ensemble."
    ),
    "topdown_correlation": Metric(
        "1", "Correlation of the upper burst rate and the lower burst probability."
    ),
    "cross_correlation": Metric(
        "1",
        "Largest absolute correlation across channels: dendritic current with either event rate, "
        "somatic current with the upper burst probability.",
    ),
    "depressing_events": Metric(
        "1", "Correlation of what depressing synapses transmit and the event rate, upper ensemble."
    ),
    "depressing_bursts": Metric("1", "The same for the burst rate."),
    "facilitating_bursts": Metric(
        "1",
        "Correlation of what facilitating synapses transmit and the burst rate, upper ensemble.",
    ),
    "facilitating_events": Metric("1", "The same for the event rate."),
    "zero_crossing": Metric(
        "fraction",
        "Burst probability at which the change of weight is 0, by a straight line; mean over event "
        "rates.",
    ),
    "zero_crossing_error": Metric(
        "fraction",
        "Largest distance of that probability, over event rates, from the starting running mean.",
    ),
    "slope_ratio": Metric(
        "1", "Slope of change against burst probability, highest over lowest event rate."
    ),
    "poisson_crossing_low": Metric(
        "Hz", "Poisson rate at which the change of weight is 0, lower running mean at the start."
    ),
    "poisson_crossing_high": Metric("Hz", "The same for the higher running mean."),
    # burst-dependent plasticity, XOR (naud)
    "xor_ordering": Metric(
        "fraction",
        "Share of plasticity-off tests in the last fifth of training in which both true outputs "
        "exceed both false ones by at least 1 Hz.",
    ),
    "xor_ordered": Metric("fraction", "The same by any margin."),
    "xor_margin": Metric(
        "Hz", "Lower of the true outputs minus higher of the false ones, mean over those tests."
    ),
    "xor_sides": Metric(
        "fraction", "Share of those tests with all four outputs on their side of 6 Hz."
    ),
    "credit_signs": Metric(
        "fraction",
        "Share of ensembles (H1, H2, O) and patterns whose burst probability moves as designed "
        "while the teaching current is on, in H1 and H2 by more than 0.03; first 10 epochs.",
    ),
    "credit_hidden": Metric("1", "Least of these movements in H1 and H2, absolute."),
    "credit_hidden_largest": Metric("1", "Largest of these movements in H1 and H2, absolute."),
    "frozen_rate_error": Metric(
        "Hz",
        "Largest difference of output rates between the frozen network under other noise and the "
        "tests after training.",
    ),
    "gradient_cosine_hidden": Metric(
        "1",
        "M3: cosine of the rule's weight changes with the gradient of an equivalent rate model; "
        "input to hidden, after training.",
    ),
    "gradient_cosine_output": Metric("1", "The same, hidden to output."),
    "gradient_cosine_hidden_start": Metric("1", "Input to hidden, before training."),
    "gradient_cosine_output_start": Metric("1", "Hidden to output, before training."),
    "gradient_cosine_hidden_permuted": Metric(
        "1", "Input to hidden, after training, mean over permuted pattern labels."
    ),
    "gradient_cosine_output_permuted": Metric(
        "1", "Hidden to output, after training, mean over permuted pattern labels."
    ),
    "rate_model_error": Metric(
        "Hz", "Root mean square error of that rate model on the rates it was fitted to."
    ),
    # e-prop (scherr)
    "nmse": Metric("1", "Squared error of the output over the variance of the target in time."),
    "nmse_before": Metric("1", "The same during the one demonstration, before any learning."),
    "iterations_to_10_percent": Metric(
        "iterations",
        "First iteration after which the mean error of ten batches of fresh trials is below 10 %; "
        "inf if it never is.",
    ),
    "learning_memory": Metric(
        "numbers", "M1: numbers that the learning rule keeps beside weights and neurons."
    ),
    "alignment_symmetric": Metric(
        "1",
        "M3: cosine of the gradients by symmetric e-prop and by BPTT on the same batch, mean over "
        "batches and over training.",
    ),
    "gradient_cosine_engines": Metric(
        "1", "Cosine of the gradients of one trial in Brian2 and by differentiation in JAX."
    ),
    "alignment_random": Metric(
        "1", "As alignment_symmetric, for e-prop with random feedback on the same network."
    ),
    "alignment_permuted": Metric(
        "1", "The same for symmetric e-prop with the labels of the batch permuted: the null."
    ),
    # local learning (neftci)
    **{
        f"accuracy_layer{k}": Metric("fraction", f"Accuracy of the readout of hidden layer {k}.")
        for k in (1, 2, 3)
    },
    **{
        f"activity_layer{k}": Metric(
            "spikes/step", f"Spikes per neuron and time step in hidden layer {k}."
        )
        for k in (1, 2, 3)
    },
    **{
        f"nmse_layer{k}": Metric(
            "1", f"Squared error of layer {k}'s readout over the variance of its time series."
        )
        for k in (1, 2, 3)
    },
    **{
        f"alignment_layer{k}": Metric(
            "1",
            f"M3: cosine of layer {k}'s local gradients, summed over the trial, with the gradient "
            "by BPTT on the same batch, mean over batches and over training.",
        )
        for k in (1, 2, 3)
    },
    "alignment_network": Metric("1", "The same, weights and biases of all layers together."),
    **{
        f"alignment_{place}_permuted": Metric(
            "1", f"As alignment_{place}, local gradients with the labels permuted: the null."
        )
        for place in ("layer1", "layer2", "layer3", "network")
    },
    "depth_gain": Metric(
        "fraction", "Accuracy of the last layer's readout minus that of the first layer's."
    ),
    "memory_slope_local": Metric(
        "byte/step", "Growth of a local training step's buffers with the length of the trial."
    ),
    "memory_slope_end_to_end": Metric("byte/step", "The same of back-propagation through time."),
    "memory_slope_ratio": Metric("1", "Growth of memory, local over end to end."),
    "accuracy_designed": Metric("fraction", "Accuracy of the device before neurons deviate."),
    "accuracy_built": Metric("fraction", "Accuracy with deviating neurons, nothing relearned."),
    "accuracy_relearned": Metric("fraction", "Accuracy with deviating neurons after relearning."),
    "lost": Metric("fraction", "Accuracy that is lost when neurons deviate: designed - built."),
    "regained": Metric(
        "fraction",
        "(relearned - built) / (designed - built): share of the loss that is regained; nan where "
        "less than `least_loss` of talk.yaml was lost.",
    ),
    # training cost
    "train_seconds": Metric("s", "Wall-clock time of training."),
    "epoch_seconds": Metric("s", "Process CPU time of one training epoch."),
    "epochs": Metric("1", "Training epochs."),
}
