// Vectors of 32 bytes, the functions of them that first-spike layers need, and normal numbers.
//
// Machines without AVX split the vectors. In float the exponential and the logarithm are polynomials
// after the reduction of Cody and Waite (relative error 1e-7); in double they are the library's.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#ifdef __SSE__
#include <immintrin.h>
#endif

// Without unrolling GCC keeps the state of a tile of neurons in memory: twice the time.
#define UNROLL _Pragma("GCC unroll 8")

namespace {

constexpr int kBytes = 32;

template <class R> struct Simd {};
template <> struct Simd<float> {
  typedef float Real __attribute__((vector_size(kBytes)));
  typedef int32_t Mask __attribute__((vector_size(kBytes)));
};
template <> struct Simd<double> {
  typedef double Real __attribute__((vector_size(kBytes)));
  typedef int64_t Mask __attribute__((vector_size(kBytes)));
};
typedef Simd<float>::Real Floats;
typedef Simd<double>::Real Doubles;
typedef uint32_t Words __attribute__((vector_size(kBytes)));

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

template <class R> constexpr int kLanesOf = kBytes / int(sizeof(R));
template <class R> struct Lanes; // as many int32 as a vector of R has lanes
template <> struct Lanes<float> {
  typedef int32_t Int32s __attribute__((vector_size(32)));
};
template <> struct Lanes<double> {
  typedef int32_t Int32s __attribute__((vector_size(16)));
};
template <class R> using Int32s = typename Lanes<R>::Int32s;

template <class Mask> inline bool any(Mask mask) {
#ifdef __AVX__
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
  typedef int64_t Quads __attribute__((vector_size(kBytes)));
  Quads q = (Quads)mask;
  return (q[0] | q[1] | q[2] | q[3]) != 0;
#endif
}

// How many lanes of a mask are set.
template <class Mask> inline int count(Mask mask) {
#ifdef __AVX2__
  return __builtin_popcount(unsigned(_mm256_movemask_epi8((__m256i)mask))) / int(sizeof(mask[0]));
#else
  int set = 0;
  for (int lane = 0; lane < int(sizeof mask / sizeof(mask[0])); ++lane) set -= int(mask[lane]);
  return set;
#endif
}

// Of two equal or unordered numbers these give the second, so `low(nan, 0)` is 0.
#ifdef __AVX__
inline Floats low(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
inline Floats high(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
inline Doubles low(Doubles a, Doubles b) { return (Doubles)_mm256_min_pd((__m256d)a, (__m256d)b); }
inline Doubles high(Doubles a, Doubles b) { return (Doubles)_mm256_max_pd((__m256d)a, (__m256d)b); }
inline Floats root(Floats a) { return (Floats)_mm256_sqrt_ps((__m256)a); }
inline Doubles root(Doubles a) { return (Doubles)_mm256_sqrt_pd((__m256d)a); }
#else
template <class V> inline V low(V a, V b) { return a < b ? a : b; }
template <class V> inline V high(V a, V b) { return a > b ? a : b; }
template <class V> inline V root(V a) {
  for (int i = 0; i < int(sizeof(V) / sizeof(a[0])); ++i) a[i] = std::sqrt(a[i]);
  return a;
}
#endif

// min(a, 0), and the larger of two numbers of which at least one is positive (else any negative
// one). In single precision as integers: those run on pipes that the multiplications leave free.
#ifdef __AVX2__
inline Floats negative_part(Floats a) {
  return (Floats)_mm256_min_epi32((__m256i)a, _mm256_setzero_si256());
}
inline Floats highest_positive(Floats a, Floats b) {
  return (Floats)_mm256_max_epi32((__m256i)a, (__m256i)b);
}
#else
inline Floats negative_part(Floats a) { return low(a, Floats{}); }
inline Floats highest_positive(Floats a, Floats b) { return high(a, b); }
#endif
inline Doubles negative_part(Doubles a) { return low(a, Doubles{}); }
inline Doubles highest_positive(Doubles a, Doubles b) { return high(a, b); }

inline Floats exponential(Floats x) {
  typedef Simd<float>::Mask Ints;
  x = high(low(x, Floats{} + 88.0f), Floats{} - 87.0f);
  const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer
  Floats shifted = x * 1.44269504f + magic, n = shifted - magic;
  Floats r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (Floats)(((Ints)shifted - 0x4B400000 + 127) << 23);
}

inline Floats logarithm(Floats x) { // of positive, normal numbers
  typedef Simd<float>::Mask Ints;
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

inline Doubles exponential(Doubles x) {
  for (int i = 0; i < 4; ++i) x[i] = std::exp(x[i]);
  return x;
}
inline Doubles logarithm(Doubles x) {
  for (int i = 0; i < 4; ++i) x[i] = std::log(x[i]);
  return x;
}

template <class R> inline typename Simd<R>::Real load(const R *from) {
  typename Simd<R>::Real v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <class R> inline void store(R *to, typename Simd<R>::Real v) {
  __builtin_memcpy(to, &v, sizeof v);
}
template <class R> inline R total(typename Simd<R>::Real v) {
  R sum = 0;
  for (int i = 0; i < kLanesOf<R>; ++i) sum += v[i];
  return sum;
}
template <class R> constexpr int padded(int n) {
  return (n + kLanesOf<R> - 1) / kLanesOf<R> * kLanesOf<R>;
}

// ---- normal numbers ------------------------------------------------------------------------

inline uint64_t mixed(uint64_t z) { // the finaliser of SplitMix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// Eight xoshiro128++ side by side, seeded by (seed, stream): each sample has a stream of its own, so
// its noise does not depend on what was drawn before. Normal numbers by Box and Muller.
class Normals {
  Words s[4];

  Words next() {
    Words sum = s[0] + s[3], result = ((sum << 7) | (sum >> 25)) + s[0], t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >> 21);
    return result;
  }

public:
  Normals(uint64_t seed, uint64_t stream) {
    uint64_t x = mixed(mixed(seed + 0x9E3779B97F4A7C15u) + stream);
    for (Words &state : s)
      for (int lane = 0; lane < 8; lane += 2) {
        uint64_t bits = mixed(x += 0x9E3779B97F4A7C15u);
        state[lane] = uint32_t(bits);
        state[lane + 1] = uint32_t(bits >> 32);
      }
  }

  // n rounded up to a multiple of 16.
  void fill(float *out, int n) {
    typedef Simd<float>::Mask Ints;
    for (int i = 0; i < n; i += 16) {
      Words a = next(), b = next();
      Floats u = __builtin_convertvector((Ints)(a >> 8) + 1, Floats) * 0x1p-24f; // (0, 1]
      Floats radius = root(high(logarithm(u) * -2.0f, Floats{}));
      // An angle within 45 degrees of zero, then one of four quarter turns by two more bits.
      Floats angle =
          (__builtin_convertvector((Ints)(b >> 8), Floats) * 0x1p-24f - 0.5f) * 1.57079633f;
      Floats q = angle * angle;
      Floats sine =
          ((q * -1.9515295891e-4f + 8.3321608736e-3f) * q - 1.6666654611e-1f) * q * angle + angle;
      Floats cosine = ((q * 2.443315711809948e-5f - 1.388731625493765e-3f) * q +
                       4.166664568298827e-2f) * q * q - 0.5f * q + 1.0f;
      Ints turned = -(Ints)(b & 1);
      Words flip = (b & 2) << 30;
      store(out + i, radius * (Floats)((Words)(turned ? sine : cosine) ^ flip));
      store(out + i + 8, radius * (Floats)((Words)(turned ? cosine : sine) ^ flip));
    }
  }
};

// A row of spike times with noise, reflected at 0; silent inputs stay silent.
template <class R>
void add_noise(const R *times, int n, R sd, uint64_t seed, uint64_t stream, R *out,
               std::vector<float> &scratch) {
  scratch.resize((n + 15) / 16 * 16);
  Normals(seed, stream).fill(scratch.data(), n);
  for (int i = 0; i < n; ++i) out[i] = std::abs(times[i] + sd * R(scratch[i]));
}

} // namespace
