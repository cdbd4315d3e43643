// The XOR network, slot after slot of its schedule (README, Eqs. 1-13). One step, as Brian2 takes it:
// noise, Euler for all states at once, then what events and bursts do to synapses, then to their neuron.
//
// Three things make it fast. States of neurons are single precision and updated by loops without calls
// or branches. Running means and presynaptic traces decay step by step only while weights change; else
// a neuron's are brought up to date when it fires, by the same factor to the power of the steps gone by.
// Weights lie by postsynaptic neuron, so that a postsynaptic spike changes neighbours in memory.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

struct Constants {
  double dt, e_leak, e_exc, e_inh, th_rest, th_jump, tau_th, tau_s, c_s, b_w, tau_ws, tau_d, c_d, a_w,
      tau_wd, tau_ampa, tau_gaba, drive_soma, gain, refractory, burst_delay, burst_spread, e_burst,
      d_burst, tau_pre, tau_avg, tau_floor, e_min, e_max, teaching, q_d, jump_d;
};

constexpr int kPopulations = 5, kChannels = 5, kCounters = 2, kBlock = 64;
constexpr double kHold = 2.0; // a teaching current stays as it is
enum State { kVs, kVd, kWs, kWd, kTh, kGe, kGi, kGed, kGid, kStates };
enum Slow { kX, kE, kB, kR, kSlow };
enum Fixed { kId, kIsInput, kInputOf, kIsOutput, kQs, kJumpE, kJumpI, kEta, kLift, kBlind, kFixed };
enum Kind { kInhibition, kFeedbackExc, kFeedbackInh, kKinds };

struct Links { // of one kind: by presynaptic neuron
  const int64_t *start;
  const int32_t *post;
  const double *weight;
};

// xoroshiro64* (Blackman & Vigna): one generator of 64 bits of state per neuron.
inline uint32_t draw(uint32_t &s0, uint32_t &s1) {
  const uint32_t found = s0 * 0x9E3779BBu;
  const uint32_t mixed = s1 ^ s0;
  s0 = ((s0 << 26) | (s0 >> 6)) ^ mixed ^ (mixed << 9);
  s1 = (mixed << 13) | (mixed >> 19);
  return found;
}

// SplitMix64: for the few numbers that spikes ask for.
inline double uniform(uint64_t &state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Of one number of 32 bits: two independent trains of probability q. The first fires below `first`, the
// second below `both` and from `first` to `either`.
struct Trains {
  uint32_t first, both, either;
  explicit Trains(double q)
      : first(uint32_t(q * 0x1p32)), both(uint32_t(q * q * 0x1p32)),
        either(uint32_t(q * (2.0 - q) * 0x1p32)) {}
};

template <class R> struct Run {
  const Constants &c;
  const int n, each; // neurons, and of one population
  R *const state;
  double *const slow;
  const double *const fixed;
  double *const teaching;
  int64_t *const free_at, *const second_at; // steps; second_at < 0: no second spike is due
  uint32_t *const seeds;
  std::vector<R> i_s, i_d;
  std::vector<double> eta;
  std::vector<int64_t> last; // step to which a neuron's slow states are up to date
  double follow = 1.0;
  const double by_pre, by_avg, by_floor;

  R *of(State s) const { return state + int64_t(s) * n; }
  double &of(Slow s, int i) const { return slow[int64_t(s) * n + i]; }
  const double *of(Fixed f) const { return fixed + int64_t(f) * n; }

  void decay(int i, int64_t step) {
    const double steps = double(step - last[i]);
    last[i] = step;
    if (steps == 0.0) return;
    of(kX, i) *= std::exp(steps * by_pre);
    of(kR, i) *= std::exp(steps * by_floor);
    const double mean = follow ? std::exp(steps * by_avg) : 1.0;
    of(kE, i) *= mean;
    of(kB, i) *= mean;
  }

  // Eq. 13, and what the schedule switches.
  void start_slot(const double *row, int64_t step) {
    for (int i = 0; i < n; ++i) decay(i, step);
    follow = row[4];
    for (int i = 0; i < n; ++i) {
      i_s[i] = R(of(kIsInput)[i] * row[int(of(kInputOf)[i])]);
      if (row[2] != kHold) {
        const double e = of(kE, i);
        double current = 0.0;
        if (row[2] > 0.5 && e < 9.0) current = c.teaching / std::clamp(e - 2.0, 1.0, 7.0);
        if (row[2] < -0.5 && e > 3.0) current = -c.teaching / std::clamp(10.0 - e, 1.0, 7.0);
        teaching[i] = current * of(kIsOutput)[i];
      }
      i_d[i] = R(of(kId)[i] + teaching[i]);
      eta[i] = of(kEta)[i] * row[3];
    }
  }

  // Eqs. 1-3 and 6 for one population, whose neurons share their noise; collects who is above threshold.
  void update(int first, std::vector<int> &above) {
    const Trains soma(of(kQs)[first]), dendrite(c.q_d);
    const R jump_e = R(of(kJumpE)[first]), jump_i = R(of(kJumpI)[first]), jump_d = R(c.jump_d);
    const R dt = R(c.dt), e_leak = R(c.e_leak), e_exc = R(c.e_exc), e_inh = R(c.e_inh);
    const R by_s = R(1.0 / c.tau_s), by_d = R(1.0 / c.tau_d), by_cs = R(1.0 / c.c_s);
    const R by_cd = R(1.0 / c.c_d), b_w = R(c.b_w), a_w = R(c.a_w), th_rest = R(c.th_rest);
    const R by_ampa = R(c.dt / c.tau_ampa), by_gaba = R(c.dt / c.tau_gaba);
    const R by_ws = R(c.dt / c.tau_ws), by_wd = R(c.dt / c.tau_wd), by_th = R(c.dt / c.tau_th);
    const R of_soma = R(c.drive_soma), of_dendrite = R(1.0 - c.drive_soma);
    for (int from = first; from < first + each; from += kBlock) {
      const int count = std::min(kBlock, first + each - from);
      R *__restrict v_s = of(kVs) + from, *__restrict v_d = of(kVd) + from;
      R *__restrict w_s = of(kWs) + from, *__restrict w_d = of(kWd) + from;
      R *__restrict th = of(kTh) + from;
      R *__restrict g_e = of(kGe) + from, *__restrict g_i = of(kGi) + from;
      R *__restrict g_ed = of(kGed) + from, *__restrict g_id = of(kGid) + from;
      uint32_t *__restrict s0 = seeds + from, *__restrict s1 = seeds + n + from;
      const R *__restrict in_s = &i_s[from], *__restrict in_d = &i_d[from];
      int32_t any = 0;
#pragma GCC ivdep
      for (int i = 0; i < count; ++i) {
        const uint32_t a = draw(s0[i], s1[i]), b = draw(s0[i], s1[i]);
        const bool i_hit = (a < soma.both) | ((a >= soma.first) & (a < soma.either));
        const bool id_hit = (b < dendrite.both) | ((b >= dendrite.first) & (b < dendrite.either));
        const R ge = g_e[i] + (a < soma.first ? jump_e : R(0)), gi = g_i[i] + (i_hit ? jump_i : R(0));
        const R ged = g_ed[i] + (b < dendrite.first ? jump_d : R(0));
        const R gid = g_id[i] + (id_hit ? jump_d : R(0));
        const R vs = v_s[i], vd = v_d[i], ws = w_s[i], wd = w_d[i], t = th[i];
        const R felt = of_soma * vs + of_dendrite * vd;
        const R in_soma = (e_leak - vs) + ge * (e_exc - vs) + gi * (e_inh - vs);
        const R in_dendrite = (e_leak - vd) + ged * (e_exc - felt) + gid * (e_inh - felt);
        const R next = vs + dt * (in_soma * by_s + (in_s[i] - b_w * ws) * by_cs);
        const R above_by = t + by_th * (th_rest - t);
        v_s[i] = next;
        v_d[i] = vd + dt * (in_dendrite * by_d + (in_d[i] + a_w * wd) * by_cd);
        w_s[i] = ws - by_ws * ws;
        w_d[i] = wd + by_wd * (vd - e_leak - wd);
        th[i] = above_by;
        g_e[i] = ge - by_ampa * ge;
        g_i[i] = gi - by_gaba * gi;
        g_ed[i] = ged - by_ampa * ged;
        g_id[i] = gid - by_gaba * gid;
        any |= next > above_by;
      }
      if (any)
        for (int i = 0; i < count; ++i)
          if (v_s[i] > th[i]) above.push_back(from + i);
    }
  }
};

template <class R>
void advance(const double *constants, int each, int slots, int per_slot, const double *rows, R *state,
             double *slow, const double *fixed, double *teaching, int64_t *free_at, int64_t *second_at,
             uint32_t *seeds, uint64_t *random, int64_t *clock, const int64_t *out_start,
             const int32_t *out_post, const int64_t *out_place, const int64_t *in_start,
             const int32_t *in_pre, R *weights, const int64_t *fixed_start, const int32_t *fixed_post,
             const double *fixed_weight, const int64_t *kinds, double *total, double *counters,
             int64_t room, int64_t *spikes, int64_t *n_spikes) {
  const Constants &c = *reinterpret_cast<const Constants *>(constants);
  const int n = kPopulations * each;
  Run<R> run{c, n, each, state, slow, fixed, teaching, free_at, second_at, seeds,
             std::vector<R>(n), std::vector<R>(n), std::vector<double>(n),
             std::vector<int64_t>(n, *clock), 1.0, std::log1p(-c.dt / c.tau_pre),
             std::log1p(-c.dt / c.tau_avg), std::log1p(-c.dt / c.tau_floor)};
  Links links[kKinds];
  for (int k = 0; k < kKinds; ++k)
    links[k] = {fixed_start + int64_t(k) * (n + 1), fixed_post + kinds[k], fixed_weight + kinds[k]};
  const int64_t refractory = int64_t(std::floor(c.refractory / c.dt + 0.5)) + 1;
  const int ring = int((c.burst_delay + c.burst_spread) / c.dt) + 3;
  std::vector<std::vector<int>> due(ring);
  for (int i = 0; i < n; ++i)
    if (second_at[i] >= 0) due[second_at[i] % ring].push_back(i);
  const R gain = R(c.gain);
  const auto spread = [&](Kind kind, int pre, R *to) {
    const Links &own = links[kind];
    for (int64_t k = own.start[pre]; k < own.start[pre + 1]; ++k)
      to[own.post[k]] += gain * R(own.weight[k]);
  };
  const auto counted = [&](int counter, int i) -> double & {
    return total[counter * kPopulations + i / each];
  };
  std::vector<int> above, fires, seconds;
  int64_t step = *clock, kept = 0;
  for (int slot = 0; slot < slots; ++slot) {
    std::copy_n(total, kCounters * kPopulations, counters + int64_t(slot) * kCounters * kPopulations);
    const double *row = rows + int64_t(slot) * kChannels;
    run.start_slot(row, step);
    const bool plastic = row[3] != 0.0;
    for (int k = 0; k < per_slot; ++k, ++step) {
      above.clear(), fires.clear(), seconds.clear();
      for (int p = 0; p < kPopulations; ++p) run.update(p * each, above);
      if (plastic) { // by one step
        const double x = std::exp(run.by_pre), r = std::exp(run.by_floor);
        const double mean = run.follow ? std::exp(run.by_avg) : 1.0;
        for (int i = 0; i < n; ++i) run.of(kX, i) *= x, run.of(kR, i) *= r;
        for (int i = 0; i < n; ++i) run.of(kE, i) *= mean, run.of(kB, i) *= mean;
      }
      for (int i : above)
        if (step >= free_at[i]) fires.push_back(i);
      seconds.swap(due[step % ring]);
      std::sort(seconds.begin(), seconds.end());
      for (const auto *who : {&fires, &seconds})
        for (int i : *who) {
          if (plastic) run.last[i] = step + 1;
          else run.decay(i, step + 1);
        }
      // Synapses: all with the means before this step's spikes.
      for (int i : fires) {
        for (int64_t s = out_start[i]; s < out_start[i + 1]; ++s) {
          R &w = weights[out_place[s]];
          const int post = out_post[s];
          run.of(kGe)[post] += gain * w;
          if (!plastic) continue;
          const double lift = run.eta[post] * run.of(kLift)[post] *
                              std::max(0.0, c.e_min - run.of(kR, post));
          w = std::clamp(R(w + R(lift)), R(0), R(1)); // Eq. 11
        }
        spread(kInhibition, i, run.of(kGi));
      }
      for (int i : seconds) {
        spread(kFeedbackExc, i, run.of(kGed));
        spread(kFeedbackInh, i, run.of(kGid));
      }
      if (plastic)
        for (const auto *who : {&fires, &seconds})
          for (int i : *who) { // Eqs. 8-10
            const double e = std::max(run.of(kE, i), 1e-9);
            const double over = -std::max(0.0, run.of(kE, i) - c.e_max) / e;
            const double mean = std::clamp(run.of(kB, i) / e, 0.0, 1.0);
            const double factor = run.eta[i] * (who == &fires ? over - mean : 1.0 + over);
            for (int64_t s = in_start[i]; s < in_start[i + 1]; ++s) {
              const double change = factor * run.of(kX, in_pre[s]);
              weights[s] = std::clamp(R(weights[s] + R(change)), R(0), R(1));
            }
          }
      // Neurons: Eqs. 3-5, 7 and 11.
      for (int i : fires) {
        const double blind = run.of(kBlind)[i];
        const double v_d = double(run.of(kVd)[i]);
        const double p = blind >= 0.0 ? std::min(blind, 1.0)
                                      : 1.0 / (1.0 + std::exp(-(v_d - c.e_burst) / c.d_burst));
        run.of(kVs)[i] = R(c.e_leak);
        run.of(kTh)[i] += R(c.th_jump);
        run.of(kWs)[i] += R(1);
        run.of(kX, i) += 1.0;
        run.of(kE, i) += run.follow / c.tau_avg;
        run.of(kR, i) += 1.0 / c.tau_floor;
        free_at[i] = step + refractory;
        counted(0, i) += 1.0;
        if (uniform(*random) < p) {
          const double delay = c.burst_delay + c.burst_spread * uniform(*random);
          second_at[i] = step + std::max<int64_t>(1, int64_t(std::ceil(delay / c.dt)));
          due[second_at[i] % ring].push_back(i);
        }
      }
      for (int i : seconds) {
        run.of(kB, i) += run.follow / c.tau_avg;
        run.of(kR, i) += 1.0 / c.tau_floor;
        free_at[i] = step + refractory;
        second_at[i] = -1;
        counted(1, i) += 1.0;
      }
      for (const auto *who : {&fires, &seconds})
        for (int i : *who)
          if (kept < room) {
            spikes[3 * kept] = step, spikes[3 * kept + 1] = i, spikes[3 * kept + 2] = who == &seconds;
            ++kept;
          }
    }
    // While weights change everything is up to date at every step.
    if (plastic) std::fill(run.last.begin(), run.last.end(), step);
  }
  for (int i = 0; i < n; ++i) run.decay(i, step);
  *clock = step;
  *n_spikes = kept;
}

} // namespace

// Runs `slots` slots of `per_slot` steps and leaves off where the next call goes on.
//
// constants: as in Constants, base units. rows (slot, kChannels). In place: state (kStates, neuron), slow
// (kSlow, neuron), teaching, free_at and second_at (neuron), seeds (2, neuron), random, clock, weights
// (synapse) by postsynaptic neuron, and total (kCounters, kPopulations). fixed (kFixed, neuron). Plastic
// synapses: out_start (neuron + 1), out_post and out_place (synapse), in_start (neuron + 1), in_pre.
// Others, kind after kind: fixed_start (kKinds, neuron + 1), and kinds says where each begins. Written:
// counters (slot, kCounters, kPopulations), `total` at the start of every slot; the first `room` spikes
// (spike, 3) as step, neuron, and whether it is the second of a burst.
#define ADVANCE(NAME, R)                                                                              \
  extern "C" void NAME(const double *constants, int each, int slots, int per_slot,                    \
                       const double *rows, R *state, double *slow, const double *fixed,               \
                       double *teaching, int64_t *free_at, int64_t *second_at, uint32_t *seeds,       \
                       uint64_t *random, int64_t *clock, const int64_t *out_start,                    \
                       const int32_t *out_post, const int64_t *out_place, const int64_t *in_start,    \
                       const int32_t *in_pre, R *weights, const int64_t *fixed_start,                 \
                       const int32_t *fixed_post, const double *fixed_weight, const int64_t *kinds,   \
                       double *total, double *counters, int64_t room, int64_t *spikes,                \
                       int64_t *n_spikes) {                                                           \
    advance<R>(constants, each, slots, per_slot, rows, state, slow, fixed, teaching, free_at,         \
               second_at, seeds, random, clock, out_start, out_post, out_place, in_start, in_pre,     \
               weights, fixed_start, fixed_post, fixed_weight, kinds, total, counters, room, spikes,  \
               n_spikes);                                                                             \
  }
ADVANCE(advance_f32, float)
ADVANCE(advance_f64, double)
