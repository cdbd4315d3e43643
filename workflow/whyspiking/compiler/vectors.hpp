// Vectors for compiled kernels: their types, the functions of them that kernels need, and tiles of
// matrix products. No other file may ask how wide the processor's vectors are.
//
// Three widths are known: AVX-512, AVX2 with FMA, and neither. Compilers split vectors that are wider
// than the processor's, so a kernel may choose any number of bytes; what it computes is the same but
// for the rounding of fused multiply-adds. `arithmetic.py` chooses one for all
// that is compiled; the tests run every kernel at all three.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifdef __SSE__
#include <immintrin.h>
#endif

// Without unrolling GCC keeps the state of a tile of neurons in memory: twice the time.
#define UNROLL _Pragma("GCC unroll 8")

namespace {

#ifdef __AVX512F__
constexpr int kWidest = 64; // bytes
#else
constexpr int kWidest = 32; // without AVX2 these are pairs of 16
#endif
constexpr int kTileRows = 4, kTileColumns = kWidest / 16; // sums of a tile fill half the registers

template <class R, int bytes> struct Vector {
  static constexpr int kLanes = bytes / int(sizeof(R));
  typedef std::conditional_t<sizeof(R) == 4, int32_t, int64_t> Int;
  typedef R Real __attribute__((vector_size(bytes)));
  typedef R Anywhere __attribute__((vector_size(bytes), aligned(sizeof(R)), may_alias));
  typedef Int Mask __attribute__((vector_size(bytes)));
  typedef int32_t Int32s __attribute__((vector_size(4 * kLanes))); // as many as there are lanes
};
// A vector at any address.
template <int bytes, class R> inline typename Vector<R, bytes>::Anywhere &at(R *p) {
  return *reinterpret_cast<typename Vector<R, bytes>::Anywhere *>(p);
}
template <int bytes, class R> inline const typename Vector<R, bytes>::Anywhere &at(const R *p) {
  return *reinterpret_cast<const typename Vector<R, bytes>::Anywhere *>(p);
}
typedef Vector<float, 32>::Real Floats;
typedef Vector<double, 32>::Real Doubles;

// ---- numbers of vectors --------------------------------------------------------------------

inline int rounded_up(int n, int lanes) { return (n + lanes - 1) / lanes * lanes; }

// Calls f with `number`, 1 to kMost, as a compile-time constant.
template <int kMost, class F> inline void with_number(int number, F f) {
  if constexpr (kMost > 1)
    if (number < kMost) return with_number<kMost - 1>(number, f);
  f(std::integral_constant<int, kMost>{});
}

// Calls f(first, number) for groups of at most kMost of `count` things: none is left out, and none is
// in two groups.
template <int kMost, class F> inline void in_groups(int count, F f) {
  for (int first = 0; first < count; first += kMost)
    with_number<kMost>(std::min(kMost, count - first), [&](auto number) { f(first, number); });
}

// ---- lanes ---------------------------------------------------------------------------------

template <class Mask> inline bool any(Mask mask) {
#ifdef __AVX2__
  if constexpr (sizeof mask == 32) return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#endif
  typedef typename Vector<int64_t, sizeof mask>::Mask Quads;
  Quads quads = (Quads)mask;
  int64_t found = 0;
  for (int i = 0; i < int(sizeof mask / 8); ++i) found |= quads[i];
  return found != 0;
}

// How many lanes of a mask are set.
template <class Mask> inline int count(Mask mask) {
#ifdef __AVX2__
  if constexpr (sizeof mask == 32)
    return __builtin_popcount(unsigned(_mm256_movemask_epi8((__m256i)mask))) / int(sizeof(mask[0]));
#endif
  int set = 0;
  for (int lane = 0; lane < int(sizeof mask / sizeof(mask[0])); ++lane) set -= int(mask[lane]);
  return set;
}

// ---- functions of numbers or vectors -------------------------------------------------------

// Of two equal or unordered numbers these give the second, so `low(nan, 0)` is 0.
template <class V> inline V low(V a, V b) { return a < b ? a : b; }
template <class V> inline V high(V a, V b) { return a > b ? a : b; }
template <class V> inline V root(V a) {
  for (int i = 0; i < int(sizeof(V) / sizeof(a[0])); ++i) a[i] = std::sqrt(a[i]);
  return a;
}
// min(a, 0), and the larger of two numbers of which at least one is positive (else any negative one).
template <class V> inline V negative_part(V a) { return low(a, V{}); }
template <class V> inline V highest_positive(V a, V b) { return high(a, b); }

#ifdef __AVX2__
inline Floats low(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
inline Floats high(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
inline Doubles low(Doubles a, Doubles b) { return (Doubles)_mm256_min_pd((__m256d)a, (__m256d)b); }
inline Doubles high(Doubles a, Doubles b) { return (Doubles)_mm256_max_pd((__m256d)a, (__m256d)b); }
inline Floats root(Floats a) { return (Floats)_mm256_sqrt_ps((__m256)a); }
inline Doubles root(Doubles a) { return (Doubles)_mm256_sqrt_pd((__m256d)a); }
// As integers: those run on pipes that the multiplications leave free.
inline Floats negative_part(Floats a) {
  return (Floats)_mm256_min_epi32((__m256i)a, _mm256_setzero_si256());
}
inline Floats highest_positive(Floats a, Floats b) {
  return (Floats)_mm256_max_epi32((__m256i)a, (__m256i)b);
}
#endif

template <class V> struct BitsOf { typedef typename Vector<float, sizeof(V)>::Mask Int; };
template <> struct BitsOf<float> { typedef int32_t Int; };

// e^x of a float, or of a vector of them, within -87 to 87: a polynomial after the reduction of Cody
// and Waite, to 2 ulp. No branch and no call, so that loops over floats become vector instructions.
template <class V> inline V exponential(V x) {
  x = low(V{} + 87.0f, high(V{} - 87.0f, x)); // in this order NaN stays NaN
  const float magic = 12582912.0f;            // 1.5 * 2^23: adding it rounds to an integer
  V shifted = x * 1.44269504f + magic, n = shifted - magic;
  V r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  typename BitsOf<V>::Int bits;
  __builtin_memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - 0x4B400000 + 127) << 23;
  V power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return p * power;
}

inline Floats logarithm(Floats x) { // of positive, normal numbers, to 1e-7
  typedef Vector<float, 32>::Mask Ints;
  Ints bits = (Ints)x;
  Ints exponent = ((bits - 0x3F3504F3) >> 23); // mantissa in [sqrt(1/2), sqrt 2)
  Floats f = (Floats)(bits - (exponent << 23)) - 1.0f, n = __builtin_convertvector(exponent, Floats);
  Floats p = f * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  Floats square = f * f;
  Floats y = p * f * square + n * -2.12194440e-4f;
  return f + (y - 0.5f * square) + n * 0.693359375f;
}

// In double both are the library's.
inline Doubles exponential(Doubles x) {
  for (int i = 0; i < 4; ++i) x[i] = std::exp(x[i]);
  return x;
}
inline Doubles logarithm(Doubles x) {
  for (int i = 0; i < 4; ++i) x[i] = std::log(x[i]);
  return x;
}

// ---- matrix products -----------------------------------------------------------------------

// Element (i, k) of a factor: data[i * row + k * step]. With row and step exchanged it is transposed.
template <class R> struct Factor {
  const R *data;
  int row, step;
};

template <int rows, int columns, class R>
void add_tile(const R *a, int a_row, int a_step, int n, const R *b, int b_row, R *c, int c_row) {
  typedef typename Vector<R, kWidest>::Anywhere V;
  constexpr int kLanes = Vector<R, kWidest>::kLanes;
  V sum[rows][columns];
  for (int i = 0; i < rows; ++i)
    for (int v = 0; v < columns; ++v) sum[i][v] = at<kWidest>(c + i * c_row + v * kLanes);
  for (int k = 0; k < n; ++k, a += a_step, b += b_row)
    for (int v = 0; v < columns; ++v) {
      const V now = at<kWidest>(b + v * kLanes);
      for (int i = 0; i < rows; ++i) sum[i][v] += a[i * a_row] * now;
    }
  for (int i = 0; i < rows; ++i)
    for (int v = 0; v < columns; ++v) at<kWidest>(c + i * c_row + v * kLanes) = sum[i][v];
}

// c (rows x columns) += a (rows x n) b (n x columns), both row by row, in whole vectors: where a row of
// b ends within one, the rest of it is whatever follows, as is that of c. At most `kRows` rows at once.
template <int kRows = kTileRows, class R>
void add_product(Factor<R> a, int rows, int n, const R *b, int b_row, int columns, R *c, int c_row) {
  constexpr int kLanes = Vector<R, kWidest>::kLanes;
  // A single row has too few sums to keep the multipliers busy unless it takes more columns.
  constexpr int kMost = kRows > 1 ? kTileColumns : 2 * kTileColumns;
  in_groups<kMost>(rounded_up(columns, kLanes) / kLanes, [&](int first, auto width) {
    const R *from = b + first * kLanes;
    R *to = c + first * kLanes;
    int i = 0;
    for (; i + kRows <= rows; i += kRows)
      add_tile<kRows, width()>(a.data + i * a.row, a.row, a.step, n, from, b_row, to + i * c_row, c_row);
    for (; i < rows; ++i)
      add_tile<1, width()>(a.data + i * a.row, a.row, a.step, n, from, b_row, to + i * c_row, c_row);
  });
}

} // namespace
