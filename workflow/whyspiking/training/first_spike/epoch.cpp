// One epoch of training of a first-spike network: see training.py for what it does, which
// is the same as tests/oracles/first_spike_epoch.py does with whole arrays, and epoch_layers.hpp for how.

#include "epoch_layers.hpp"

namespace {

// While one of these exists, numbers below the normal range (1e-38 in float) count as zero. Moments of
// weights that are rarely used decay into that range and stay there, where arithmetic is slow.
class FlushTiny {
#ifdef __SSE__
  unsigned before = _mm_getcsr();

public:
  FlushTiny() { _mm_setcsr(before | 0x8040); } // results, and operands
  ~FlushTiny() { _mm_setcsr(before); }
#else
public:
  FlushTiny() {}
#endif
};

enum LossKind { kGoeltz = 0, kComsa = 1 };
enum BumpRule { kNoBump = 0, kFaithful = 1, kSoft = 2 };

// Mirrored by `Epoch` in epoch_library.py; arrays by layer, from the first hidden one to the output.
struct Epoch {
  const void *times;      // (sample, input), infinite where silent
  const int64_t *offsets; // where `sorted` of a sample begins; null: sort here
  const uint16_t *sorted; // finite inputs of every sample in the order of time
  const int32_t *targets; // (sample,)
  const int64_t *order;   // samples of this epoch
  void *const *weights, *const *weights_m, *const *weights_v;
  void *const *pulses, *const *pulses_m, *const *pulses_v;
  const double *tolerated;
  double *silent;            // result
  const int32_t *n_neurons, *n_pulses;
  double threshold, min_slope, max_dw, temperature, push, push_scale, silent_loss, silent_penalty;
  double beta1, beta2, epsilon, epsilon_root, rate, pulse_rate, bump;
  double bump_amount;                             // kept from epoch to epoch
  double loss, accuracy, bumped;                  // results
  int64_t n_order, steps, failed_batch;           // steps: of Adam, kept; failed: -1 or the batch
  int32_t n_in, n_layers, batch, tau_ratio, loss_kind, wrong_only, bump_rule;
  int32_t bump_layer; // that offended last, -1 for none; kept
  int32_t frozen;     // so many of the first layers keep their weights
};

template <class M, class R> class Run {
  Epoch &p;
  const R inf = std::numeric_limits<R>::infinity();
  const int n_layers, n_out;
  HiddenLayer<M, R> hidden;
  std::vector<LaterLayer<M, R>> later; // those after the first one, the output last
  std::vector<Pulses<R>> pulses;
  Adam<R> adam;
  Limits<R> limits;
  Sorter sorter;
  std::vector<R> row;
  std::vector<char> chosen;
  std::vector<double> n_silent;
  int64_t n_right = 0, n_bumped = 0;
  double total_loss = 0;

  static const R *read(const void *array) { return static_cast<const R *>(array); }
  static R *write(void *array) { return static_cast<R *>(array); }

public:
  explicit Run(Epoch &p_)
      : p(p_), n_layers(p.n_layers), n_out(p.n_neurons[p.n_layers - 1]),
        hidden(p.n_in + p.n_pulses[0], p.n_pulses[0], p.n_neurons[0], p.batch),
        adam{R(p.rate), R(p.beta1), R(p.beta2), R(1 - p.beta1), R(1 - p.beta2), R(p.epsilon),
             R(p.epsilon_root)},
        limits{}, row(p.n_in + p.n_pulses[0]), chosen(p.batch), n_silent(p.n_layers) {
    for (int layer = 0; layer < n_layers; ++layer)
      pulses.emplace_back(p.n_pulses[layer], read(p.pulses[layer]), read(p.pulses_m[layer]),
                          read(p.pulses_v[layer]));
    hidden.w.pack(read(p.weights[0]));
    hidden.m.pack(read(p.weights_m[0]));
    hidden.v.pack(read(p.weights_v[0]));
    hidden.find_moved();
    later.reserve(n_layers - 1);
    for (int layer = 1; layer < n_layers; ++layer) {
      later.emplace_back(p.n_neurons[layer - 1] + p.n_pulses[layer], p.n_pulses[layer],
                         p.n_neurons[layer], p.batch);
      LaterLayer<M, R> &own = later.back();
      own.transpose(read(p.weights[layer]), own.w);
      own.transpose(read(p.weights_m[layer]), own.m);
      own.transpose(read(p.weights_v[layer]), own.v);
      own.refresh();
    }
  }

  void epoch() {
    p.failed_batch = -1;
    for (int64_t first = 0; first < p.n_order; first += p.batch) {
      int n = int(std::min<int64_t>(p.batch, p.n_order - first));
      batch(first, n);
      if (adam.failed()) {
        p.failed_batch = first / p.batch;
        break; // the caller looks what is broken, and keeps what it had
      }
    }
    hidden.w.unpack(write(p.weights[0]));
    hidden.m.unpack(write(p.weights_m[0]));
    hidden.v.unpack(write(p.weights_v[0]));
    for (int layer = 1; layer < n_layers; ++layer) {
      const LaterLayer<M, R> &own = later[layer - 1];
      own.write(own.w, write(p.weights[layer]));
      own.write(own.m, write(p.weights_m[layer]));
      own.write(own.v, write(p.weights_v[layer]));
    }
    for (int layer = 0; layer < n_layers; ++layer) {
      pulses[layer].write(write(p.pulses[layer]), write(p.pulses_m[layer]),
                          write(p.pulses_v[layer]));
      p.silent[layer] = n_silent[layer] / double(p.n_order) / p.n_neurons[layer];
    }
    p.loss = total_loss / double(p.n_order);
    p.accuracy = double(n_right) / double(p.n_order);
    p.bumped = double(n_bumped) / double((p.n_order + p.batch - 1) / p.batch);
  }

private:
  void batch(int64_t first, int n) {
    std::vector<int> by_time(p.n_pulses[0]);
    for (int i = 0; i < p.n_pulses[0]; ++i) by_time[i] = i;
    std::stable_sort(by_time.begin(), by_time.end(),
                     [&](int a, int b) { return pulses[0].time[a] < pulses[0].time[b]; });
    for (int b = 0; b < n; ++b) receive(hidden.events[b], first + b, by_time);
    hidden.forward(n, R(p.threshold));
    std::vector<double> silent(n_layers);
    bool learns = false;
    for (int b = 0; b < n; ++b) {
      const R *spikes = &hidden.t_out[size_t(b) * hidden.padded()];
      for (int layer = 1; layer < n_layers; ++layer) {
        LaterLayer<M, R> &own = later[layer - 1];
        const int n_before = p.n_neurons[layer - 1];
        R *onward = &own.t_in[size_t(b) * own.along];
        std::copy_n(spikes, n_before, onward);
        std::copy(pulses[layer].time.begin(), pulses[layer].time.end(), onward + n_before);
        for (int j = 0; j < n_before; ++j) silent[layer - 1] += spikes[j] == inf;
        own.forward(b, R(p.threshold));
        spikes = &own.t_out[size_t(b) * own.neurons()];
      }
      for (int j = 0; j < n_out; ++j) silent[n_layers - 1] += spikes[j] == inf;
      int target = p.targets[p.order[first + b]];
      int winner = int(std::min_element(spikes, spikes + n_out) - spikes);
      bool right = winner == target && spikes[winner] < inf;
      n_right += right;
      chosen[b] = !(p.wrong_only && right);
      learns |= chosen[b];
      LaterLayer<M, R> &output = later.back();
      total_loss += loss(spikes, target, R(1) / n, &output.g_out[size_t(b) * output.neurons()]);
    }
    int offending = offence(silent, n);
    if (learns && (offending < 0 || p.bump_rule == kSoft)) learn(n);
    if (offending == 0) hidden.lift_silent(n, R(p.bump_amount));
    if (offending > 0) later[offending - 1].lift_silent(n, R(p.bump_amount));
    n_bumped += offending >= 0;
    for (int layer = 0; layer < n_layers; ++layer) n_silent[layer] += silent[layer];
  }

  // Sorted events of one sample: its own spikes and the pulses.
  void receive(Events<R> &events, int64_t position, const std::vector<int> &by_time) {
    const int n_in = p.n_in, n_pulses = p.n_pulses[0];
    const int64_t sample = p.order[position];
    const R *times = read(p.times) + size_t(sample) * n_in;
    if (p.offsets == nullptr) {
      std::copy_n(times, n_in, row.data());
      std::copy(pulses[0].time.begin(), pulses[0].time.end(), row.begin() + n_in);
      events.template load_sorting<M>(row.data(), n_in + n_pulses, R(p.threshold), sorter);
      return;
    }
    events.reserve(n_in + n_pulses);
    const uint16_t *next = p.sorted + p.offsets[sample], *end = p.sorted + p.offsets[sample + 1];
    int k = 0;
    for (int i : by_time) {
      R pulse = pulses[0].time[i];
      for (; next < end && times[*next] <= pulse; ++next, ++k) {
        events.input[k] = *next;
        events.sorted[k] = times[*next];
      }
      events.input[k] = n_in + i;
      events.sorted[k++] = pulse;
    }
    for (; next < end; ++next, ++k) {
      events.input[k] = *next;
      events.sorted[k] = times[*next];
    }
    events.n = k;
    events.template prepare<M>(R(p.threshold));
  }

  // Loss of one sample; its derivatives by the output times, times `share`.
  double loss(const R *times, int target, R share, R *g) {
    const R scale = R(1) / R(p.temperature), true_time = times[target];
    const R earliest = *std::min_element(times, times + n_out);
    std::fill_n(g, n_out, R(0));
    if (p.loss_kind == kGoeltz && !(true_time < inf)) return p.silent_loss;
    if (!(earliest < inf)) return -std::log(1e-8);
    R sum = 0;
    for (int j = 0; j < n_out; ++j) sum += g[j] = std::exp((earliest - times[j]) * scale);
    R p_true = g[target] / sum;
    for (int j = 0; j < n_out; ++j) g[j] *= -scale / sum * share;
    if (true_time < inf) g[target] += scale * share;
    if (p.loss_kind == kComsa) return -std::log(double(p_true) + 1e-8);
    R push = R(p.push) * std::exp(true_time / R(p.push_scale));
    g[target] += push / R(p.push_scale) * share;
    return double(std::log(sum) + (true_time - earliest) * scale + push);
  }

  // The first layer with too many silent neurons, or -1; keeps count of repeated offences.
  int offence(const std::vector<double> &silent, int n) {
    if (p.bump_rule == kNoBump) return -1;
    int found = -1;
    for (int layer = n_layers - 1; layer >= p.frozen; --layer)
      if (silent[layer] / (double(n) * p.n_neurons[layer]) > p.tolerated[layer]) found = layer;
    p.bump_amount = found >= 0 && found == p.bump_layer ? 2 * p.bump_amount : p.bump;
    p.bump_layer = found;
    return found;
  }

  void learn(int n) {
    limits = {R(p.min_slope), R(p.max_dw), R(-p.silent_penalty / n), p.pulse_rate > 0};
    adam.begin_step(++p.steps);
    for (int layer = n_layers - 1; layer > 0 && layer >= p.frozen; --layer) {
      std::vector<R> &by_pulse = pulses[layer].gradient;
      std::fill(by_pulse.begin(), by_pulse.end(), R(0));
      for (int b = 0; b < n; ++b) {
        R *g_before = layer > 1
                          ? &later[layer - 2].g_out[size_t(b) * later[layer - 2].neurons()]
                          : &hidden.g_out[size_t(b) * hidden.padded()];
        if (chosen[b])
          later[layer - 1].backward(b, limits, g_before, by_pulse.data());
        else
          std::fill_n(g_before, p.n_neurons[layer - 1], R(0));
      }
    }
    for (int layer = n_layers - 1; layer > 0 && layer >= p.frozen; --layer)
      later[layer - 1].learn(adam);
    if (p.frozen == 0) hidden.learn(n, chosen.data(), limits, adam, pulses[0].gradient.data());
    if (p.pulse_rate > 0)
      for (Pulses<R> &set : pulses) set.update(adam, R(p.pulse_rate));
  }
};

template <class R> void run(Epoch *epoch) {
  FlushTiny flush;
  if (epoch->tau_ratio == 1)
    Run<EqualTaus, R>(*epoch).epoch();
  else
    Run<DoubleTaus, R>(*epoch).epoch();
}

} // namespace

extern "C" void epoch_f32(Epoch *epoch) { run<float>(epoch); }
extern "C" void epoch_f64(Epoch *epoch) { run<double>(epoch); }

// Finite inputs of every sample in the order of time; `offsets` is known.
template <class R>
static void presort(const R *times, int64_t n_samples, int n_in, const int64_t *offsets,
                    uint16_t *sorted) {
  Sorter sorter;
  std::vector<int32_t> order(n_in);
  std::vector<R> scratch(n_in);
  for (int64_t b = 0; b < n_samples; ++b) {
    int n = sorter.sort(times + b * n_in, n_in, order.data(), scratch.data());
    std::copy_n(order.data(), n, sorted + offsets[b]);
  }
}
extern "C" void presort_f32(const float *times, int64_t n_samples, int n_in, const int64_t *offsets,
                            uint16_t *sorted) {
  presort(times, n_samples, n_in, offsets, sorted);
}
extern "C" void presort_f64(const double *times, int64_t n_samples, int n_in,
                            const int64_t *offsets, uint16_t *sorted) {
  presort(times, n_samples, n_in, offsets, sorted);
}
