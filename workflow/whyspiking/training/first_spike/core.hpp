// What layers of neurons that fire once have in common: the two membranes, sorted events, and the
// forward pass of one tile of neurons.
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
// candidates are then decided exactly, out of the hot loop, and spike times are computed for all
// neurons of a tile together at the end. Inputs of equal time form one event group.
//
// With q = r(T)/V'(T), V'(T) = A e^{-T} - c (half of it for tau_m = 2 tau_s):
//   dT/dw_i = e^{t_i} (x(t_i) - x(T)) q
//   dT/dt_i = w_i e^{t_i} (x(t_i) + x'(t_i) - x(T)) q

#pragma once

#include <cstring>
#include <limits>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

template <class R> using Simd = Vector<R, 32>;
template <class R> constexpr int kLanesOf = Simd<R>::kLanes;

template <class R> inline typename Simd<R>::Real load(const R *from) {
  typename Simd<R>::Real v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <class R> inline void store(R *to, typename Simd<R>::Real v) {
  std::memcpy(to, &v, sizeof v);
}
template <class R> inline R total(typename Simd<R>::Real v) {
  R sum = 0;
  for (int i = 0; i < kLanesOf<R>; ++i) sum += v[i];
  return sum;
}

// ---- the two membranes ---------------------------------------------------------------------

template <class V> struct Spike {
  V time, v_slope;
};

struct EqualTaus { // tau_m = tau_s
  template <class R> static R x(R t) { return t; }
  template <class V> static V axis(V t) { return t; } // x of a vector
  template <class V> static V rate(V x) { return V{} + 1 + 0 * x; } // x'(t), given x
  template <class R> static R dx(R) { return R(1); }
  template <class R> static R gap(R t, R next) { return next - t; }
  template <class R> static R ratio(R t) { return std::exp(-t); }
  template <class V> static V decay(V t) { return exponential(-t); } // `ratio` of a vector
  template <class R> static R h(R, R weight, R c) { return c * weight; } // weight = e^t
  template <class R> static R end() { return std::numeric_limits<R>::infinity(); }
  static constexpr double kSteepest = 1.0;    // k(d) is largest at this d ...
  static constexpr double kLargest = 0.36787944117144233; // ... and has this value there

  // Does the line pierce the curve and leave it again before x0 + gap? For slope > 0.
  template <class R, class V> static auto touches(V d0, V slope, R h0, R, R, R gap) {
    V delta = logarithm(slope / h0);
    return (delta > R(0)) & (delta < gap) & (d0 + slope * (delta - 1) >= R(0));
  }
  // First time >= t0 at which d0 + slope (x - x0) = h(x), and V' there. With Lambert's function:
  // u = -W0(-y), u e^{-u} = y, y = (h0/slope) e^{-m}, m = d0/slope, T = t0 + u - m.
  template <class R, class V> static Spike<V> crossing(V d0, V slope, V h0, V t0, R c) {
    V m = d0 / slope;
    V y = h0 / slope * exponential(-m);
    V p = root(high(2 - R(2 * 2.718281828459045) * y, V{}));
    // Expansions at the branch point, where the line just touches the curve, and at 0.
    V near = 1 - p * (1 - p * (R(1.0 / 3) - p * (R(11.0 / 72) - p * (R(43.0 / 540) - p *
             (R(769.0 / 17280) - p * (R(221.0 / 8505) - p * R(680863.0 / 43545600)))))));
    V far = y * (1 + y * (1 + y * (R(1.5) + y * (R(8.0 / 3) + y * R(125.0 / 24)))));
    V u = p < R(0.8) ? near : far;
    constexpr R close = sizeof(R) == 4 ? R(2e-2) : R(1e-3); // below, the expansion is exact
    for (int step = 0; step < (sizeof(R) == 4 ? 1 : 3); ++step) { // Halley: u - y e^u = 0
      V f = u - y * exponential(u), f1 = 1 + f - u;
      u -= p > close ? 2 * f * f1 / (2 * f1 * f1 - f * (f - u)) : V{};
    }
    return {t0 + high(u - m, V{}), c * (1 - u) / u};
  }
};

struct DoubleTaus { // tau_m = 2 tau_s
  template <class R> static R x(R t) { return -std::exp(-t / 2); }
  template <class V> static V axis(V t) { return -exponential(-t / 2); }
  template <class V> static V rate(V x) { return -x / 2; }
  template <class R> static R dx(R t) { return std::exp(-t / 2) / 2; }
  template <class R> static R gap(R t, R next) {
    return -std::exp(-t / 2) * std::expm1((t - next) / 2);
  }
  template <class R> static R ratio(R t) { return std::exp(-t / 2); }
  template <class V> static V decay(V t) { return exponential(-t / 2); }
  template <class R> static R h(R, R weight, R c) { return c * std::sqrt(weight); }
  template <class R> static R end() { return 0; }
  static constexpr double kSteepest = 1.3862943611198906; // 2 ln 2
  static constexpr double kLargest = 0.25;

  template <class R, class V> static auto touches(V d0, V slope, R, R x0, R c, R gap) {
    V delta = -root(c / slope) - x0;
    return (delta > R(0)) & (delta < gap) & (d0 + slope * delta >= root(c * slope));
  }
  // slope x^2 + a2 x + c = 0, the root further from zero is the earlier one.
  template <class R, class V> static Spike<V> crossing(V d0, V slope, V, V t0, R c) {
    V a2 = d0 - slope * axis(t0);
    V square = root(high(a2 * a2 - 4 * slope * c, V{}));
    V minus_x = (a2 + square) / (2 * slope);
    return {high(-2 * logarithm(minus_x), t0), square * minus_x / 2};
  }
};

// ---- sorted events -------------------------------------------------------------------------

// Sort the finite times of one sample, ties by input number; returns their number. Buckets of equal
// width leave hardly any work to the insertion sort; their range stops at three times the mean, so
// that a few late spikes do not crowd all others into one bucket. Silent inputs come last.
struct Sorter {
  std::vector<int32_t> bucket, place;

  // `order` and `sorted` have n_in entries, of which those of silent inputs mean nothing.
  template <class R> int sort(const R *times, int n_in, int32_t *order, R *sorted) {
    typedef typename Simd<R>::Real V;
    constexpr int kLanes = kLanesOf<R>;
    const R inf = std::numeric_limits<R>::infinity();
    V least = V{} + inf, most = -least, sums = {}, counts = {};
    int i = 0;
    for (; i + kLanes <= n_in; i += kLanes) {
      V t = load(times + i), finite = t < inf ? t : V{};
      least = low(t, least);
      most = high(t < inf ? t : most, most);
      sums += finite;
      counts += t < inf ? V{} + 1 : V{};
    }
    R first = inf, last = -inf, sum = total<R>(sums);
    for (int lane = 0; lane < kLanes; ++lane) {
      first = std::min(first, R(least[lane]));
      last = std::max(last, R(most[lane]));
    }
    int n = int(total<R>(counts));
    for (; i < n_in; ++i) {
      if (!(times[i] < inf)) continue;
      ++n;
      first = std::min(first, times[i]);
      last = std::max(last, times[i]);
      sum += times[i];
    }
    R range = std::min(last - first, 3 * (sum / std::max(n, 1) - first));
    if (n <= 16 || !(range > 0)) {
      int k = 0;
      for (i = 0; i < n_in; ++i)
        if (times[i] < inf) {
          order[k] = i;
          sorted[k++] = times[i];
        }
    } else {
      scatter(times, n_in, n, first, range, order, sorted);
    }
    for (int k = 1; k < n; ++k) {
      R time = sorted[k];
      if (!(sorted[k - 1] > time)) continue;
      int32_t input = order[k];
      int at = k;
      for (; at > 0 && sorted[at - 1] > time; --at) {
        sorted[at] = sorted[at - 1];
        order[at] = order[at - 1];
      }
      sorted[at] = time;
      order[at] = input;
    }
    return n;
  }

private:
  template <class R>
  void scatter(const R *times, int n_in, int n, R first, R range, int32_t *order, R *sorted) {
    typedef typename Simd<R>::Real V;
    int n_buckets = 64;
    while (n_buckets < 2 * n && n_buckets < 8192) n_buckets *= 2;
    const R scale = R(n_buckets - 1) / range, top = R(n_buckets - 1);
    bucket.resize(n_in);
    place.assign(n_buckets + 1, 0);
    int i = 0;
    for (; i + kLanesOf<R> <= n_in; i += kLanesOf<R>) {
      V t = load(times + i), at = (t - first) * scale;
      at = t < std::numeric_limits<R>::infinity() ? low(at, V{} + top) : V{} + R(n_buckets);
      auto number = __builtin_convertvector(at, typename Simd<R>::Int32s);
      __builtin_memcpy(&bucket[i], &number, sizeof number);
    }
    for (; i < n_in; ++i)
      bucket[i] = times[i] < std::numeric_limits<R>::infinity()
                      ? int32_t(std::min((times[i] - first) * scale, top))
                      : n_buckets;
    for (i = 0; i < n_in; ++i) ++place[bucket[i]];
    int32_t position = 0;
    for (int k = 0; k <= n_buckets; ++k) {
      int32_t here = place[k];
      place[k] = position;
      position += here;
    }
    for (i = 0; i < n_in; ++i) {
      int at = place[bucket[i]]++;
      order[at] = i;
      sorted[at] = times[i];
    }
  }
};

// The events of one sample in the order of time. Per event: input, weight = e^t. Per group of equal
// times: end (one past its last event), time, x, h, and of all but the last: gap to the next group,
// tangent of h there.
template <class R> struct Events {
  std::vector<int32_t> input, end;
  std::vector<R> sorted, weight, time, x, gap, h, tangent;
  int n = 0, n_groups = 0;

  void reserve(int n_in) {
    if (int(input.size()) >= n_in + kLanesOf<R>) return;
    input.resize(n_in + kLanesOf<R>);
    end.resize(input.size());
    for (auto *column : {&sorted, &weight, &time, &x, &gap, &h, &tangent})
      column->resize(input.size());
  }

  template <class M> void load_sorting(const R *times, int n_in, R c, Sorter &sorter) {
    reserve(n_in);
    n = sorter.sort(times, n_in, input.data(), sorted.data());
    prepare<M>(c);
  }

  // After `input`, `sorted` and `n` were set.
  template <class M> void prepare(R c) {
    for (int k = 0; k < n; k += kLanesOf<R>) store(&weight[k], exponential(load(&sorted[k])));
    int g = -1;
    for (int k = 0; k < n; ++k) {
      g += k == 0 || sorted[k] != sorted[k - 1];
      time[g] = sorted[k];
      end[g] = k + 1;
    }
    n_groups = g + 1;
    for (g = 0; g < n_groups; ++g) {
      R e = weight[end[g] - 1];
      x[g] = M::x(time[g]);
      h[g] = M::h(time[g], e, c);
      if (g + 1 == n_groups) break;
      gap[g] = M::gap(time[g], time[g + 1]);
      tangent[g] = h[g] + c * e * gap[g]; // h' = c e^t for both membranes
    }
  }
};

// ---- forward -------------------------------------------------------------------------------

template <class M, class R, int W> struct Tile {
  typedef typename Simd<R>::Real V;
  typedef typename Simd<R>::Mask Mask;
  static constexpr int kLanes = kLanesOf<R>;
  static constexpr int kNeurons = W * kLanes; // their state stays in registers
  // A neuron that has fired gets this D: it never meets the curve again, and needs no mask.
  static constexpr R kFired = R(-1e30);

  struct Lines { // where neurons pierce the curve: the line from the group before, and its limits
    V d[W], slope[W], h[W], time[W], next[W];
    Mask fired[W];
  };

  // Decide candidates exactly; returns how many of them fire. `d` is D at the end of interval g.
  static __attribute__((noinline)) int decide(const Events<R> &e, int g, bool last, R c,
                                              const V *slope, V *d, Lines &lines) {
    int fired = 0;
    R gap = last ? M::template end<R>() - e.x[g] : e.gap[g];
    R bound = last ? R(-1e29) : e.tangent[g];
    R next = last ? std::numeric_limits<R>::infinity() : e.time[g + 1];
    for (int j = 0; j < W; ++j) {
      Mask candidate = (d[j] >= bound) & (slope[j] > R(0));
      if (!any(candidate)) continue;
      V start = last ? d[j] : d[j] - slope[j] * gap;
      Mask fires = last ? Mask{} : Mask(candidate & (d[j] >= e.h[g + 1]));
      if (any(candidate & ~fires))
        fires |= candidate & M::touches(start, slope[j], e.h[g], e.x[g], c, gap);
      if (!any(fires)) continue;
      lines.d[j] = fires ? start : lines.d[j];
      lines.slope[j] = fires ? slope[j] : lines.slope[j];
      lines.h[j] = fires ? V{} + e.h[g] : lines.h[j];
      lines.time[j] = fires ? V{} + e.time[g] : lines.time[j];
      lines.next[j] = fires ? V{} + next : lines.next[j];
      lines.fired[j] |= fires;
      d[j] = fires ? V{} + kFired : d[j];
      fired += count(fires);
    }
    return fired;
  }

  // Walk through the events until all `n` real neurons have fired. Distinct: no two times equal.
  template <bool Distinct>
  static void walk(const Events<R> &e, const V *w, R c, int n, Lines &lines) {
    const int32_t *input = e.input.data(), *ends = e.end.data();
    const R *weight = e.weight.data(), *gap = e.gap.data(), *tangent = e.tangent.data();
    // These stay in registers: nothing may take their address, so `decide` works on copies.
    V slope[W] = {}, d[W] = {};
    int silent = n, k = 0;
    const int last = e.n_groups - 1;
    for (int g = 0; g < last; ++g) {
      const int end = Distinct ? g + 1 : ends[g];
      for (; Distinct ? k == g : k < end; ++k) {
        const V *row = w + size_t(input[k]) * W;
        UNROLL for (int j = 0; j < W; ++j) slope[j] += row[j] * weight[k];
      }
      UNROLL for (int j = 0; j < W; ++j) d[j] += slope[j] * gap[g];
      V highest = d[0];
      UNROLL for (int j = 1; j < W; ++j) highest = highest_positive(d[j], highest);
      if (__builtin_expect(any(highest >= tangent[g]), 0)) {
        V slope_now[W], d_now[W];
        UNROLL for (int j = 0; j < W; ++j) slope_now[j] = slope[j], d_now[j] = d[j];
        silent -= decide(e, g, false, c, slope_now, d_now, lines);
        if (silent == 0) return;
        UNROLL for (int j = 0; j < W; ++j) d[j] = d_now[j];
      }
    }
    V slope_now[W], d_now[W];
    UNROLL for (int j = 0; j < W; ++j) slope_now[j] = slope[j], d_now[j] = d[j];
    for (; k < e.n; ++k)
      for (int j = 0; j < W; ++j) slope_now[j] += w[size_t(e.input[k]) * W + j] * e.weight[k];
    decide(e, last, true, c, slope_now, d_now, lines);
  }

  // `w`: (input, kNeurons) of this tile, zero beyond the n real neurons; results for all of them.
  static void forward(const Events<R> &e, const V *w, R c, int n, R *t_out, R *v_slope) {
    Lines lines = {};
    if (e.n_groups == e.n && e.n > 0)
      walk<true>(e, w, c, n, lines);
    else if (e.n > 0)
      walk<false>(e, w, c, n, lines);
    for (int j = 0; j < W; ++j) {
      V time = V{} + std::numeric_limits<R>::infinity(), slope = {};
      Mask fired = lines.fired[j];
      if (any(fired)) {
        Spike<V> spike =
            M::crossing(lines.d[j], lines.slope[j], lines.h[j], lines.time[j], c);
        time = fired ? low(spike.time, lines.next[j]) : time;
        slope = fired ? spike.v_slope : slope;
      }
      store(t_out + j * kLanes, time);
      store(v_slope + j * kLanes, slope);
    }
  }
};

// Largest |k(T - t_i)| over the inputs of one sample that came before T, from their sorted times.
// The kernel has one maximum, so it is at one of the two inputs around it.
template <class M, class R> R largest_kernel(const R *sorted, int n, R t) {
  int before = int(std::lower_bound(sorted, sorted + n, t) - sorted);
  int near = int(std::lower_bound(sorted, sorted + n, t - R(M::kSteepest)) - sorted);
  R largest = 0;
  for (int k = std::max(near - 1, 0); k < std::min(near + 1, before); ++k)
    largest = std::max(largest, M::ratio(t) * std::exp(sorted[k]) * (M::x(t) - M::x(sorted[k])));
  return largest;
}

} // namespace
