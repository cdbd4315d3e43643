"""All metrics of the project: name, unit and definition. The report prints this list."""

from __future__ import annotations

from dataclasses import dataclass

from whyspiking.records.frontier_columns import COUNTED


@dataclass(frozen=True)
class Metric:
    """Unit and definition of one metric."""

    unit: str
    definition: str


_DEFINED = {
    # score
    "accuracy": "fraction: Fraction of trials in which the decision is the target class. Where "
    "every time step is labelled, it is a fraction of labelled steps. Undecided trials count as "
    "errors.",
    "accuracy_whole": "fraction: Accuracy of the training code on the whole published test set, "
    "where Brian2 simulates only a part of it.",
    "validation_accuracy": "fraction: Accuracy on held-out validation trials, which choose "
    "networks and settings.",
    "accuracy_fresh": "fraction: Accuracy on newly generated samples that are not in the "
    "published test set.",
    "undecided": "fraction: Fraction of trials without a decision.",
    "score": "fraction: Score used by the robustness tests: the accuracy, or max(0, 1 - NMSE) for "
    "continuous outputs.",
    "chance": "fraction: Chance level of the score: 1/K with K classes, the fraction of the most "
    "frequent label where every step is labelled, or the score with time-shifted targets.",
    "normalised_score": "fraction: (S - chance) / (clean S - chance) for a score S under a "
    "perturbation: 1 means no loss, 0 means chance level.",
    "correlation": "1: Pearson correlation of output and target, averaged over channels. For "
    "autonomous oscillators, the best time lag of each 1 s window is used.",
    "nrmse": "1: Root mean square error divided by the standard deviation of the target. For "
    "autonomous oscillators, the best time lag of each 1 s window is used.",
    # timing
    "timing_index": "1: 1 - normalised score when spike times are redrawn at random and spike "
    "counts are kept. It is 0 for a rate code and 1 for a timing code.",
    "timing_information": "1: (S_time - S_count) / (S_time - chance), where S_time and S_count "
    "are the scores of linear decoders that are trained on spike times and on spike counts.",
    "sigma50": "ms: Standard deviation of the jitter at which the normalised score is 0.5, in "
    "model time; inf if this level is not reached.",
    "reversal_loss": "1: 1 - normalised score when every trial is reversed in time. Reversal "
    "changes the order of spikes and keeps intervals and coincidences.",
    "shift_loss": "1: 1 - normalised score when all spikes of a neuron in a trial are shifted "
    "together by a random time of standard deviation tau_char. Where no neuron fires twice, it is "
    "the equal loss with jitter of this size.",
    # latency
    "decision_time": "ms: Mean time of the decision over decided trials.",
    "t95": "ms: First time at which 95 % of the final score above chance level is reached.",
    "speed_area": "fraction: Score above chance level at each time, averaged over time and "
    "divided by its final value. A control is scored on the part of its input that has arrived by "
    "then.",
    "label_delay": "ms: Median time from a change of the true label to the matching change of the "
    "decision.",
    "missed_changes": "fraction: Fraction of changes of the true label after which the new label "
    "is never chosen.",
    # counting
    "spikes": "spikes/trial: Spikes of all populations that have outgoing synapses, including the "
    "inputs.",
    "spikes_input": "spikes/trial: Input spikes.",
    "spikes_hidden": "spikes/trial: Hidden spikes.",
    "spikes_per_neuron": "spikes/trial: Hidden spikes per hidden neuron.",
    "spikes_to_decision": "spikes/trial: Spikes before the decision.",
    "rate": "Hz: Mean firing rate of the population.",
    "syn_events": "ops/trial: Synaptic events: the number of non-zero outgoing weights of the "
    "neuron, summed over spikes.",
    "syn_events_feedforward": "ops/trial: Synaptic events of feed-forward synapses.",
    "syn_events_recurrent": "ops/trial: Synaptic events of recurrent synapses.",
    "syn_events_readout": "ops/trial: Synaptic events of readout synapses.",
    "synapses": "1: Number of synapses with a non-zero weight.",
    "events_to_decision": "ops/trial: Synaptic events before the decision.",
    "macs_effective": "ops/trial: Multiply-accumulates whose presynaptic value is neither 0 nor a "
    "binary spike.",
    "macs_dense": "ops/trial: Multiply-accumulates if no operation is skipped.",
    "neuron_updates": "updates/trial: Clock-driven neuron updates: the number of neurons times "
    "the number of time steps.",
    "neuron_updates_event": "updates/trial: Event-driven neuron updates, which happen only when "
    "an input spike arrives.",
    "state_updates": "updates/trial: Clock-driven updates of state variables other than the "
    "membrane potential (adaptation, synaptic current, dendrite).",
    "state_updates_event": "updates/trial: Event-driven updates of these state variables, which "
    "happen only when an input spike arrives at the neuron.",
    "density": "1: Synaptic events per non-zero synapse and trial.",
    "information_per_spike": "bit/spike: Mutual information of target and decision, divided by "
    "the number of spikes before the decision.",
    "activation_sparsity": "fraction: Fraction of zero activations over all neurons, time steps "
    "and trials.",
    "connection_sparsity": "fraction: Fraction of weights that are zero.",
    "footprint": "byte: Memory at 32 bits for all weights, including zeros, and for the "
    "parameters of all neurons, without the states of neurons.",
    # activity of each recorded population, named in the location column
    "rate_hz": "Hz: Spikes per neuron and second in the population.",
    "active_share": "fraction: Fraction of the population that fires at least once in a trial, "
    "averaged over trials.",
    "isi_cv": "1: Coefficient of variation of interspike intervals within trials, pooled over all "
    "trials and averaged over neurons with at least 20 intervals. Rates that change within or "
    "between trials increase it. It is undefined if no neuron has 20 intervals.",
    "isi_cv_trial": "1: Coefficient of variation of the interspike intervals of single trials, "
    "averaged over neurons and trials with at least 20 intervals. Rates that change within a "
    "trial increase it.",
    "isi_lv": "1: Local variation of successive interspike intervals (Shinomoto et al. 2009), "
    "averaged over neurons with at least 20 pairs. It is 0 for regular firing and 1 for a Poisson "
    "process, and slow changes of the rate hardly affect it.",
    "burst_fraction": "fraction: Number of bursts (spikes at most 10 ms apart) divided by the "
    "number of bursts and single spikes.",
    "count_correlation": "1: Correlation of the spike counts of two neurons over trials (over "
    "bins of 100 ms if there are fewer than 20 trials), averaged over all pairs of at most 200 "
    "random neurons. It includes the correlation that the stimulus causes.",
    "count_correlation_within": "1: Correlation of two neurons' spike counts after subtraction of "
    "the mean of the trial's class. It is the closest analogue of noise correlation, which is "
    "measured with one repeated stimulus. It is undefined without classes or with fewer than 20 "
    "trials.",
    "timescale": "ms: Intrinsic timescale: decay time of the autocorrelation of spike counts in "
    "bins of 50 ms (Murray et al. 2014), averaged over at most 200 random neurons. It is "
    "undefined in trials below 500 ms, without a neuron of 100 spikes, and where no decay beyond "
    "chance is found.",
    "rate_spread": "1: Standard deviation of log10 of the firing rates of active neurons, of "
    "which there must be at least 10.",
    "rate_log_skew": "1: Skewness of the logarithm of the firing rates of active neurons. It is 0 "
    "if rates are log-normal.",
    # robustness
    "robustness_area": "fraction: Normalised score, averaged over the non-zero levels of a "
    "perturbation.",
    "half_dose": "level: Level of the perturbation at which the normalised score is 0.5; inf if "
    "this is not reached.",
    "bits95": "bit: Smallest number of bits per weight at which the normalised score is at least "
    "0.95.",
    "loss_recovered": "fraction: Fraction of the score lost under a perturbation that further "
    "training recovers: (S - S before) / (clean S before - S before). It is undefined where less "
    "than 2 percentage points were lost.",
    # size
    "parameters": "1: Number of trained parameters.",
    # the shared benchmark; the perturbation column names the memoryless baseline
    "floor_excess": "fraction: Accuracy minus chance level of the best memoryless baseline that "
    "must stay at chance level for the task to be valid.",
    "decisions_differ": "fraction: Fraction of test trials in which a trained ReLU network and "
    "the first-spike network onto which it is mapped make different decisions.",
    "hidden_difference": "1: Largest difference between the output of a ReLU unit and the value "
    "that the first spike of its neuron represents, over units and test trials.",
    # approximation, element distinctness; perturbation: target or task, strength: number of units
    "rms_error": "1: Root mean square of output minus target over test points.",
    "largest_error": "1: Largest absolute difference between output and target over test points.",
    "relative_error": "1: Root mean square error divided by the standard deviation of the target.",
    "exponent": "1: Slope of the logarithm of the root mean square error against the logarithm of "
    "the number of units.",
    "output_time": "1: Latest time at which the output is ready, in units of the input window.",
    "units_enough": "1: Smallest number of units, among the tested sizes, with an accuracy of at "
    "least 95 %.",
    # networks of the original authors, compared with the outputs that they saved
    "released_time_error_p99": "ms: 99th percentile of the absolute difference between output "
    "spike times of the training code and those that the authors saved, over all output neurons "
    "and test trials. A missing spike counts as fired at the end of the trial.",
    "released_time_error_max": "ms: Largest absolute difference between output spike times of the "
    "training code and those that the authors saved.",
    "released_decisions": "fraction: Fraction of test trials in which the decision equals that of "
    "the saved spike times.",
    "released_step_error_p99": "ms: 99th percentile of the difference between output spike times "
    "of our reimplementation of the authors' integrator and those that they saved.",
    "released_step_decisions": "fraction: Fraction of test trials in which our reimplementation "
    "of the authors' integrator makes the same decision as the saved spike times.",
    "released_grazing": "fraction: Fraction of hidden neurons and trials in which the neuron "
    "fires in the reimplementation of the authors' integrator and stays below threshold in closed "
    "form.",
    "released_accuracy": "fraction: Accuracy of the decisions that the saved spike times give.",
    "released_time_sd": "ms: Standard deviation of the difference between our output spike times "
    "and the saved ones, where both have a spike.",
    "released_time_explained": "fraction: Fraction of the squared difference between the saved "
    "output times and those of ideal neurons that a model of the substrate explains. It is "
    "computed on trials that were not used for fitting, for spikes that all three have.",
    "released_time_explainable": "fraction: Fraction of this squared difference that is explained "
    "without a model, by the response of the substrate to the nearest inputs among the fitted "
    "trials.",
    "released_first": "1: Number of hidden neurons of the released network whose weights from "
    "pixels without ink equal the first random numbers of the script (np.random.seed(0)) after "
    "decay.",
    "released_epochs": "1: Median age of these neurons in epochs of 60,000 images, estimated from "
    "the decay of their weights.",
    "released_resets": "1: Number of other hidden neurons whose weights are later random numbers "
    "of the script, in the script's order, each drawn a whole number of epochs ago.",
    # agreement between simulators
    "equal_decisions": "fraction: Fraction of trials, or of labelled steps, in which Brian2 and "
    "the training code make the same decision.",
    "spike_time_error": "ms: Median absolute difference of output spike times between Brian2 and "
    "the training code.",
    "spike_time_error_p99": "ms: 99th percentile of the absolute difference of output spike times "
    "between Brian2 and the training code, over all output neurons and trials. A missing spike "
    "counts as fired at the end of the trial.",
    "spike_time_error_max": "ms: Largest absolute difference of output spike times between Brian2 "
    "and the training code.",
    "spike_time_error_hidden": "ms: Median absolute difference of hidden spike times between "
    "Brian2 and the training code.",
    "spike_partners": "fraction: Fraction of first spikes in Brian2 or in the training code that "
    "have a matching spike in the other simulator within one time step.",
    "rate_correlation": "1: Correlation over neurons between the spike counts in Brian2 and in "
    "the training code.",
    "equal_spike_sets": "fraction: Fraction of hidden neurons and trials for which Brian2 and the "
    "training code agree on whether the neuron fires.",
    "score_difference": "fraction: Score in Brian2 minus score in the training code.",
    "dt_sensitivity": "fraction: Score with half the time step minus score with the full time "
    "step.",
    # hippocampal sequences (clopath)
    "internal_frequency": "Hz: Frequency of the network's own rhythm: phase slope of the decoded "
    "oscillator.",
    "internal_frequency_off": "Hz: Frequency of the network's own rhythm when septal inhibition "
    "is removed.",
    "beat_frequency": "Hz: Frequency that maximises the mean vector strength of excitatory spikes.",
    "order_correlation": "1: Circular correlation, over excitatory neurons, between the mean "
    "phase of their spikes in the theta sequence and in the compressed replay.",
    "order_correlation_reversed": "1: Circular correlation, over excitatory neurons, between the "
    "mean phase of their spikes in the theta sequence and in the reversed replay.",
    "ordered_share": "fraction: Fraction of excitatory neurons whose order is compared, because "
    "they have at least 3 spikes in the sequence and in its replay.",
    "sequence_rate": "Hz: Spikes per excitatory neuron and second while the septum is active.",
    "replay_rate": "Hz: Spikes per excitatory neuron and second while the septum is inactive.",
    "compression": "1: Measured duration of the sequence divided by the duration of its replay.",
    "recall_order": "1: Rank correlation between the times at which cells were activated while "
    "sequence 1 was taught and in one cycle of a sharp wave. The cycle is cut where the "
    "correlation is highest (unrelated orders of 100 cells: about 0.2).",
    "recall_order_second": "1: Rank correlation between the times at which cells were activated "
    "while sequence 2 was taught and in one cycle of a sharp wave.",
    "recall_order_theta": "1: Rank correlation for sequence 1 during theta, over cycles of the "
    "beat.",
    "recall_compression": "1: Speed of recall divided by speed of teaching: inverse of the median "
    "slope of recalled against taught times.",
    "recalled_share": "fraction: Fraction of the taught cells that fire in one cycle of a sharp "
    "wave.",
    "recalled_share_theta": "fraction: Fraction of the taught cells that fire in theta after "
    "learning.",
    "wave_rate": "1/s: Number of sharp waves per second without any input. A sharp wave is a "
    "period in which an initiator neuron fires at more than 50 Hz on average.",
    "wave_interval": "ms: Mean interval between the starts of successive sharp waves.",
    "wave_interval_cv": "1: Coefficient of variation of the intervals between the starts of "
    "successive sharp waves.",
    "wave_duration": "ms: Mean duration of a sharp wave. A wave that began before the end of the "
    "warm-up or lasts until the end of the trial counts with its observed duration.",
    "wave_cycles": "1: Mean number of cycles of the decoded oscillator in a sharp wave.",
    "wave_frequency": "Hz: Mean number of trained cycles that the other excitatory neurons pass "
    "through per second of a sharp wave, from a regression of their positions on their spike "
    "times. It is negative in reversed order.",
    "wave_fit": "1: Mean length of the mean residual vector of this regression. It is 1 for the "
    "trained order and about 0.15 for unrelated orders.",
    "wave_share": "fraction: Mean fraction of the other excitatory neurons that fire in a sharp "
    "wave.",
    "output_frequency": "Hz: Frequency of an autonomous output: slope of the phase of its "
    "analytic signal.",
    # labelled steps (bohte)
    "accuracy_padded": "fraction: Accuracy over all time steps, where unlabelled steps count as "
    "the first class.",
    "energy_ratio_published": "1: Energy of an LSTM of equal size divided by that of the spiking "
    "network, by the paper's own formula (README of the talk).",
    # one spike a neuron (masquelier)
    "accuracy_best_test": "fraction: Best accuracy on the test images over all epochs, where a "
    "tie that includes the true class counts as correct. Because it is chosen on test images, it "
    "is compared only with a number that was chosen in the same way, and it selects no network.",
    "accuracy_best_test_40": "fraction: Best accuracy on the test images over the first 40 "
    "epochs, scored like accuracy_best_test.",
    "accuracy_test_38": "fraction: Accuracy on the test images after epoch 38, scored like "
    "accuracy_best_test. The network that the authors released was trained for 38 epochs.",
    "accuracy_late_spread": "fraction: Standard deviation over the last ten epochs of the "
    "accuracy on the test images, scored like accuracy_best_test.",
    # electrocardiograms (bohte)
    "accuracy_padded_best_test": "fraction: accuracy_padded in the training code after the epoch "
    "in which it was largest. It is compared only with a number that was chosen in the same way.",
    "accuracy_padded_best_train": "fraction: accuracy_padded in the training code after the epoch "
    "with the largest accuracy on the training records.",
    "accuracy_padded_last": "fraction: accuracy_padded in the training code after the last epoch.",
    # first-spike networks (comsa)
    "hidden_before_decision": "fraction: Fraction of hidden neurons that fire before the "
    "decision, averaged over decided trials.",
    "slow_regime": "1: 1 for a slow network, else 0. A network is slow if its mean first output "
    "spike time over decided trials is at least 7.2 time units, which is half of that of the "
    "authors' slow network.",
    "regime_distance": "ms: Distance of the mean decision time from the gap between 3 and 10 time "
    "units, negative inside. In training the smaller one of the last and the best epoch counts.",
    "late_after_five": "1: 1 for a late network (at 10 time units or after) after epoch 5, else 0.",
    "early_at_last": "1: 1 for an early network (at 3 time units or before) in the end, else 0.",
    "passage_epoch": "1: Epoch in which a late network becomes early, and is not late again.",
    "waits_for_hidden": "1: 1 for a network that decides after at least 99 % of its hidden "
    "neurons have fired, else 0.",
    "accuracy_slow": "fraction: Accuracy of a slow network, undefined for other networks.",
    "same_start": "1: Correlation between the authors' slow and fast network over weights from "
    "pixels that are never lit, minus their mean per neuron. It is 1 if both networks had the "
    "same initial weights.",
    "same_start_shuffled": "1: same_start after the neurons of one network were shifted by one.",
    "older": "fraction: Fraction of hidden neurons whose weights from pixels that are never lit "
    "did not decrease from the authors' slow to their fast network.",
    "rate_told": "1: Estimate of the learning rate between the authors' slow and fast network: "
    "smallest increase of a neuron's weights from pixels that are never lit, divided by the "
    "change that Adam makes in one batch with silent images.",
    "accuracy_xor": "fraction: Median accuracy over networks on noisy XOR.",
    "accuracy_and": "fraction: Median accuracy over networks on noisy AND.",
    "accuracy_or": "fraction: Median accuracy over networks on noisy OR.",
    # burst-dependent plasticity, parts (naud)
    "event_rate": "Hz: Events (spikes after 16 ms of silence) per neuron and second.",
    "event_correlation": "1: Correlation of event rate and somatic current in the lower ensemble, "
    "averaged over trials.",
    "relay_correlation": "1: Correlation of the event rates of the lower and the upper ensemble.",
    "burst_correlation": "1: Correlation of burst probability and dendritic current in the upper "
    "ensemble.",
    "topdown_correlation": "1: Correlation of the upper burst rate and the lower burst "
    "probability.",
    "cross_correlation": "1: Largest absolute correlation across channels: dendritic current with "
    "either event rate, or somatic current with the upper burst probability.",
    "channel_separation": "1: The smaller correlation of a channel with its own current, minus "
    "the largest correlation across channels.",
    "zero_crossing": "fraction: Burst probability at which the weight does not change, from a "
    "linear fit, averaged over event rates.",
    "zero_crossing_error": "fraction: Largest difference, over event rates, between this burst "
    "probability and the initial running mean.",
    "slope_ratio": "1: Slope of weight change against burst probability at the highest event "
    "rate, divided by that at the lowest.",
    "poisson_crossing_low": "Hz: Poisson rate at which the weight does not change, with the lower "
    "initial running mean.",
    "poisson_crossing_high": "Hz: Poisson rate at which the weight does not change, with the "
    "higher initial running mean.",
    # burst-dependent plasticity, XOR (naud)
    "xor_ordering": "fraction: Fraction of tests without plasticity, in the last fifth of "
    "training, in which both outputs for true exceed both outputs for false by at least 1 Hz.",
    "xor_margin": "Hz: Lower output for true minus higher output for false, averaged over these "
    "tests.",
    "xor_side_margin": "Hz: Smallest distance of the four outputs from 6 Hz, negative on the "
    "wrong side. The training code uses the published test after learning, 8 s per pattern; "
    "Brian2 uses all presentations of the frozen network.",
    **{
        f"xor_output_{pattern}": f"Hz: Output rate for the pattern {pattern} in these tests."
        for pattern in ("00", "10", "01", "11")
    },
    "credit_signs": "fraction: Fraction of ensembles (H1, H2, O) and patterns whose burst "
    "probability moves in the intended direction while the teaching current is on, in the first "
    "10 epochs. In H1 and H2 it must move by more than 0.03.",
    "credit_hidden": "1: Smallest absolute value of these movements in H1 and H2.",
    **{
        f"credit_angle_{k}": f"degrees: Angle between the rule's credit in hidden layer {k} and "
        "that of backpropagation, averaged over validation samples, after training."
        for k in (1, 2, 3)
    },
    "feedback_angle": "degrees: Angle between the feedback weights onto the highest hidden layer "
    "and the forward weights, after training.",
    "presentations_to_10_percent": "samples: Number of presented samples until the validation "
    "error, measured after every epoch, is below 10 %; inf if this is never reached.",
    "gradient_cosine_hidden": "1: Cosine between the rule's weight changes and the gradient of an "
    "equivalent rate model, for weights from input to hidden, after training.",
    "gradient_cosine_output": "1: Cosine between the rule's weight changes and the gradient of an "
    "equivalent rate model, for weights from hidden to output, after training.",
    "gradient_cosine_hidden_start": "1: Cosine between the rule's weight changes and the gradient "
    "of an equivalent rate model, for weights from input to hidden, before training.",
    "gradient_cosine_output_start": "1: Cosine between the rule's weight changes and the gradient "
    "of an equivalent rate model, for weights from hidden to output, before training.",
    "gradient_cosine_hidden_permuted": "1: Negative control of gradient_cosine_hidden: its mean "
    "over permuted pattern labels.",
    "gradient_cosine_output_permuted": "1: Negative control of gradient_cosine_output: its mean "
    "over permuted pattern labels.",
    "rate_model_error": "Hz: Root mean square error of this rate model on the rates to which it "
    "was fitted.",
    # e-prop (scherr)
    "nmse": "1: Mean squared error of the output divided by the variance of the target over time.",
    "nmse_before": "1: Normalised mean squared error during the single demonstration, before any "
    "learning.",
    "iterations_to_criterion": "iterations: Number of iterations until the authors' stopping "
    "criterion was met: error below 7 % in one batch of fresh trials and in eight more; inf if it "
    "was never met.",
    "learning_memory": "numbers: Number of values that the learning rule stores in addition to "
    "weights and states of neurons.",
    "feedback_cue_correlation": "1: Correlation over neurons between two differences: that of "
    "their fixed feedback weights (right minus left choice) and that of their rates (right minus "
    "left cues).",
    "alignment_symmetric": "1: Cosine between the gradients of symmetric e-prop and of BPTT on "
    "the same batch, averaged over batches and over training.",
    "gradient_cosine_engines": "1: Cosine between the gradient of one trial in Brian2 and the "
    "gradient from differentiation in JAX.",
    "alignment_random": "1: Cosine between the gradients of e-prop with random feedback and of "
    "BPTT on the same network, averaged like alignment_symmetric.",
    "alignment_permuted": "1: Negative control of alignment_symmetric, in which the labels of the "
    "batch are permuted.",
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
        f"nmse_layer{k}": f"1: Mean squared error of layer {k}'s readout divided by the variance "
        "of its time series."
        for k in (1, 2, 3)
    },
    "error_over_released": "1: Largest ratio, over layers, of the squared error of a layer's "
    "readout to that of the same layer in the authors' stored run.",
    **{
        f"alignment_layer{k}": f"1: Cosine between layer {k}'s local gradients, summed over the "
        "trial, and the gradient by BPTT on the same batch, averaged over batches and over "
        "training."
        for k in (1, 2, 3)
    },
    "alignment_network": "1: Cosine between local gradients and the gradient by BPTT for the "
    "weights and biases of all layers together.",
    **{
        f"alignment_{place}_permuted": f"1: Negative control of alignment_{place}, in which the "
        "labels of the local gradients are permuted."
        for place in ("layer1", "layer2", "layer3", "network")
    },
    "depth_gain": "fraction: Accuracy of the last layer's readout minus that of the first layer's "
    "readout.",
    "last_layer_gain": "fraction: Accuracy of the last layer's readout minus that of the readout "
    "of the layer before.",
    "accuracy_told": "fraction: Accuracy if the choice is restricted to the classes that were "
    "taught in the same lesson as the true class.",
    "learned_told": "fraction: This restricted accuracy on held-out samples of each lesson at the "
    "end of this lesson, averaged over lessons.",
    "forgotten": "fraction: Decrease of this restricted accuracy until the end of the last "
    "lesson, averaged over all other lessons.",
    "memory_slope_local": "byte/step: Increase of the memory of a local training step per time "
    "step of the trial.",
    "memory_slope_end_to_end": "byte/step: Increase of the memory of backpropagation through time "
    "per time step of the trial.",
    "memory_slope_ratio": "1: memory_slope_local divided by memory_slope_end_to_end.",
    "accuracy_designed": "fraction: Accuracy of the simulated device with identical neurons.",
    "accuracy_built": "fraction: Accuracy with neurons whose parameters deviate, without "
    "relearning.",
    "accuracy_relearned": "fraction: Accuracy with neurons whose parameters deviate, after "
    "relearning.",
    "lost": "fraction: Accuracy lost because neurons deviate: accuracy_designed - accuracy_built.",
    "gained": "fraction: Accuracy recovered by relearning: accuracy_relearned - accuracy_built.",
    "above_half_way": "fraction: accuracy_relearned - (accuracy_designed + accuracy_built) / 2. "
    "It is above 0 if relearning recovers more than half of the lost accuracy.",
    # training cost
    "train_seconds": "s: Wall-clock time of training.",
    "train_cpu_seconds": "s: CPU time of the training process.",
    "epoch_seconds": "s: CPU time of one training epoch.",
    "epochs": "1: Number of training epochs.",
    # a default run that repeats the first part of a training
    "trained_fraction": "fraction: Fraction of the training of the recorded network that the run "
    "repeated. All other numbers of such a network are those of the recorded network.",
    "curve_numbers": "1: Number of values of the learning curve that the run compared with the "
    "recorded curve.",
    "curve_difference": "1: Largest difference between the two learning curves, relative to the "
    "larger of the two values.",
}
"""Name of a metric -> its unit, a colon, and its definition."""
GLOSSARY: dict[str, Metric] = {
    **{column.name: Metric(column.unit, column.says) for column in COUNTED},
    **{name: Metric(*said.split(": ", 1)) for name, said in _DEFINED.items()},
}
