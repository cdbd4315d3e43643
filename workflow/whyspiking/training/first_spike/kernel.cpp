// Forward and backward pass of one layer of neurons that fire once, see core.hpp.

#include "core.hpp"

namespace {

constexpr int kSampleBlock = 64; // samples whose sorted events are held at a time

// ---- forward -------------------------------------------------------------------------------

template <class M, class R, int W> struct Forward {
  typedef typename Simd<R>::Real V;
  static constexpr int kTile = W * kLanesOf<R>;

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
    static thread_local Sorter sorter;
    events.resize(kSampleBlock);
    R times[kTile], slopes[kTile];
    for (int first = 0; first < n_samples; first += kSampleBlock) {
      int block = std::min(kSampleBlock, n_samples - first);
      for (int b = 0; b < block; ++b)
        events[b].template load_sorting<M>(t_in + size_t(first + b) * n_in, n_in, c, sorter);
      for (int tile = 0; tile < n_tiles; ++tile) { // tile outside: its weights stay in cache
        int n = std::min(kTile, n_out - tile * kTile);
        for (int b = 0; b < block; ++b) {
          size_t at = size_t(first + b) * n_out + tile * kTile;
          Tile<M, R, W>::forward(events[b], packed.data() + size_t(tile) * n_in * W, c, n, times,
                                 slopes);
          std::copy_n(times, n, t_out + at);
          std::copy_n(slopes, n, v_slope + at);
        }
      }
    }
  }
};

// ---- backward ------------------------------------------------------------------------------

template <class M, class R, int W> struct Backward {
  typedef typename Simd<R>::Real V;
  static constexpr int kTile = W * kLanesOf<R>;

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
          R largest = largest_kernel<M>(sorted[b].data(), int(sorted[b].size()), t);
          if (std::abs(gain) * largest > max_dw) qw_flat[to] = 0;
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
          V by_time = {};
          UNROLL for (int j = 0; j < W; ++j) {
            V past = x_k - x_out[size_t(b) * W + j];
            by_time += (past < R(0) ? (past + dx) * q_t[size_t(b) * W + j] : V{}) * w_i[j];
          }
          g_t[size_t(b) * n_in + i] += e[row + k] * total<R>(by_time);
        }
      }
    }
  }
};

// Narrow layers (outputs) use one or two vectors of neurons at a time, wide ones five.
template <class M, class R, class... Args>
void forward(int n_out, const R *t_in, const R *w, Args... args) {
  if (n_out <= 2 * kLanesOf<R>)
    Forward<M, R, 2>::run(t_in, w, args...);
  else
    Forward<M, R, 5>::run(t_in, w, args...);
}
template <class M, class R, class... Args>
void backward(int n_out, const R *t_in, const R *w, Args... args) {
  if (n_out <= 2 * kLanesOf<R>)
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
