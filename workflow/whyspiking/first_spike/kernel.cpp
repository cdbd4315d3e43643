// Layers of neurons that fire once: exact spike times and exact gradients, event by event.
//
// Current-based LIF neuron with exponential synapses, time in units of tau_s, threshold c:
//   V(t) = sum_{t_i < t} w_i k(t - t_i),   output T = first t with V(t) = c, infinity if never.
//   tau_m = tau_s:     k(d) = d e^{-d}
//   tau_m = 2 tau_s:   k(d) = e^{-d/2} - e^{-d}
//
// Both become the same problem after a change of the time axis, x(t):
//   k(t - t_i) = r(t) e^{t_i} (x(t) - x(t_i))
//   tau_m = tau_s:     x = t,           r = e^{-t}
//   tau_m = 2 tau_s:   x = -e^{-t/2},   r = e^{-t/2}
// so D = V/r is piecewise linear in x, with slope A = sum w_i e^{t_i}, and the neuron fires where
// D first meets the convex curve h(x) = c/r:
//   per input event     A += w_i e^{t_i}
//   per interval        D += A (x_next - x)
// One comparison per interval finds every possible crossing: D starts below h, so it can only meet
// the convex curve if it ends above the tangent of h at the start of the interval. The rare
// candidates are then decided exactly, out of the hot loop.
//
// With q = r(T)/V'(T), V'(T) = A e^{-T} - c (half of it for tau_m = 2 tau_s):
//   dT/dw_i = e^{t_i} (x(t_i) - x(T)) q
//   dT/dt_i = w_i e^{t_i} (x(t_i) + x'(t_i) - x(T)) q

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#ifdef __AVX__
#include <immintrin.h>
#endif

// Without unrolling GCC keeps the state of a tile of neurons in memory: twice the time.
#define UNROLL _Pragma("GCC unroll 8")

namespace {

constexpr int kBytes = 32;       // vector width: AVX2; narrower machines split it
constexpr int kSampleBlock = 64; // samples whose sorted events are held at a time

template <class R> struct Simd {};
template <> struct Simd<float> {
  typedef float Real __attribute__((vector_size(kBytes)));
};
template <> struct Simd<double> {
  typedef double Real __attribute__((vector_size(kBytes)));
};

template <class M> inline bool any(M mask) {
#ifdef __AVX__
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
  typedef int64_t Quads __attribute__((vector_size(kBytes)));
  Quads q = (Quads)mask;
  return (q[0] | q[1] | q[2] | q[3]) != 0;
#endif
}

// ---- the two membranes ---------------------------------------------------------------------

template <class R> struct Spike {
  R time, v_slope;
};

struct EqualTaus { // tau_m = tau_s
  template <class R> static R x(R t) { return t; }
  template <class R> static R dx(R) { return R(1); }
  template <class R> static R gap(R t, R next) { return next - t; }
  template <class R> static R ratio(R t) { return std::exp(-t); }
  template <class R> static R h(R, R weight, R c) { return c * weight; } // weight = e^t
  template <class R> static R end() { return std::numeric_limits<R>::infinity(); }
  static constexpr double kSteepest = 1.0;    // k(d) is largest at this d ...
  static constexpr double kLargest = 0.36787944117144233; // ... and has this value there

  // Does the line pierce the curve and leave it again before x0 + gap?
  template <class R> static bool touches(R d0, R slope, R h0, R, R, R gap) {
    R delta = std::log(slope / h0);
    return delta > 0 && delta < gap && d0 + slope * (delta - 1) >= 0;
  }
  // First time >= t0 at which d0 + slope (x - x0) = h(x), and V' there. With Lambert's function:
  // u = -W0(-y), u e^{-u} = y, y = (h0/slope) e^{-m}, m = d0/slope, T = t0 + u - m.
  template <class R> static Spike<R> crossing(R d0, R slope, R h0, R, R t0, R c) {
    R m = d0 / slope;
    R y = h0 / slope * std::exp(-m);
    R p = std::sqrt(std::max(2 - 2 * R(2.718281828459045) * y, R(0)));
    R u;
    if (p < R(0.8)) { // expansion at the branch point, where the line just touches the curve
      u = 1 - p * (1 - p * (R(1) / 3 - p * (R(11) / 72 - p * (R(43) / 540 - p *
          (R(769) / 17280 - p * (R(221) / 8505 - p * R(680863) / 43545600))))));
    } else {
      u = y * (1 + y * (1 + y * (R(1.5) + y * (R(8) / 3 + y * R(125) / 24))));
    }
    constexpr R close = sizeof(R) == 4 ? R(2e-2) : R(1e-3); // below, the expansion is exact
    if (p > close)
      for (int step = 0; step < (sizeof(R) == 4 ? 1 : 3); ++step) { // Halley: u - y e^u = 0
        R f = u - y * std::exp(u), f1 = 1 + f - u;
        u -= 2 * f * f1 / (2 * f1 * f1 - f * (f - u));
      }
    return {t0 + std::max(u - m, R(0)), c * (1 - u) / u};
  }
};

struct DoubleTaus { // tau_m = 2 tau_s
  template <class R> static R x(R t) { return -std::exp(-t / 2); }
  template <class R> static R dx(R t) { return std::exp(-t / 2) / 2; }
  template <class R> static R gap(R t, R next) {
    return -std::exp(-t / 2) * std::expm1((t - next) / 2);
  }
  template <class R> static R ratio(R t) { return std::exp(-t / 2); }
  template <class R> static R h(R, R weight, R c) { return c * std::sqrt(weight); }
  template <class R> static R end() { return 0; }
  static constexpr double kSteepest = 1.3862943611198906; // 2 ln 2
  static constexpr double kLargest = 0.25;

  template <class R> static bool touches(R d0, R slope, R, R x0, R c, R gap) {
    R delta = -std::sqrt(c / slope) - x0;
    return delta > 0 && delta < gap && d0 + slope * delta >= std::sqrt(c * slope);
  }
  // slope x^2 + a2 x + c = 0, the root further from zero is the earlier one.
  template <class R> static Spike<R> crossing(R d0, R slope, R, R x0, R t0, R c) {
    R a2 = d0 - slope * x0;
    R root = std::sqrt(std::max(a2 * a2 - 4 * slope * c, R(0)));
    R minus_x = (a2 + root) / (2 * slope);
    return {std::max(-2 * std::log(minus_x), t0), root * minus_x / 2};
  }
};

// ---- sorted events -------------------------------------------------------------------------

// Sort the finite times of one sample, ties by input number; returns their number. Two radix
// passes over the time in 16 bits leave hardly any work to the insertion sort at the end.
template <class R>
int sort_events(const R *times, int n_in, int32_t *order, std::vector<uint64_t> &scratch) {
  uint64_t *from = scratch.data(), *to = from + n_in;
  int n = 0;
  R low = std::numeric_limits<R>::infinity(), high = -low;
  for (int i = 0; i < n_in; ++i) {
    if (!std::isfinite(times[i])) continue;
    from[n++] = uint64_t(i);
    low = std::min(low, times[i]);
    high = std::max(high, times[i]);
  }
  if (n > 32 && high > low) {
    R scale = R(65535) / (high - low);
    uint32_t count[2][256] = {};
    for (int k = 0; k < n; ++k) {
      uint32_t key = std::min(uint32_t((times[from[k]] - low) * scale), 65535u);
      from[k] |= uint64_t(key) << 32;
      ++count[0][key & 255];
      ++count[1][key >> 8];
    }
    for (int pass = 0; pass < 2; ++pass) {
      uint32_t position = 0;
      for (uint32_t &c : count[pass]) {
        uint32_t here = c;
        c = position;
        position += here;
      }
      for (int k = 0; k < n; ++k) to[count[pass][(from[k] >> (32 + 8 * pass)) & 255]++] = from[k];
      std::swap(from, to);
    }
  }
  for (int k = 0; k < n; ++k) {
    int32_t input = int32_t(from[k] & 0xFFFFFFFFu);
    int at = k;
    for (; at > 0 && times[order[at - 1]] > times[input]; --at) order[at] = order[at - 1];
    order[at] = input;
  }
  return n;
}

template <class R> struct Events { // of one sample, in the order of time
  std::vector<int32_t> input;
  std::vector<R> time, x, weight, gap, h, tangent; // weight: e^{t}; tangent: of h at the next event
  int n = 0;

  template <class M> void load(const R *times, int n_in, R c, std::vector<uint64_t> &scratch) {
    input.resize(n_in);
    for (auto *column : {&time, &x, &weight, &gap, &h, &tangent}) column->resize(n_in);
    n = sort_events(times, n_in, input.data(), scratch);
    for (int k = 0; k < n; ++k) {
      R t = times[input[k]];
      time[k] = t;
      x[k] = M::x(t);
      weight[k] = std::exp(t);
      h[k] = M::h(t, weight[k], c);
    }
    for (int k = 0; k + 1 < n; ++k) {
      gap[k] = M::gap(time[k], time[k + 1]);
      tangent[k] = h[k] + c * weight[k] * gap[k]; // h' = c e^t for both membranes
    }
  }
};

// ---- forward -------------------------------------------------------------------------------

template <class M, class R, int W> struct Forward {
  typedef typename Simd<R>::Real V;
  static constexpr int kLanes = kBytes / sizeof(R);
  static constexpr int kTile = W * kLanes; // neurons whose state stays in registers
  // A neuron that has fired gets this D: it never meets the curve again, and needs no mask.
  static constexpr R kFired = R(-1e30);

  // Decide candidates exactly; returns how many of them fire. `d` is D at the end of interval k.
  static __attribute__((noinline)) int decide(const Events<R> &e, int k, bool last, R c, int n,
                                              const V *slope, V *d, R *t_out, R *v_slope) {
    int fired = 0;
    R gap = last ? M::template end<R>() - e.x[k] : e.gap[k];
    R bound = last ? R(-1e29) : e.tangent[k];
    for (int vector = 0; vector < W; ++vector) {
      if (!any(d[vector] >= bound)) continue;
      for (int lane = 0; lane < kLanes && vector * kLanes + lane < n; ++lane) {
        R end = d[vector][lane], a = slope[vector][lane];
        if (!(a > 0) || end < bound) continue;
        R start = last ? end : end - a * gap;
        bool crosses = !last && end >= e.h[k + 1];
        if (!crosses && !M::touches(start, a, e.h[k], e.x[k], c, gap)) continue;
        Spike<R> spike = M::crossing(start, a, e.h[k], e.x[k], e.time[k], c);
        t_out[vector * kLanes + lane] = last ? spike.time : std::min(spike.time, e.time[k + 1]);
        v_slope[vector * kLanes + lane] = spike.v_slope;
        d[vector][lane] = kFired;
        ++fired;
      }
    }
    return fired;
  }

  // `w`: (input, kTile) of this tile; n <= kTile neurons are real.
  static void sample(const Events<R> &e, const V *w, R c, int n, R *t_out, R *v_slope) {
    std::fill(t_out, t_out + n, std::numeric_limits<R>::infinity());
    std::fill(v_slope, v_slope + n, R(0));
    if (e.n == 0) return;
    const int32_t *input = e.input.data();
    const R *weight = e.weight.data(), *gap = e.gap.data(), *tangent = e.tangent.data();
    // These stay in registers: nothing may take their address, so `decide` works on copies.
    V slope[W] = {}, d[W] = {};
    int silent = n;
    for (int k = 0; k < e.n - 1; ++k) {
      const V *row = w + size_t(input[k]) * W;
      UNROLL for (int j = 0; j < W; ++j) {
        slope[j] += row[j] * weight[k];
        d[j] += slope[j] * gap[k];
      }
      V highest = d[0];
      UNROLL for (int j = 1; j < W; ++j) highest = d[j] > highest ? d[j] : highest;
      if (__builtin_expect(any(highest >= tangent[k]), 0)) {
        V slope_now[W], d_now[W];
        UNROLL for (int j = 0; j < W; ++j) slope_now[j] = slope[j], d_now[j] = d[j];
        silent -= decide(e, k, false, c, n, slope_now, d_now, t_out, v_slope);
        if (silent == 0) return;
        UNROLL for (int j = 0; j < W; ++j) d[j] = d_now[j];
      }
    }
    const V *row = w + size_t(input[e.n - 1]) * W;
    V slope_now[W], d_now[W];
    UNROLL for (int j = 0; j < W; ++j) slope_now[j] = slope[j] + row[j] * weight[e.n - 1], d_now[j] = d[j];
    decide(e, e.n - 1, true, c, n, slope_now, d_now, t_out, v_slope);
  }

  static void run(const R *t_in, const R *w, int n_samples, int n_in, int n_out, R c, R *t_out,
                  R *v_slope) {
    int n_tiles = (n_out + kTile - 1) / kTile;
    static thread_local std::vector<V> packed; // kept from call to call: no fresh pages
    packed.assign(size_t(n_tiles) * n_in * W, V{});
    R *flat = reinterpret_cast<R *>(packed.data());
    for (int tile = 0; tile < n_tiles; ++tile)
      for (int i = 0; i < n_in; ++i) {
        int n = std::min(kTile, n_out - tile * kTile);
        std::copy_n(w + size_t(i) * n_out + tile * kTile, n,
                    flat + (size_t(tile) * n_in + i) * kTile);
      }
    static thread_local std::vector<Events<R>> events;
    events.resize(kSampleBlock);
    std::vector<uint64_t> scratch(2 * size_t(n_in));
    for (int first = 0; first < n_samples; first += kSampleBlock) {
      int block = std::min(kSampleBlock, n_samples - first);
      for (int b = 0; b < block; ++b)
        events[b].template load<M>(t_in + size_t(first + b) * n_in, n_in, c, scratch);
      for (int tile = 0; tile < n_tiles; ++tile) { // tile outside: its weights stay in cache
        int n = std::min(kTile, n_out - tile * kTile);
        for (int b = 0; b < block; ++b) {
          size_t at = size_t(first + b) * n_out + tile * kTile;
          sample(events[b], packed.data() + size_t(tile) * n_in * W, c, n, t_out + at, v_slope + at);
        }
      }
    }
  }
};

// ---- backward ------------------------------------------------------------------------------

template <class M, class R, int W> struct Backward {
  typedef typename Simd<R>::Real V;
  static constexpr int kTile = W * kBytes / sizeof(R);

  // Largest |k(T - t_i)| over the inputs of one sample that came before T. The kernel has one
  // maximum, so it is at one of the two inputs around it.
  static R largest_kernel(const std::vector<R> &sorted, R t) {
    int before = int(std::lower_bound(sorted.begin(), sorted.end(), t) - sorted.begin());
    int near = int(std::lower_bound(sorted.begin(), sorted.end(), t - R(M::kSteepest)) -
                   sorted.begin());
    R largest = 0;
    for (int k = std::max(near - 1, 0); k < std::min(near + 1, before); ++k)
      largest = std::max(largest, M::ratio(t) * std::exp(sorted[k]) * (M::x(t) - M::x(sorted[k])));
    return largest;
  }

  static void run(const R *t_in, const R *w, const R *t_out, const R *v_slope, const R *g_out,
                  int n_samples, int n_in, int n_out, R min_slope, R max_dw, int first_time, R *g_w,
                  R *g_t) {
    // Finite inputs by input: sample, x e^t, e^t.
    static thread_local std::vector<int32_t> sample_of, count;
    static thread_local std::vector<R> ex, e;
    sample_of.resize(size_t(n_in) * n_samples);
    ex.resize(sample_of.size());
    e.resize(sample_of.size());
    count.assign(n_in, 0);
    for (int b = 0; b < n_samples; ++b)
      for (int i = 0; i < n_in; ++i) {
        R t = t_in[size_t(b) * n_in + i];
        if (!std::isfinite(t)) continue;
        size_t at = size_t(i) * n_samples + count[i]++;
        sample_of[at] = b;
        e[at] = std::exp(t);
        ex[at] = e[at] * M::x(t);
      }
    int n_tiles = (n_out + kTile - 1) / kTile;
    std::fill(g_t, g_t + size_t(n_samples) * n_in, R(0));
    std::vector<V> x_out(size_t(n_samples) * W), q_w(x_out.size()), q_t(x_out.size());
    R *x_flat = reinterpret_cast<R *>(x_out.data());
    R *qw_flat = reinterpret_cast<R *>(q_w.data()), *qt_flat = reinterpret_cast<R *>(q_t.data());
    std::vector<std::vector<R>> sorted(n_samples); // filled only where max_dw needs them
    for (int tile = 0; tile < n_tiles; ++tile) {
      int n = std::min(kTile, n_out - tile * kTile);
      for (int b = 0; b < n_samples; ++b)
        for (int j = 0; j < kTile; ++j) {
          size_t at = size_t(b) * n_out + tile * kTile + j, to = size_t(b) * kTile + j;
          // Silent neurons: x below every input, so no input counts as causal.
          x_flat[to] = R(-1e30);
          qw_flat[to] = qt_flat[to] = 0;
          if (j >= n || !std::isfinite(t_out[at]) || g_out[at] == 0) continue;
          R t = t_out[at], gain = g_out[at] / std::max(v_slope[at], min_slope);
          x_flat[to] = M::x(t);
          qt_flat[to] = qw_flat[to] = gain * M::ratio(t);
          if (std::abs(gain) * R(M::kLargest) <= max_dw) continue;
          if (sorted[b].empty()) {
            for (int i = 0; i < n_in; ++i)
              if (std::isfinite(t_in[size_t(b) * n_in + i]))
                sorted[b].push_back(t_in[size_t(b) * n_in + i]);
            std::sort(sorted[b].begin(), sorted[b].end());
          }
          if (std::abs(gain) * largest_kernel(sorted[b], t) > max_dw) qw_flat[to] = 0;
        }
      for (int i = 0; i < n_in; ++i) {
        V sum[W] = {};
        const size_t row = size_t(i) * n_samples;
        for (int k = 0; k < count[i]; ++k) {
          const V *x = &x_out[size_t(sample_of[row + k]) * W];
          const V *q = &q_w[size_t(sample_of[row + k]) * W];
          R e_k = e[row + k], ex_k = ex[row + k];
          UNROLL for (int j = 0; j < W; ++j) {
            V past = ex_k - e_k * x[j]; // negative for inputs before the spike
            sum[j] += (past < R(0) ? past : V{}) * q[j];
          }
        }
        V total_w[W];
        UNROLL for (int j = 0; j < W; ++j) total_w[j] = sum[j];
        std::copy_n(reinterpret_cast<const R *>(total_w), n, g_w + size_t(i) * n_out + tile * kTile);
        if (i < first_time) continue;
        R row_w[kTile] = {};
        std::copy_n(w + size_t(i) * n_out + tile * kTile, n, row_w);
        V w_i[W];
        std::memcpy(w_i, row_w, sizeof row_w);
        for (int k = 0; k < count[i]; ++k) {
          int b = sample_of[row + k];
          R x_k = ex[row + k] / e[row + k], dx = M::dx(t_in[size_t(b) * n_in + i]);
          V total = {};
          UNROLL for (int j = 0; j < W; ++j) {
            V past = x_k - x_out[size_t(b) * W + j];
            total += (past < R(0) ? (past + dx) * q_t[size_t(b) * W + j] : V{}) * w_i[j];
          }
          R value = 0;
          for (int lane = 0; lane < int(kBytes / sizeof(R)); ++lane) value += total[lane];
          g_t[size_t(b) * n_in + i] += e[row + k] * value;
        }
      }
    }
  }
};

// Narrow layers (outputs) use one or two vectors of neurons at a time, wide ones five.
template <class M, class R, class... Args>
void forward(int n_out, const R *t_in, const R *w, Args... args) {
  if (n_out <= 2 * int(kBytes / sizeof(R)))
    Forward<M, R, 2>::run(t_in, w, args...);
  else
    Forward<M, R, 5>::run(t_in, w, args...);
}
template <class M, class R, class... Args>
void backward(int n_out, const R *t_in, const R *w, Args... args) {
  if (n_out <= 2 * int(kBytes / sizeof(R)))
    Backward<M, R, 2>::run(t_in, w, args...);
  else
    Backward<M, R, 5>::run(t_in, w, args...);
}

} // namespace

#define FIRST_SPIKE_EXPORT(R, suffix)                                                              \
  extern "C" void forward_##suffix(int ratio, const R *t_in, const R *w, int n_samples, int n_in, \
                                   int n_out, R c, R *t_out, R *v_slope) {                         \
    if (ratio == 1)                                                                                \
      forward<EqualTaus>(n_out, t_in, w, n_samples, n_in, n_out, c, t_out, v_slope);               \
    else                                                                                           \
      forward<DoubleTaus>(n_out, t_in, w, n_samples, n_in, n_out, c, t_out, v_slope);              \
  }                                                                                                \
  extern "C" void backward_##suffix(int ratio, const R *t_in, const R *w, const R *t_out,          \
                                    const R *v_slope, const R *g_out, int n_samples, int n_in,     \
                                    int n_out, R min_slope, R max_dw, int first_time, R *g_w,      \
                                    R *g_t) {                                                      \
    if (ratio == 1)                                                                                \
      backward<EqualTaus>(n_out, t_in, w, t_out, v_slope, g_out, n_samples, n_in, n_out,           \
                          min_slope, max_dw, first_time, g_w, g_t);                                \
    else                                                                                           \
      backward<DoubleTaus>(n_out, t_in, w, t_out, v_slope, g_out, n_samples, n_in, n_out,          \
                           min_slope, max_dw, first_time, g_w, g_t);                               \
  }

FIRST_SPIKE_EXPORT(float, f32)
FIRST_SPIKE_EXPORT(double, f64)
