"""The closed list of metrics: name, unit and one-line definition; the report prints it."""

from __future__ import annotations

from dataclasses import dataclass

from whyspiking.records.frontier_columns import COUNTED


@dataclass(frozen=True)
class Metric:
    """One entry of the glossary: unit and a one-line definition."""

    unit: str
    definition: str


_DEFINED = {
    # score
    "accuracy": "fraction: Share of trials (of labelled steps, where every step is labelled) whose "
    "choice is the target; undecided counts as wrong.",
    "accuracy_whole": "fraction: Accuracy on the whole published test set, in the engine of "
    "training, where Brian2 is given a part of it.",
    "validation_accuracy": "fraction: Accuracy on held-out trials, by which is chosen.",
    "accuracy_fresh": "fraction: Accuracy on fresh samples beyond the published test set.",
    "undecided": "fraction: Share of trials without a decision.",
    "score": "fraction: S of the battery: accuracy, or max(0, 1 - NMSE) for continuous outputs.",
    "chance": "fraction: Score of guessing: 1/K, the share of the most frequent label where every "
    "step is labelled, or the score against time-shifted targets.",
    "normalised_score": "fraction: (S - chance) / (clean S - chance): 1 unperturbed, 0 chance.",
    "correlation": "1: Pearson correlation of output and target, mean over channels; lag-tolerant "
    "(best lag per 1 s window) for autonomous oscillators.",
    "nrmse": "1: Root mean square error over the standard deviation of the target; at the best lag "
    "per 1 s window for autonomous oscillators.",
    # timing
    "timing_index": "1: T1: 1 - normalised score when spike times are redrawn and counts kept; 0 "
    "rate code, 1 timing code.",
    "timing_information": "1: T2: (S_trace - S_count)/(S_trace - chance) of fresh linear decoders.",
    "sigma50": "ms: T3: jitter at which the normalised score is 0.5, in the time of the model; inf "
    "if not reached.",
    "reversal_loss": "1: T4: 1 - normalised score when every trial is mirrored in time: order is "
    "turned, intervals and coincidences stay.",
    "shift_loss": "1: T5: 1 - normalised score when all spikes of a neuron in a trial move "
    "together, by one draw of sd tau_char: times of different neurons lose their relation; where "
    "no neuron fires twice, that of jitter of the same sd, which is the same.",
    # latency
    "decision_time": "ms: Mean time of the decision over decided trials.",
    "t95": "ms: L2: first time at which 95 % of the final score above chance is reached.",
    "speed_area": "fraction: L3: mean over time of the anytime score above chance, relative to the "
    "final one; of a control, the score on what has arrived of its input.",
    "label_delay": "ms: Median time from a change of the true label to that of the chosen one.",
    "missed_changes": "fraction: Share of changes of the true label after which the new one is "
    "never chosen.",
    # counting
    "spikes": "spikes/trial: Spikes of all populations that feed synapses, inputs included.",
    "spikes_input": "spikes/trial: Input spikes.",
    "messages": "values/trial: What hidden neurons send: values that are not 0, spikes.",
    "spikes_hidden": "spikes/trial: Hidden spikes.",
    "spikes_per_neuron": "spikes/trial: Hidden spikes per hidden neuron.",
    "spikes_to_decision": "spikes/trial: Spikes up to the decision.",
    "rate": "Hz: Mean firing rate of the population.",
    "syn_events": "ops/trial: Sum over spikes of the non-zero outgoing weights of the neuron.",
    "syn_events_feedforward": "ops/trial: Synaptic events of feed-forward synapses.",
    "syn_events_recurrent": "ops/trial: Synaptic events of recurrent synapses.",
    "syn_events_readout": "ops/trial: Synaptic events of readout synapses.",
    "synapses": "1: Non-zero synapses.",
    "events_to_decision": "ops/trial: Synaptic events up to the decision.",
    "macs_effective": "ops/trial: Multiply-accumulates with non-binary presynaptic value, zeros "
    "skipped.",
    "macs_dense": "ops/trial: Multiply-accumulates with nothing skipped.",
    "neuron_updates": "updates/trial: Neurons times time steps (clock-driven).",
    "neuron_updates_event": "updates/trial: Neuron updates if done only when an input spike "
    "arrives.",
    "state_updates": "updates/trial: Updates of state variables beyond the membrane (adaptation, "
    "synaptic current, dendrite), clock-driven.",
    "state_updates_event": "updates/trial: The same if done only when an input spike arrives at "
    "the neuron.",
    "density": "1: Synaptic events per non-zero synapse and trial (s).",
    "information_per_spike": "bit/spike: E2: mutual information of target and choice per spike up "
    "to the decision.",
    "activation_sparsity": "fraction: Share of zero activations over neurons, steps, trials.",
    "connection_sparsity": "fraction: Share of zero weights.",
    "footprint": "byte: Bytes of weights (zeros count) and of parameters per neuron at 32 bits; "
    "state excluded.",
    # activity of each recorded population, named in the location column
    "rate_hz": "Hz: Spikes per neuron and second of the population.",
    "active_share": "fraction: Share of the population that fires at least once in a trial, mean "
    "over trials.",
    "isi_cv": "1: Coefficient of variation of the intervals between spikes within trials, those of "
    "all trials pooled, mean over neurons with at least 20 of them: a rate that changes within or "
    "between trials adds to it. Undefined where there is no such neuron.",
    "isi_cv_trial": "1: The same for the intervals of single trials, mean over neurons and trials "
    "with at least 20 of them; a rate that changes within trials still adds to it.",
    "isi_lv": "1: Local variation of successive intervals (Shinomoto et al. 2009), to which slow "
    "changes of the rate add nothing: 0 regular, 1 Poisson; neurons with at least 20 pairs.",
    "burst_fraction": "fraction: Share of bursts (spikes at most 10 ms apart) among bursts and "
    "single spikes.",
    "count_correlation": "1: Correlation of the spike counts of two neurons over trials (over bins "
    "of 100 ms, where there are fewer than 20 trials), mean over all pairs of at most 200 neurons, "
    "drawn. Total: what both owe to the stimulus counts.",
    "count_correlation_within": "1: The same with counts about the mean of the trial's class: "
    "nearest to the noise correlation of recordings, which repeat one stimulus. Undefined without "
    "classes or with fewer than 20 trials.",
    "timescale": "ms: Intrinsic timescale: decay of the autocorrelation of counts in bins of 50 ms "
    "(Murray et al. 2014), mean over at most 200 neurons, drawn. Undefined in trials below 500 ms, "
    "without a neuron of 100 spikes, and where nothing decays beyond chance.",
    "rate_spread": "1: Standard deviation of log10 of the rates of active neurons; at least 10.",
    "rate_log_skew": "1: Skew of the logarithm of these rates: 0 if they are log-normal.",
    # robustness
    "robustness_area": "fraction: R1: mean normalised score over the non-zero levels of a "
    "perturbation.",
    "half_dose": "level: R2: level at which the normalised score is 0.5; inf if not reached.",
    "bits95": "bit: R2: fewest weight bits with normalised score of at least 0.95.",
    "loss_recovered": "fraction: Share of the score lost under a perturbation that further "
    "training wins back: (S - S before) / (clean S before - S before); 0 nothing, 1 all. Undefined "
    "where less than 2 points were lost.",
    # size
    "parameters": "1: Numbers that training sets.",
    # the ground; the perturbation column names the floor
    "floor_excess": "fraction: Accuracy of the best floor that may veto a task, minus chance.",
    "decisions_differ": "fraction: Share of test trials that a trained network and the network of "
    "first spikes that it is mapped onto decide otherwise.",
    "hidden_difference": "1: Largest difference of what a rectified unit has and what the first "
    "spike of its neuron says, over units and test trials.",
    # approximation and element distinctness; the perturbation column names the target or the task,
    # the strength column the number of units
    "rms_error": "1: Root mean square of answer minus target over fresh points.",
    "largest_error": "1: Largest distance of answer and target over fresh points.",
    "relative_error": "1: Root mean square error over the standard deviation of the target.",
    "exponent": "1: Slope of the logarithm of the root mean square error over that of the number "
    "of units.",
    "output_time": "1: Time until the answer is there, in units of the input window; the latest.",
    "units_enough": "1: Fewest units, of the sizes tried, with an accuracy of at least 95 %.",
    # networks that others released, against what they saved
    "released_time_error_p99": "ms: 99th percentile of the absolute difference of output spike "
    "times in the training engine from those that the authors saved, over all output neurons and "
    "test trials; a spike that one side lacks counts as fired at the end of the trial.",
    "released_time_error_max": "ms: Largest of these differences.",
    "released_decisions": "fraction: Share of test trials decided as by the saved spike times.",
    "released_step_error_p99": "ms: 99th percentile of the difference of output spike times in the "
    "authors' own integrator, programmed anew, from those that they saved.",
    "released_step_decisions": "fraction: Share of test trials which that integrator decides as "
    "the saved spike times do.",
    "released_grazing": "fraction: Share of hidden neurons and trials that fire in that integrator "
    "and stay below threshold in closed form.",
    "released_accuracy": "fraction: Accuracy of the saved spike times.",
    "released_time_sd": "ms: Standard deviation of the difference of output spike times from the "
    "saved ones, where both sides fire.",
    "released_time_explained": "fraction: Share of the squared difference between saved output "
    "times and those of ideal neurons that a model of the substrate explains, on trials that it "
    "was not fitted to; spikes that all three have.",
    "released_time_explainable": "fraction: The same share without a model, from what the "
    "substrate answered to the nearest inputs among the fitted trials.",
    "released_first": "1: Hidden neurons of the released network whose weights from pixels "
    "without ink are the first draw of the script's random numbers (np.random.seed(0)), decayed.",
    "released_epochs": "1: Age of these in epochs of 60,000 images, by their decay; median.",
    "released_resets": "1: Other hidden neurons whose weights are redraws of these random "
    "numbers, in their order, each a whole number of epochs old.",
    # parity of engines
    "equal_decisions": "fraction: Q1: share of trials, or labelled steps, with the same choice in "
    "both engines.",
    "spike_time_error": "ms: Q1: median absolute difference of output spike times between engines.",
    "spike_time_error_p99": "ms: Q1: 99th percentile of the same over all output neurons and "
    "trials; a spike that one engine lacks counts as fired at the end of the trial.",
    "spike_time_error_max": "ms: Q1: largest of these differences.",
    "spike_time_error_hidden": "ms: Q1: median absolute difference of hidden spike times between "
    "engines.",
    "spike_partners": "fraction: Q1: share of first spikes of either engine with a partner in the "
    "other within one step.",
    "rate_correlation": "1: Q1: correlation over neurons of their numbers of spikes in the two "
    "engines.",
    "equal_spike_sets": "fraction: Q1: share of hidden neurons and trials that agree on firing or "
    "silence.",
    "score_difference": "fraction: Q1: score in Brian2 minus score in the training engine.",
    "dt_sensitivity": "fraction: Q2: score at half the time step minus score.",
    # hippocampal sequences (clopath)
    "internal_frequency": "Hz: Frequency of the network's own rhythm (phase slope of the decoded "
    "oscillator).",
    "internal_frequency_off": "Hz: The same with septal inhibition removed.",
    "beat_frequency": "Hz: Frequency that maximises the mean vector strength of excitatory spikes.",
    "order_correlation": "1: Circular correlation, over excitatory neurons, of the mean phase of "
    "their spikes in the theta sequence with that in the compressed replay.",
    "order_correlation_reversed": "1: The same against the reversed replay.",
    "ordered_share": "fraction: Share of excitatory neurons with at least 3 spikes in the sequence "
    "and in its replay: those whose order is compared.",
    "sequence_rate": "Hz: Spikes per excitatory neuron and second while the septum is on.",
    "replay_rate": "Hz: The same while the septum is off.",
    "compression": "1: Measured duration of the sequence over that of its replay.",
    "recall_order": "1: Rank correlation of the times at which cells were taught sequence 1 "
    "and are recalled in one cycle of a sharp wave, at the cut of the cycle that fits best "
    "(unrelated orders of 100 cells: about 0.2).",
    "recall_order_second": "1: The same against sequence 2.",
    "recall_order_theta": "1: The same for sequence 1, recalled in theta, over cycles of the beat.",
    "recall_compression": "1: How much faster cells are recalled than they were taught (inverse of "
    "the median slope).",
    "recalled_share": "fraction: Share of the taught cells that fire in one cycle of a sharp wave.",
    "recalled_share_theta": "fraction: Share that fires in theta after learning.",
    "wave_rate": "1/s: Sharp waves that start per second, without any input: spans in which an "
    "initiator fires at more than 50 Hz on average.",
    "wave_interval": "ms: From the start of a sharp wave to that of the next, mean.",
    "wave_interval_cv": "1: Coefficient of variation of these intervals.",
    "wave_duration": "ms: How long a sharp wave lasts, mean; one that has not ended with the trial "
    "counts with what was seen of it, and so does one that lasts since before the warm-up.",
    "wave_cycles": "1: Cycles of the decoded oscillator in a sharp wave, mean.",
    "wave_frequency": "Hz: Trained cycles that the other excitatory neurons go through per second "
    "of a sharp wave, from the regression of their places on the times of their spikes, mean; "
    "negative: in reversed order.",
    "wave_fit": "1: Length of the mean residual vector of that regression, mean: 1 is the trained "
    "order, unrelated ones have about 0.15.",
    "wave_share": "fraction: Share of these neurons that fire in a sharp wave, mean.",
    "output_frequency": "Hz: Frequency of an autonomous output: slope of the phase of its analytic "
    "signal.",
    # labelled steps (bohte)
    "accuracy_padded": "fraction: Accuracy over steps with unlabelled ones counted as the first "
    "class.",
    "energy_ratio_published": "1: Energy of an LSTM of equal size over that of the spiking network "
    "by the paper's own formula (README of the talk).",
    # one spike a neuron (masquelier)
    "accuracy_best_test": "fraction: Best accuracy on the test images over all epochs, a tie with "
    "the true class as a hit. It chooses by test images, so it is held only against a number that "
    "was chosen so; no network is kept by it.",
    "accuracy_best_test_40": "fraction: The same over the first 40 epochs.",
    "accuracy_late_spread": "fraction: Standard deviation of the accuracy on the test images, so "
    "scored, over the last ten epochs.",
    # first-spike networks (comsa)
    "hidden_before_decision": "fraction: Share of hidden neurons that fire before the decision, "
    "mean over decided trials.",
    "slow_regime": "1: 1 for a network whose first output spike comes at 7.2 time units or later, "
    "mean over decided trials: half of the authors' slow network; else 0.",
    "waits_for_hidden": "1: 1 for a network that decides after at least 99 % of its hidden neurons "
    "have fired, else 0.",
    "accuracy_slow": "fraction: Accuracy of a network in the slow regime; of others there is none.",
    "same_start": "1: Correlation of the authors' slow and fast network over weights from pixels "
    "that are never lit, less their mean per neuron: 1 if both were trained from one start.",
    "same_start_shuffled": "1: The same with the neurons of one network shifted by one.",
    "older": "fraction: Share of hidden neurons whose weights from pixels that are never lit have "
    "not sunk from the authors' slow to their fast network.",
    "rate_told": "1: Learning rate of the authors' weights between their slow and fast network: "
    "the smallest rise of a neuron's weights from pixels that are never lit, over what Adam makes "
    "of one batch with silent images.",
    "accuracy_xor": "fraction: Accuracy on noisy XOR, median over networks.",
    "accuracy_and": "fraction: Accuracy on noisy AND, median over networks.",
    "accuracy_or": "fraction: Accuracy on noisy OR, median over networks.",
    # burst-dependent plasticity, parts (naud)
    "event_rate": "Hz: Events (spikes after 16 ms of silence) per neuron and second.",
    "event_correlation": "1: Correlation of event rate and somatic current, lower ensemble, mean "
    "of the trials.",
    "relay_correlation": "1: Correlation of event rates, lower and upper ensemble.",
    "burst_correlation": "1: Correlation of burst probability and dendritic current, upper "
    "ensemble.",
    "topdown_correlation": "1: Correlation of the upper burst rate and the lower burst "
    "probability.",
    "cross_correlation": "1: Largest absolute correlation across channels: dendritic current with "
    "either event rate, somatic current with the upper burst probability.",
    "channel_separation": "1: Smaller correlation of a channel with its own current, less the "
    "largest across channels.",
    "zero_crossing": "fraction: Burst probability at which the change of weight is 0, by a "
    "straight line; mean over event rates.",
    "zero_crossing_error": "fraction: Largest distance of that probability, over event rates, from "
    "the starting running mean.",
    "slope_ratio": "1: Slope of change against burst probability, highest over lowest event rate.",
    "poisson_crossing_low": "Hz: Poisson rate at which the change of weight is 0, lower running "
    "mean at the start.",
    "poisson_crossing_high": "Hz: The same for the higher running mean.",
    # burst-dependent plasticity, XOR (naud)
    "xor_ordering": "fraction: Share of plasticity-off tests in the last fifth of training in "
    "which both true outputs exceed both false ones by at least 1 Hz.",
    "xor_margin": "Hz: Lower of the true outputs minus higher of the false ones, mean over those "
    "tests.",
    "xor_side_margin": "Hz: Least distance of one of the four outputs to 6 Hz, negative on the "
    "wrong side; engine of training: the published test after learning, 8 s a pattern; Brian2: "
    "all presentations of the frozen network.",
    **{
        f"xor_output_{pattern}": f"Hz: Output rate for the pattern {pattern}, in the same tests."
        for pattern in ("00", "10", "01", "11")
    },
    "credit_signs": "fraction: Share of ensembles (H1, H2, O) and patterns whose burst probability "
    "moves as designed while the teaching current is on, in H1 and H2 by more than 0.03; first 10 "
    "epochs.",
    "credit_hidden": "1: Least of these movements in H1 and H2, absolute.",
    **{
        f"credit_angle_{k}": f"degrees: Angle of the rule's credit in hidden layer {k} to that of "
        "backpropagation, mean over validation samples, after training."
        for k in (1, 2, 3)
    },
    "feedback_angle": "degrees: Angle of the feedback weights onto the highest hidden layer to the "
    "forward weights, after training.",
    "presentations_to_10_percent": "samples: Samples shown until the validation error, read after "
    "every epoch, is below 10 %; inf if it never is.",
    "gradient_cosine_hidden": "1: M3: cosine of the rule's weight changes with the gradient of an "
    "equivalent rate model; input to hidden, after training.",
    "gradient_cosine_output": "1: The same, hidden to output.",
    "gradient_cosine_hidden_start": "1: Input to hidden, before training.",
    "gradient_cosine_output_start": "1: Hidden to output, before training.",
    "gradient_cosine_hidden_permuted": "1: Input to hidden, after training, mean over permuted "
    "pattern labels.",
    "gradient_cosine_output_permuted": "1: Hidden to output, after training, mean over permuted "
    "pattern labels.",
    "rate_model_error": "Hz: Root mean square error of that rate model on the rates it was fitted "
    "to.",
    # e-prop (scherr)
    "nmse": "1: Squared error of the output over the variance of the target in time.",
    "nmse_before": "1: The same during the one demonstration, before any learning.",
    "iterations_to_criterion": "iterations: Iterations before the authors' criterion for ending a "
    "training was met: error below 7 % in one batch of fresh trials and in eight more; inf if it "
    "never was.",
    "learning_memory": "numbers: M1: numbers that the learning rule keeps beside weights and "
    "neurons.",
    "feedback_cue_correlation": "1: Correlation over neurons of the difference of their fixed "
    "feedback weights (right less left choice) with that of their rates in right and left cues.",
    "alignment_symmetric": "1: M3: cosine of the gradients by symmetric e-prop and by BPTT on the "
    "same batch, mean over batches and over training.",
    "gradient_cosine_engines": "1: Cosine of the gradients of one trial in Brian2 and by "
    "differentiation in JAX.",
    "alignment_random": "1: As alignment_symmetric, for e-prop with random feedback on the same "
    "network.",
    "alignment_permuted": "1: The same for symmetric e-prop with the labels of the batch permuted: "
    "the null.",
    # local learning (neftci)
    **{
        f"accuracy_layer{k}": f"fraction: Accuracy of the readout of hidden layer {k}."
        for k in (1, 2, 3)
    },
    **{
        f"activity_layer{k}": f"spikes/step: Spikes per neuron and time step in hidden layer {k}."
        for k in (1, 2, 3)
    },
    **{
        f"nmse_layer{k}": f"1: Squared error of layer {k}'s readout over the variance of its time "
        "series."
        for k in (1, 2, 3)
    },
    "error_over_released": "1: Squared error of a layer's readout over that of the same layer in "
    "the authors' stored run, in the layer in which that is largest.",
    **{
        f"alignment_layer{k}": f"1: M3: cosine of layer {k}'s local gradients, summed over the "
        "trial, with the gradient by BPTT on the same batch, mean over batches and over training."
        for k in (1, 2, 3)
    },
    "alignment_network": "1: The same, weights and biases of all layers together.",
    **{
        f"alignment_{place}_permuted": f"1: As alignment_{place}, local gradients with the labels "
        "permuted: the null."
        for place in ("layer1", "layer2", "layer3", "network")
    },
    "depth_gain": "fraction: Accuracy of the last layer's readout minus that of the first layer's.",
    "last_layer_gain": "fraction: Accuracy of the last layer's readout minus that of the layer "
    "before.",
    "accuracy_told": "fraction: Accuracy of one who is told which classes were taught together "
    "with the right one, and chooses among them.",
    "learned_told": "fraction: The same on held-out samples, of each lesson at its own end; mean "
    "over lessons.",
    "forgotten": "fraction: What of it is lost by the end of the last lesson; mean over all "
    "others.",
    "memory_slope_local": "byte/step: Growth of a local training step's buffers with the length of "
    "the trial.",
    "memory_slope_end_to_end": "byte/step: The same of back-propagation through time.",
    "memory_slope_ratio": "1: Growth of memory, local over end to end.",
    "accuracy_designed": "fraction: Accuracy of the device before neurons deviate.",
    "accuracy_built": "fraction: Accuracy with deviating neurons, nothing relearned.",
    "accuracy_relearned": "fraction: Accuracy with deviating neurons after relearning.",
    "lost": "fraction: Accuracy that is lost when neurons deviate: designed - built.",
    "gained": "fraction: Accuracy that relearning brings: relearned - built.",
    "above_half_way": "fraction: relearned - (designed + built) / 2; above 0 where relearning "
    "regains more than half of what was lost.",
    # training cost
    "train_seconds": "s: Wall-clock time of training.",
    "train_cpu_seconds": "s: Process CPU time of training.",
    "epoch_seconds": "s: Process CPU time of one training epoch.",
    "epochs": "1: Training epochs.",
}
"""Metric -> its unit, a colon, and its definition."""
GLOSSARY: dict[str, Metric] = {
    **{column.name: Metric(column.unit, column.says) for column in COUNTED},
    **{name: Metric(*said.split(": ", 1)) for name, said in _DEFINED.items()},
}
