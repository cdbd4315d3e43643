// A network of Izhikevich neurons that input spikes drive, trial after trial (README, Eqs. 1-3, 24).
//
// One step, as Brian2 takes it: Euler for all states at once; then spikes of inputs and neurons act on
// h; then the neurons that fired are reset. Weights come times 1/(tau_r tau_d), pre by pre.

#include <algorithm>
#include <cstdint>

namespace {

struct Constants {
  double dt, capacitance, k, v_r, v_t, v_peak, v_reset, a, b, d, bias, tau_r, tau_d, tau_read;
};
constexpr int kStates = 6; // v, u, current, h, r, h_r

inline void add(double *__restrict to, double factor, const double *__restrict row, int n) {
  for (int i = 0; i < n; ++i) to[i] += factor * row[i];
}

// Eqs. 1-3; returns how many neurons are above the peak.
inline int update(const Constants &c, int n, double *__restrict v, double *__restrict u,
                  double *__restrict current, double *__restrict h,
                  double *__restrict r, double *__restrict h_r) {
  const double by_c = c.dt / c.capacitance, by_r = c.dt / c.tau_r, by_d = c.dt / c.tau_d,
               by_read = c.dt / c.tau_read;
  int fired = 0;
  for (int i = 0; i < n; ++i) {
    const double dv = c.k * (v[i] - c.v_r) * (v[i] - c.v_t) - u[i] + current[i] + c.bias;
    const double du = c.a * (c.b * (v[i] - c.v_r) - u[i]);
    current[i] += c.dt * h[i] - by_r * current[i];
    h[i] -= by_d * h[i];
    r[i] += c.dt * h_r[i] - by_r * r[i];
    h_r[i] -= by_read * h_r[i];
    v[i] += by_c * dv;
    u[i] += c.dt * du;
    fired += v[i] >= c.v_peak;
  }
  return fired;
}

} // namespace

// Simulates steps `first` to `last` - 1 of trials `trial` to `end` - 1.
//
// constants: as in Constants. omega (neuron, neuron), w_in (input, neuron). starts (trial + 1): where
// the input spikes of a trial begin in steps and inputs, which are in the order of time. state (trial,
// kStates, neuron) and counts (trial, neuron) are changed.
extern "C" void advance(const double *constants, int32_t n, const double *omega, const double *w_in,
                        const int64_t *starts, const int32_t *steps, const int32_t *inputs,
                        int32_t trial, int32_t end, int32_t first, int32_t last, double *state,
                        int32_t *counts) {
  const Constants &c = *reinterpret_cast<const Constants *>(constants);
  const double jump = 1.0 / (c.tau_r * c.tau_read);
  for (; trial < end; ++trial) {
    double *v = state + int64_t(trial) * kStates * n, *u = v + n, *current = u + n;
    double *h = current + n, *r = h + n, *h_r = r + n;
    const int32_t *stop = steps + starts[trial + 1];
    const int32_t *next = std::lower_bound(steps + starts[trial], stop, first);
    for (int32_t step = first; step < last; ++step) {
      const int fired = update(c, n, v, u, current, h, r, h_r);
      for (; next < stop && *next == step; ++next)
        add(h, 1.0, w_in + int64_t(inputs[next - steps]) * n, n);
      if (!fired) continue;
      for (int i = 0; i < n; ++i) {
        if (v[i] < c.v_peak) continue;
        add(h, 1.0, omega + int64_t(i) * n, n);
        v[i] = c.v_reset;
        u[i] += c.d;
        h_r[i] += jump;
        ++counts[int64_t(trial) * n + i];
      }
    }
  }
}
