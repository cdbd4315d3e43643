// Convolutional layers (README, section 10): traces, potentials and their maxima, gradients.
//
// Channels are the last axis everywhere. A convolution is a product of matrices whose left factor lies
// in the padded input as it is: the inputs of one row of a kernel are neighbours in memory. So a tile of
// sums stays in registers while all inputs of a row of the kernel are added. The gradient of a maximum
// is zero except at one place, so gradients visit these places only.
//
// Vectors have 32 bytes at every SIMD level, so that the order of all sums is the same.

#include <cstring>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

constexpr int kBytes = 32;
constexpr int kSums = 12;              // of a tile, in vectors; with factors they fill 16 registers
constexpr int kFirstCacheBytes = 16384;  // half of the smallest first cache that we know

struct Shape {
  int32_t n_images, side, padding, channels, size, outputs, pool;
  int padded() const { return side + 2 * padding; }
  int line() const { return padded() * channels; }  // numbers in a row of an image
  int run() const { return size * channels; }       // numbers in a row of a kernel
  int pooled() const { return (padded() - size + 1) / pool; }
  int rows() const { return pooled() * pool; }  // outputs that no maximum uses are left out
  int offset(int place) const { return (place / rows() * padded() + place % rows()) * channels; }
};

// Calls f(first, number) for as few groups of at most kMost as possible, which are about equally large.
template <int kMost, class F> inline void in_even_groups(int count, F f) {
  const int n_groups = (count + kMost - 1) / kMost;
  for (int group = 0, first = 0; group < n_groups; ++group) {
    const int number = (count - first + n_groups - group - 1) / (n_groups - group);
    with_number<kMost>(number, [&](auto fixed) { f(first, fixed); });
    first += number;
  }
}

// ---- potentials ----------------------------------------------------------------------------

// Adds rows `first` to `last` - 1 of all kernels to outputs at neighbouring positions.
template <int positions, int vectors, class R>
void add_products(const Shape &s, const R *inputs, int first, int last, const R *weights, R *sums) {
  typedef typename Vector<R, kBytes>::Anywhere V;
  constexpr int kLanes = Vector<R, kBytes>::kLanes;
  V sum[positions][vectors];
  for (int i = 0; i < positions; ++i)
    for (int v = 0; v < vectors; ++v) sum[i][v] = at<kBytes>(sums + i * s.outputs + v * kLanes);
  const int channels = s.channels, outputs = s.outputs;
  for (int row = first; row < last; ++row) {
    const R *a = inputs + row * s.line(), *b = weights + row * s.run() * outputs;
    for (int k = s.run(); k > 0; --k, ++a, b += outputs) {
      if constexpr (vectors < positions) {
        V now[vectors];
        for (int v = 0; v < vectors; ++v) now[v] = at<kBytes>(b + v * kLanes);
        for (int i = 0; i < positions; ++i) {
          const V input = V{} + a[i * channels];
          for (int v = 0; v < vectors; ++v) sum[i][v] += input * now[v];
        }
      } else {
        V input[positions];
        for (int i = 0; i < positions; ++i) input[i] = V{} + a[i * channels];
        for (int v = 0; v < vectors; ++v) {
          const V now = at<kBytes>(b + v * kLanes);
          for (int i = 0; i < positions; ++i) sum[i][v] += input[i] * now;
        }
      }
    }
  }
  for (int i = 0; i < positions; ++i)
    for (int v = 0; v < vectors; ++v) at<kBytes>(sums + i * s.outputs + v * kLanes) = sum[i][v];
}

// All outputs of one image. Rows of padding are zero and left out.
template <class R>
void convolve(const Shape &s, const R *inputs, const R *weights, const R *bias, R *sums) {
  constexpr int kLanes = Vector<R, kBytes>::kLanes;
  const int rows = s.rows();
  for (int i = 0; i < rows * rows; ++i) std::copy_n(bias, s.outputs, sums + i * s.outputs);
  // Kernels stay in the first cache: all of them, or one row of all of them at a time.
  const bool fit = s.size * s.run() * s.outputs * int(sizeof(R)) <= kFirstCacheBytes;
  const int step = fit ? s.size : 1;
  for (int start = 0; start < s.size; start += step)
    for (int y = 0; y < rows; ++y) {
      const int first = std::max(start, s.padding - y);
      const int last = std::min(start + step, s.padding + s.side - y);
      if (first >= last) continue;
      in_groups<4>(s.outputs / kLanes, [&](int v, auto vectors) {
        in_even_groups<kSums / vectors()>(rows, [&](int x, auto positions) {
          add_products<positions(), vectors()>(
              s, inputs + y * s.line() + x * s.channels, first, last, weights + v * kLanes,
              sums + (y * rows + x) * s.outputs + v * kLanes);
        });
      });
    }
}

// The largest of each square of potentials, and its place among all outputs of its channel.
template <class R>
void find_maxima(const Shape &s, const R *sums, R *maxima, int32_t *places) {
  typedef Vector<R, kBytes> Of;
  typedef typename Of::Int32s Places;
  const int rows = s.rows(), n = s.outputs;
  for (int y = 0; y < rows; y += s.pool)
    for (int x = 0; x < rows; x += s.pool, maxima += n, places += n)
      for (int i = 0; i < n; i += Of::kLanes) {
        typename Of::Real best = at<kBytes>(sums + (y * rows + x) * n + i);
        Places place = Places{} + (y * rows + x);
        for (int k = 1; k < s.pool * s.pool; ++k) {
          const int other = (y + k / s.pool) * rows + x + k % s.pool;
          const typename Of::Real now = at<kBytes>(sums + other * n + i);
          const typename Of::Mask larger = now > best;
          best = larger ? now : best;
          place = __builtin_convertvector(larger, Places) ? Places{} + other : place;
        }
        at<kBytes>(maxima + i) = best;
        std::memcpy(places + i, &place, sizeof place);
      }
}

// The sigmoid of potentials, n of them in whole vectors.
template <class R> void find_activity(int64_t n, const R *potentials, R *activity) {
  typedef typename Vector<R, kBytes>::Real V;
  for (int64_t i = 0; i < n; i += Vector<R, kBytes>::kLanes)
    at<kBytes>(activity + i) = R(1) / (R(1) + exponential(V(-at<kBytes>(potentials + i))));
}

// ---- gradients -----------------------------------------------------------------------------

// Numbers of one channel of one image that are not zero, and their offsets in the padded input.
template <class R> struct Sparse {
  std::vector<int32_t> offset;
  std::vector<R> value;
  Sparse(const Shape &s, const R *delta, const int32_t *places) {
    for (int i = 0; i < s.pooled() * s.pooled() * s.outputs; i += s.outputs) {
      if (delta[i] == 0) continue;
      offset.push_back(s.offset(places[i]));
      value.push_back(delta[i]);
    }
  }
};

template <int rows, int vectors, class R>
void add_gradient(const Sparse<R> &from, const R *inputs, int line, R *gradient, int run) {
  typedef typename Vector<R, kBytes>::Anywhere V;
  constexpr int kLanes = Vector<R, kBytes>::kLanes;
  V sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v] = at<kBytes>(gradient + r * run + v * kLanes);
  for (std::size_t i = 0; i < from.value.size(); ++i) {
    const R *now = inputs + from.offset[i];
    const V value = V{} + from.value[i];
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) sum[r][v] += value * at<kBytes>(now + r * line + v * kLanes);
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) at<kBytes>(gradient + r * run + v * kLanes) = sum[r][v];
}

template <class R> struct Layer {
  static constexpr int kLanes = Vector<R, kBytes>::kLanes;
  const Shape &s;
  const int run = rounded_up(s.run(), kLanes);  // numbers in a row of a kernel, in whole vectors
  int64_t n_inputs = int64_t(s.padded()) * s.line();  // of an image
  int64_t n_maxima = int64_t(s.pooled()) * s.pooled() * s.outputs;

  // One step of the traces of an image.
  void advance(const R *spikes, const R *coefficients, R *q, R *p) const {
    const int n = s.side * s.channels;
    const R *keep_p = coefficients, *gain_p = keep_p + n, *keep_q = gain_p + n, *gain_q = keep_q + n;
    p += s.padding * (s.line() + s.channels);
    for (int y = 0; y < s.side; ++y, spikes += n, q += n, p += s.line()) {
      R *__restrict now = q, *__restrict later = p;
      for (int i = 0; i < n; ++i) {
        now[i] = keep_q[i] * now[i] + (spikes[i] > 0 ? gain_q[i] : R(0));
        later[i] = keep_p[i] * later[i] + gain_p[i] * now[i];
      }
    }
  }

  void step(const R *spikes, const R *coefficients, R *q, R *p, const R *weights, const R *bias,
            R *maxima, int32_t *places, R *activity) const {
    std::vector<R> sums(std::size_t(s.rows()) * s.rows() * s.outputs);
    const int64_t n = int64_t(s.side) * s.side * s.channels;
    for (int image = 0; image < s.n_images; ++image, p += n_inputs) {
      R *largest = maxima + image * n_maxima;
      if (q) advance(spikes + image * n, coefficients, q + image * n, p);
      convolve(s, p, weights, bias, sums.data());
      find_maxima(s, sums.data(), largest, places + image * n_maxima);
      if (activity) find_activity(n_maxima, largest, activity + image * n_maxima);
    }
  }

  // Calls f(channel, its gradient) for all channels of an image.
  template <class F> void each_channel(int image, const R *delta, const int32_t *places, F f) const {
    for (int64_t o = 0, first = image * n_maxima; o < s.outputs; ++o)
      f(o, Sparse<R>(s, delta + first + o, places + first + o));
  }

  void sum_gradient(const R *inputs, const R *delta, const int32_t *places, R *gradient) const {
    for (int image = 0; image < s.n_images; ++image, inputs += n_inputs)
      each_channel(image, delta, places, [&](int64_t o, const Sparse<R> &from) {
        R *to = gradient + o * s.size * run;
        if (run == kLanes)  // short rows: several of them together
          in_groups<8>(s.size, [&](int row, auto rows) {
            add_gradient<rows(), 1>(from, inputs + row * s.line(), s.line(), to + row * run, run);
          });
        else
          for (int row = 0; row < s.size; ++row)
            in_even_groups<14>(run / kLanes, [&](int v, auto vectors) {
              add_gradient<1, vectors()>(from, inputs + row * s.line() + v * kLanes, 0,
                                         to + row * run + v * kLanes, run);
            });
      });
  }

  void send_back(const R *delta, const int32_t *places, const R *weights, R *gradient) const {
    for (int image = 0; image < s.n_images; ++image, gradient += n_inputs)
      each_channel(image, delta, places, [&](int64_t o, const Sparse<R> &from) {
        for (std::size_t i = 0; i < from.value.size(); ++i) {
          const auto value = typename Vector<R, kBytes>::Real{} + from.value[i];
          for (int row = 0; row < s.size; ++row) {
            R *to = gradient + from.offset[i] + row * s.line();
            const R *w = weights + (o * s.size + row) * run;
            for (int k = 0; k < run; k += kLanes) at<kBytes>(to + k) += value * at<kBytes>(w + k);
          }
        }
      });
  }
};

}  // namespace

// p, the traces of inputs or other inputs: (image, padded row, padded column, channel) with one vector
// behind the last number. q, where there are traces, and spikes, which are numbers above 0: the same
// without padding. Coefficients: decay and gain of p, then of q, (4, column, channel). Weights of `step`:
// (row, column, channel, output). Gradient of `sum_gradient` and weights of `send_back`: (output, row,
// column and channel in whole vectors). All others: (image, pooled row, pooled column, output).
#define EXPORT(R, kind)                                                                                \
  extern "C" void step_##kind(const Shape *s, const R *spikes, const R *coefficients, R *q, R *p,      \
                              const R *weights, const R *bias, R *maxima, int32_t *places,             \
                              R *activity) {                                                           \
    Layer<R>{*s}.step(spikes, coefficients, q, p, weights, bias, maxima, places, activity);            \
  }                                                                                                    \
  extern "C" void sum_gradient_##kind(const Shape *s, const R *inputs, const R *delta,                 \
                                      const int32_t *places, R *gradient) {                            \
    Layer<R>{*s}.sum_gradient(inputs, delta, places, gradient);                                        \
  }                                                                                                    \
  extern "C" void send_back_##kind(const Shape *s, const R *delta, const int32_t *places,              \
                                   const R *weights, R *gradient) {                                    \
    Layer<R>{*s}.send_back(delta, places, weights, gradient);                                          \
  }
EXPORT(float, f32)
EXPORT(double, f64)
