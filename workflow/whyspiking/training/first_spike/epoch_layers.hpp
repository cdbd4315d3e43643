// The layers of `epoch.cpp`: weights and moments in tiles, gradients, and Adam in the same pass.
//
// The hidden layer has many inputs that are silent or late. Its gradient is accumulated input by input
// over the samples in which that input fired before a hidden spike, for one tile of neurons in
// registers, and Adam is applied before the sums leave them: no gradient array exists. Later
// layers pass derivatives on, and the output has few neurons, so there the vectors run along the inputs,
// which gives the derivatives by the input times without sums across a vector.

#pragma once

#include "core.hpp"

namespace {

constexpr int kTileVectors = 5; // vectors of a tile: A, D and three constants fit 16 registers

// (input, neuron), cut into tiles of neurons: a tile is (input, vector), zero beyond the neurons.
template <class R> struct Tiles {
  typedef typename Simd<R>::Real V;
  static constexpr int kLanes = kLanesOf<R>;
  int n_in = 0, n_out = 0, vectors = 0, count = 0;
  std::vector<V> data;

  Tiles(int n_in_, int n_out_)
      : n_in(n_in_), n_out(n_out_), vectors((n_out + kLanes - 1) / kLanes),
        count((vectors + kTileVectors - 1) / kTileVectors), data(size_t(n_in) * vectors) {}
  int width(int tile) const { return std::min(kTileVectors, vectors - tile * kTileVectors); }
  int first(int tile) const { return tile * kTileVectors * kLanes; } // neuron
  int neurons(int tile) const { return std::min(width(tile) * kLanes, n_out - first(tile)); }
  V *tile(int t) { return data.data() + size_t(t) * kTileVectors * n_in; }
  R *row(int t, int i) { return reinterpret_cast<R *>(tile(t) + size_t(i) * width(t)); }

  void pack(const R *from) {
    for (int t = 0; t < count; ++t)
      for (int i = 0; i < n_in; ++i)
        std::copy_n(from + size_t(i) * n_out + first(t), neurons(t), row(t, i));
  }
  void unpack(R *to) {
    for (int t = 0; t < count; ++t)
      for (int i = 0; i < n_in; ++i)
        std::copy_n(row(t, i), neurons(t), to + size_t(i) * n_out + first(t));
  }
};

template <class R> struct Adam {
  typedef typename Simd<R>::Real V;
  R rate, beta1, beta2, keep1, keep2, epsilon, epsilon_root, correct1 = 0, correct2 = 0;
  V bad = {}; // becomes NaN with the first weight that is not finite

  void begin_step(int64_t step) { // counted from 1
    correct1 = R(1 / (1 - std::pow(double(beta1), double(step))));
    correct2 = R(1 / (1 - std::pow(double(beta2), double(step))));
  }
  inline void update(V &w, V &m, V &v, V gradient, R own_rate) {
    m = beta1 * m + keep1 * gradient;
    v = beta2 * v + keep2 * gradient * gradient;
    w -= own_rate * (m * correct1) / (root(v * correct2 + epsilon_root) + epsilon);
    bad += w * 0;
  }
  bool failed() const { return std::isnan(total<R>(bad)); }
};

// Spike times of pulses, the same in all samples, with their moments.
template <class R> struct Pulses {
  std::vector<R> time, m, v, gradient;

  Pulses(int n, const R *t, const R *m_, const R *v_)
      : time(t, t + n), m(m_, m_ + n), v(v_, v_ + n), gradient(n) {}
  void update(Adam<R> &adam, R rate) {
    typename Simd<R>::Real t = {}, m1 = {}, m2 = {}, g = {};
    for (size_t i = 0; i < time.size(); ++i) {
      t[0] = time[i], m1[0] = m[i], m2[0] = v[i], g[0] = gradient[i];
      adam.update(t, m1, m2, g, rate);
      time[i] = std::max(t[0], R(0)), m[i] = m1[0], v[i] = m2[0];
    }
  }
  void write(R *t, R *m_, R *v_) const {
    std::copy(time.begin(), time.end(), t);
    std::copy(m.begin(), m.end(), m_);
    std::copy(v.begin(), v.end(), v_);
  }
};

// What limits and replaces derivatives, see epoch_state.py.
template <class R> struct Limits {
  R min_slope, max_dw, silent_pull; // pull: gradient of each weight of a silent neuron, per sample
  bool pulses_learn;
};

template <class M, class R> struct HiddenLayer {
  typedef typename Simd<R>::Real V;
  static constexpr int kLanes = kLanesOf<R>;
  struct Arrival { // one input spike: e^t, x(t) e^t and the sample
    R e, ex;
    int32_t sample;
  };
  int n_pulses;
  Tiles<R> w, m, v;
  std::vector<Events<R>> events;
  std::vector<R> t_out, v_slope, g_out; // (sample, padded neuron)
  std::vector<char> moved;              // (tile, input): are there moments other than zero?
  std::vector<Arrival> arrivals;        // (input, sample)
  std::vector<int32_t> n_arrivals;
  std::vector<V> shared;

  HiddenLayer(int n_in, int n_pulses_, int n_out, int batch)
      : n_pulses(n_pulses_), w(n_in, n_out), m(n_in, n_out), v(n_in, n_out), events(batch),
        t_out(size_t(batch) * padded()), v_slope(t_out.size()), g_out(t_out.size()),
        arrivals(size_t(batch) * n_in), n_arrivals(n_in), shared(size_t(batch) * kTileVectors * 3) {
    moved.resize(size_t(w.count) * n_in);
  }
  int padded() const { return w.vectors * kLanes; }

  // Rows without gradient and moments stay as they are: on MNIST the margin of the images.
  void find_moved() {
    for (int t = 0; t < m.count; ++t)
      for (int i = 0; i < m.n_in; ++i)
        for (int j = 0; j < m.width(t) * kLanes; ++j)
          moved[size_t(t) * m.n_in + i] |= m.row(t, i)[j] != 0 || v.row(t, i)[j] != 0;
  }

  void forward(int n_samples, R c) {
    for (int t = 0; t < w.count; ++t)
      with_number<kTileVectors>(w.width(t), [&](auto width) {
        for (int b = 0; b < n_samples; ++b) {
          size_t at = size_t(b) * padded() + w.first(t);
          Tile<M, R, width()>::forward(events[b], w.tile(t), c, w.neurons(t), &t_out[at],
                                       &v_slope[at]);
        }
      });
  }

  // Gradients from `g_out`, and one step of Adam.
  void learn(int n_samples, const char *chosen, const Limits<R> &limits, Adam<R> &adam, R *g_pulses) {
    std::fill(n_arrivals.begin(), n_arrivals.end(), 0);
    for (int b = 0; b < n_samples; ++b) {
      if (!chosen[b]) continue;
      R latest = R(-1); // inputs after the last spike that learns are no cause of anything
      for (int j = 0; j < padded(); ++j) {
        R t = t_out[size_t(b) * padded() + j];
        if (t < std::numeric_limits<R>::infinity()) latest = std::max(latest, t);
      }
      const Events<R> &e = events[b];
      for (int k = 0; k < e.n && e.sorted[k] < latest; ++k) {
        int i = e.input[k];
        arrivals[size_t(i) * n_samples + n_arrivals[i]++] = {e.weight[k],
                                                             e.weight[k] * M::x(e.sorted[k]), b};
      }
    }
    std::fill_n(g_pulses, n_pulses, R(0));
    for (int t = 0; t < w.count; ++t)
      with_number<kTileVectors>(w.width(t), [&](auto width) {
        learn_tile<width()>(t, n_samples, chosen, limits, adam, g_pulses);
      });
  }

  template <int W>
  void learn_tile(int t, int n_samples, const char *chosen, const Limits<R> &limits, Adam<R> &adam,
                  R *g_pulses) {
    // Per sample: x(T) and q of the weights, q of the input times.
    V *x_q = shared.data(), *q_time = x_q + size_t(n_samples) * 2 * W, silent[W] = {};
    const R inf = std::numeric_limits<R>::infinity();
    for (int b = 0; b < n_samples; ++b)
      for (int j = 0; j < W; ++j) {
        size_t at = size_t(b) * padded() + w.first(t) + j * kLanes;
        V time = load(&t_out[at]), g = load(&g_out[at]);
        auto fired = time < inf;
        V gain = g / high(load(&v_slope[at]), V{} + limits.min_slope);
        V q = fired ? gain * M::decay(time) : V{};
        // Silent neurons: x below every input, so no input counts as causal.
        x_q[(size_t(b) * 2 + 0) * W + j] = fired ? M::axis(time) : V{} + R(-1e30);
        q_time[size_t(b) * W + j] = q;
        if (chosen[b]) silent[j] += fired ? V{} : V{} + limits.silent_pull;
        V steep = high(gain, -gain) * R(M::kLargest);
        if (any(fired & (steep > limits.max_dw)))
          for (int lane = 0; lane < kLanes; ++lane)
            if (fired[lane] && steep[lane] > limits.max_dw &&
                std::abs(gain[lane]) * largest_kernel<M>(events[b].time.data(), events[b].n_groups,
                                                         time[lane]) > limits.max_dw)
              q[lane] = 0;
        x_q[(size_t(b) * 2 + 1) * W + j] = q;
      }
    for (int n = w.neurons(t); n < W * kLanes; ++n) silent[n / kLanes][n % kLanes] = 0;
    bool any_silent = false;
    for (int j = 0; j < W; ++j) any_silent |= any(silent[j] != R(0));
    char *moved_here = &moved[size_t(t) * w.n_in];
    V *w_tile = w.tile(t), *m_tile = m.tile(t), *v_tile = v.tile(t);
    Adam<R> own = adam; // its constants stay in registers: no store can change them
    for (int i = 0; i < w.n_in; ++i) {
      const Arrival *arrival = &arrivals[size_t(i) * n_samples];
      const int n = n_arrivals[i];
      if (n == 0 && !moved_here[i] && !any_silent) continue;
      moved_here[i] = true;
      V sum[W];
      UNROLL for (int j = 0; j < W; ++j) sum[j] = silent[j];
      for (int k = 0; k < n; ++k) {
        const V *x = x_q + size_t(arrival[k].sample) * 2 * W, *q = x + W;
        UNROLL for (int j = 0; j < W; ++j)
          sum[j] += negative_part(arrival[k].ex - arrival[k].e * x[j]) * q[j];
      }
      V *w_i = w_tile + size_t(i) * W, *m_i = m_tile + size_t(i) * W, *v_i = v_tile + size_t(i) * W;
      if (limits.pulses_learn && i >= w.n_in - n_pulses && n > 0)
        g_pulses[i - (w.n_in - n_pulses)] += by_time<W>(arrival, n, x_q, q_time, w_i);
      UNROLL for (int j = 0; j < W; ++j) own.update(w_i[j], m_i[j], v_i[j], sum[j], own.rate);
    }
    adam.bad = own.bad;
  }

  // Derivative of the loss by the time of a pulse: through this tile, over all samples.
  template <int W>
  R by_time(const Arrival *arrival, int n, const V *x_q, const V *q_time, const V *w_i) {
    R e = arrival[0].e, x_in = arrival[0].ex / e;
    V x = V{} + x_in, slope = M::rate(x), sum = {};
    for (int k = 0; k < n; ++k) {
      size_t b = size_t(arrival[k].sample);
      UNROLL for (int j = 0; j < W; ++j) {
        V past = x - x_q[b * 2 * W + j];
        sum += (past < R(0) ? (past + slope) * q_time[b * W + j] : V{}) * w_i[j];
      }
    }
    return e * total<R>(sum);
  }

  // Add `amount` to all weights of the neurons that any sample left silent.
  void lift_silent(int n_samples, R amount) {
    for (int n = 0; n < w.n_out; ++n) {
      bool silent = false;
      for (int b = 0; b < n_samples; ++b) silent |= std::isinf(t_out[size_t(b) * padded() + n]);
      if (!silent) continue;
      int t = n / (kTileVectors * kLanes);
      for (int i = 0; i < w.n_in; ++i) w.row(t, i)[n - w.first(t)] += amount;
    }
  }
};

template <class M, class R> struct LaterLayer {
  typedef typename Simd<R>::Real V;
  static constexpr int kLanes = kLanesOf<R>;
  int n_in, n_pulses, n_out, along; // along: inputs, padded to whole vectors
  Tiles<R> tiles;                   // for the forward pass
  std::vector<V> w, m, v, gradient; // (neuron, input)
  std::vector<V> e, ex, slope, by_time;
  std::vector<R> t_in, t_out, v_slope, g_out; // (sample, padded input or neuron)
  std::vector<Events<R>> events;
  Sorter sorter;

  LaterLayer(int n_in_, int n_pulses_, int n_out_, int batch)
      : n_in(n_in_), n_pulses(n_pulses_), n_out(n_out_), along(rounded_up(n_in_, kLanesOf<R>)),
        tiles(n_in_, n_out_), w(size_t(n_out) * along / kLanes), m(w.size()), v(w.size()),
        gradient(w.size()), e(along / kLanes), ex(e.size()), slope(e.size()), by_time(e.size()),
        t_in(size_t(batch) * along, std::numeric_limits<R>::infinity()),
        t_out(size_t(batch) * neurons()), v_slope(t_out.size()), g_out(t_out.size()), events(batch) {}
  int neurons() const { return tiles.vectors * kLanes; }

  void transpose(const R *from, std::vector<V> &to) const {
    R *flat = reinterpret_cast<R *>(to.data());
    for (int i = 0; i < n_in; ++i)
      for (int n = 0; n < n_out; ++n) flat[size_t(n) * along + i] = from[size_t(i) * n_out + n];
  }
  void write(const std::vector<V> &from, R *to) const {
    const R *flat = reinterpret_cast<const R *>(from.data());
    for (int i = 0; i < n_in; ++i)
      for (int n = 0; n < n_out; ++n) to[size_t(i) * n_out + n] = flat[size_t(n) * along + i];
  }
  void refresh() { // the weights of the forward pass
    const R *flat = reinterpret_cast<const R *>(w.data());
    for (int n = 0; n < n_out; ++n) {
      int t = n / (kTileVectors * kLanes);
      for (int i = 0; i < n_in; ++i)
        tiles.row(t, i)[n - tiles.first(t)] = flat[size_t(n) * along + i];
    }
  }

  void forward(int b, R c) {
    events[b].template load_sorting<M>(&t_in[size_t(b) * along], n_in, c, sorter);
    for (int t = 0; t < tiles.count; ++t)
      with_number<kTileVectors>(tiles.width(t), [&](auto width) {
        size_t at = size_t(b) * neurons() + tiles.first(t);
        Tile<M, R, width()>::forward(events[b], tiles.tile(t), c, tiles.neurons(t), &t_out[at],
                                     &v_slope[at]);
      });
  }

  // Gradient of one sample from `g_out`, added up; derivatives by the hidden times into `g_hidden`
  // (n_hidden entries, padded to whole vectors), by the pulses added to `g_pulses`.
  void backward(int b, const Limits<R> &limits, R *g_hidden, R *g_pulses) {
    const int n_vectors = along / kLanes;
    const R inf = std::numeric_limits<R>::infinity();
    for (int i = 0; i < n_vectors; ++i) {
      V t = load(&t_in[size_t(b) * along + i * kLanes]);
      auto real = t < inf;
      t = real ? t : V{};
      e[i] = real ? exponential(t) : V{};
      ex[i] = real ? e[i] * M::axis(t) : V{} + 1; // positive: never before a spike
      slope[i] = e[i] * M::rate(M::axis(t));
      by_time[i] = V{};
    }
    const R *times = &t_out[size_t(b) * neurons()];
    for (int n = 0; n < n_out; ++n) {
      R g = g_out[size_t(b) * neurons() + n], t = times[n];
      V *row_g = &gradient[size_t(n) * n_vectors];
      if (!(t < inf)) {
        if (limits.silent_pull != 0)
          for (int i = 0; i < n_vectors; ++i) row_g[i] += limits.silent_pull;
        continue;
      }
      if (g == 0) continue;
      R gain = g / std::max(v_slope[size_t(b) * neurons() + n], limits.min_slope);
      R q_time = gain * M::ratio(t), q = q_time, x = M::x(t);
      if (std::abs(gain) * R(M::kLargest) > limits.max_dw &&
          std::abs(gain) * largest_kernel<M>(events[b].time.data(), events[b].n_groups, t) >
              limits.max_dw)
        q = 0;
      const V *row_w = &w[size_t(n) * n_vectors];
      for (int i = 0; i < n_vectors; ++i) {
        V past = ex[i] - e[i] * x;
        row_g[i] += negative_part(past) * q;
        by_time[i] += (past < R(0) ? past + slope[i] : V{}) * row_w[i] * q_time;
      }
    }
    const int n_hidden = n_in - n_pulses;
    const R *found = reinterpret_cast<const R *>(by_time.data());
    std::copy_n(found, n_hidden, g_hidden);
    for (int p = 0; p < n_pulses; ++p) g_pulses[p] += found[n_hidden + p];
  }

  void learn(Adam<R> &adam) {
    // Beyond the real inputs a silent neuron's pull must not move anything.
    const int n_vectors = along / kLanes;
    for (int n = 0; n < n_out; ++n) {
      R *row = reinterpret_cast<R *>(&gradient[size_t(n) * n_vectors]);
      std::fill(row + n_in, row + along, R(0));
    }
    Adam<R> own = adam;
    for (size_t i = 0; i < w.size(); ++i) {
      own.update(w[i], m[i], v[i], gradient[i], own.rate);
      gradient[i] = V{};
    }
    adam.bad = own.bad;
    refresh();
  }

  void lift_silent(int n_samples, R amount) {
    R *flat = reinterpret_cast<R *>(w.data());
    for (int n = 0; n < n_out; ++n) {
      bool silent = false;
      for (int b = 0; b < n_samples; ++b) silent |= std::isinf(t_out[size_t(b) * neurons() + n]);
      if (silent)
        for (int i = 0; i < n_in; ++i) flat[size_t(n) * along + i] += amount;
    }
    refresh();
  }
};

} // namespace
