// Normal numbers, many at once, and spike times with noise.

#pragma once

#include <vector>

#include "compiler/vectors.hpp"

namespace {

inline uint64_t mixed(uint64_t z) { // the finaliser of SplitMix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// Eight xoshiro128++ side by side, seeded by (seed, stream): each sample has a stream of its own, so
// its noise does not depend on what was drawn before. Normal numbers by Box and Muller.
class Normals {
  typedef uint32_t Words __attribute__((vector_size(32)));
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
    typedef Vector<float, 32>::Mask Ints;
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
      at<32>(out + i) = radius * (Floats)((Words)(turned ? sine : cosine) ^ flip);
      at<32>(out + i + 8) = radius * (Floats)((Words)(turned ? cosine : sine) ^ flip);
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
