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

struct State {
  double v, x;
};

struct Neuron {
  double tau_m, tau_s;
  State now{0, 0};

  double rate() const { return 1 / tau_s - 1 / tau_m; } // difference of the two decay rates
  // The state a time d later: V grows by x tau_s/(tau_m - tau_s) (e^{-d/tau_m} - e^{-d/tau_s}),
  // written so that it holds for (nearly) equal time constants too.
  State after(double d) const {
    double kept = std::exp(-d / tau_m), z = rate() * d;
    double faded = std::exp(-d / tau_s);
    double gain = std::abs(z) < 1e-3 ? d * kept * (1 - z / 2 * (1 - z / 3 * (1 - z / 4)))
                                     : (kept - faded) / rate();
    return {now.v * kept + now.x * gain / tau_m, now.x * faded};
  }
  double rise(State s) const { return (s.x - s.v) / tau_m; }
  // Time of the maximum of V, for x > v and x > 0; infinity if V rises for ever.
  double peak() const {
    double below = now.v * rate() + now.x / tau_m;
    double argument = rate() * (now.x - now.v) / below;
    if (std::abs(argument) < 1e-10) return (now.x - now.v) / below;
    if (!(below > 0) || !(argument > -1)) return std::numeric_limits<double>::infinity();
    return std::log1p(argument) / rate();
  }
  // First d in (0, gap] with V(d) = threshold; infinity if none.
  double crossing(double threshold, double gap) const {
    const double none = std::numeric_limits<double>::infinity();
    if (!(now.x > 0) || !(now.x > now.v)) return none;
    // V gains at most x d / tau_m, and at most x: most intervals end here.
    if (std::max(now.v, 0.0) + now.x * std::min(gap / tau_m, 1.0) < threshold) return none;
    double high = std::min(gap, peak());
    if (!std::isfinite(high)) return none; // rises from below towards rest, never to threshold
    if (after(high).v < threshold) return none;
    double low = 0, d = high / 2;
    for (int step = 0; step < 100; ++step) {
      State there = after(d);
      double excess = there.v - threshold;
      (excess < 0 ? low : high) = d;
      double next = d - excess / rise(there);
      if (!(next > low && next < high)) next = (low + high) / 2;
      if (std::abs(next - d) < 1e-14 * (1 + d)) break;
      d = next;
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
        neuron.now.x += w[size_t(order[k]) * n_out + j];
        double now = times[order[k]];
        double gap = k + 1 < n ? times[order[k + 1]] - now : std::numeric_limits<double>::infinity();
        if (gap == 0) continue;
        double d = neuron.crossing(threshold[j], gap);
        if (std::isfinite(d)) {
          out = now + d;
          break;
        }
        if (std::isfinite(gap)) neuron.now = neuron.after(gap);
      }
      t_out[size_t(b) * n_out + j] = out;
    }
  }
}
