// First spikes of neurons whose time constants are arbitrary and their own: no closed form, so the
// crossing is found numerically, event by event, in double precision.
//
//   tau_m dV/dt = x - V,   tau_s dx/dt = -x,   x += w at an input spike
//
// Between two events V(d) = V e^{-d/tau_m} + x kappa(d) has at most one extremum; from a start
// below threshold it can only cross while it rises to a maximum, so one bracket is enough.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace {

struct Neuron {
  double tau_m, tau_s, v = 0, x = 0;

  double rate() const { return 1 / tau_s - 1 / tau_m; } // difference of the two decay rates
  // tau_s/(tau_m - tau_s) (e^{-d/tau_m} - e^{-d/tau_s}), also where the two are (nearly) equal.
  double kappa(double d) const {
    double z = rate() * d;
    double phi = std::abs(z) < 1e-8 ? 1 - z / 2 : -std::expm1(-z) / z;
    return d / tau_m * std::exp(-d / tau_m) * phi;
  }
  double voltage(double d) const { return v * std::exp(-d / tau_m) + x * kappa(d); }
  double slope(double d) const { return (x * std::exp(-d / tau_s) - voltage(d)) / tau_m; }
  void advance(double d) {
    v = voltage(d);
    x *= std::exp(-d / tau_s);
  }
  // Time of the maximum of V; infinity if there is none ahead.
  double peak() const {
    if (!(x > 0) || !(x > v)) return std::numeric_limits<double>::infinity();
    double eps = rate(), below = v * eps + x / tau_m;
    double argument = eps * (x - v) / below;
    if (std::abs(argument) < 1e-10) return (x - v) / below;
    if (!(below > 0) || !(argument > -1)) return std::numeric_limits<double>::infinity();
    return std::log1p(argument) / eps;
  }
  // First d in (0, gap] with V(d) = threshold; infinity if none.
  double crossing(double threshold, double gap) const {
    const double none = std::numeric_limits<double>::infinity();
    if (!(x > 0) || !(x > v)) return none;
    double high = std::min(gap, peak());
    if (!std::isfinite(high)) return none; // rises from below towards rest, never to threshold
    if (voltage(high) < threshold) return none;
    double low = 0, d = high / 2;
    for (int step = 0; step < 100 && high - low > 1e-14 * (1 + high); ++step) {
      double excess = voltage(d) - threshold;
      (excess < 0 ? low : high) = d;
      double newton = d - excess / slope(d);
      if (std::abs(newton - d) < 1e-15 * (1 + d)) break;
      d = newton > low && newton < high ? newton : (low + high) / 2;
    }
    return d;
  }
};

} // namespace

extern "C" void forward_general(const double *t_in, const double *w, const double *tau_m,
                                const double *tau_s, const double *threshold, int n_samples,
                                int n_in, int n_out, double *t_out) {
  std::vector<int> order(n_in);
  for (int b = 0; b < n_samples; ++b) {
    const double *times = t_in + size_t(b) * n_in;
    int n = 0;
    for (int i = 0; i < n_in; ++i)
      if (std::isfinite(times[i])) order[n++] = i;
    std::stable_sort(order.begin(), order.begin() + n,
                     [&](int a, int c) { return times[a] < times[c]; });
    for (int j = 0; j < n_out; ++j) {
      Neuron neuron{tau_m[j], tau_s[j]};
      double out = std::numeric_limits<double>::infinity();
      for (int k = 0; k < n; ++k) {
        neuron.x += w[size_t(order[k]) * n_out + j];
        double now = times[order[k]];
        double gap = k + 1 < n ? times[order[k + 1]] - now : std::numeric_limits<double>::infinity();
        if (gap == 0) continue;
        double d = neuron.crossing(threshold[j], gap);
        if (std::isfinite(d)) {
          out = now + d;
          break;
        }
        if (std::isfinite(gap)) neuron.advance(gap);
      }
      t_out[size_t(b) * n_out + j] = out;
    }
  }
}
