// Hair cells and bushy cells of all channels of the ear model; equations in ear.py.
// As many channels at a time as the widest vector has numbers: GCC takes a wider one apart into
// single numbers wherever two are compared, which takes six times as long.

#include <cstring>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

constexpr int kLanes = kWidest / 8;
typedef Vector<double, 8 * kLanes>::Real Reals;
typedef Vector<double, 8 * kLanes>::Mask Ints;
typedef std::uint64_t Words __attribute__((vector_size(8 * kLanes)));

// Probabilities stay below 1, so that odds are finite.
constexpr double kCertain = 1.0 - 1e-12;

inline Reals all(double value) { return value - Reals{}; }
inline Reals positive(Reals x) { return x > 0 ? x : all(0); }

// splitmix64: one state word, good enough for one draw per step, the same on every machine.
inline Reals uniform(Words& state) {
    Words z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    // The upper 52 bits as the fraction of a number between 1 and 2.
    const Words bits = ((z ^ (z >> 31)) >> 12) | 0x3ff0000000000000ULL;
    Reals found;
    std::memcpy(&found, &bits, sizeof found);
    return found - 1.0;
}

// Successes in n trials of probability p, by inversion of uniform numbers u.
inline Reals binomial(Reals n, Reals p, Reals u, int most) {
    Reals power = 1.0 - p, term = all(1), k = all(0);
    const Reals odds = p / power;
    // (1 - p)^n, bit by bit of n, which stands in the lowest bits of this sum.
    const Words trials = (Words)(n + 0x1.8p52);
    for (int bit = 0; most >> bit; ++bit) {
        term = ((trials >> bit) & 1) != 0 ? term * power : term;
        power *= power;
    }
    Reals below = term;
    for (Ints more = (u > below) & (k < n); any(more); more = (u > below) & (k < n)) {
        term *= (n - k) / (k + 1.0) * odds;
        below = more ? below + term : below;
        k = more ? k + 1.0 : k;
    }
    return k;
}

}  // namespace

struct HairCell {
    double y, g, l, r, x, a, b, h, m;
};

struct BushyCell {
    double tau_mem, tau_syn, weight;  // s, s, 1/s per fibre
    int fibres, refractory;           // refractory time in steps, of fibres and of the cell
};

extern "C" {

// All arrays are (channel, step). v: velocities. firing: the fibres' probability to fire in a step,
// or null. spikes: 0 or 1.
void ear_spikes(const double* v, int n_channels, int n_steps, double dt, const HairCell* hair,
                const BushyCell* cell, std::uint64_t seed, double* firing, std::uint8_t* spikes) {
    const HairCell c = *hair;
    const double decay_mem = std::exp(-dt / cell->tau_mem);
    const double decay_syn = std::exp(-dt / cell->tau_syn);
    const double kick = dt * cell->weight, fibres = cell->fibres;
    const double n_refractory = cell->refractory;
    const int n_recent = cell->refractory > 1 ? cell->refractory - 1 : 0;
    const std::size_t stride = n_steps;
    std::vector<double> recent((n_recent + 1) * kLanes);
    std::memset(spikes, 0, n_channels * stride);
    // The fixed point in silence.
    const double k0 = c.g * c.a / (c.a + c.b);
    const double cleft0 = c.m * c.y * k0 / (c.l * k0 + c.y * (c.l + c.r));
    for (int first = 0; first < n_channels; first += kLanes) {
        const int used = n_channels - first < kLanes ? n_channels - first : kLanes;
        const std::size_t begin = static_cast<std::size_t>(first) * stride;
        Reals cleft = all(cleft0), pool = all(cleft0 * (c.l + c.r) / k0);
        Reals store = all(cleft0 * c.r / c.x);
        Reals velocity = all(0), current = all(0), membrane = all(0), silent = all(0);
        Reals resting = all(0);  // fibres that fired within the refractory time
        Words state;
        for (int i = 0; i < kLanes; ++i) state[i] = seed * 0x2545f4914f6cdd1dULL + first + i;
        for (double& n : recent) n = 0;
        int oldest = 0;
        for (int step = 0; step < n_steps; ++step) {
            for (int i = 0; i < used; ++i) velocity[i] = v[begin + i * stride + step];
            const Reals open = velocity + c.a;
            const Reals k = open > 0 ? c.g * open / (open + c.b) : all(0);
            const Reals d_pool = c.y * positive(c.m - pool) - k * pool + c.x * store;
            const Reals d_cleft = k * pool - (c.l + c.r) * cleft;
            const Reals d_store = c.r * cleft - c.x * store;
            pool = positive(pool + dt * d_pool);
            cleft = positive(cleft + dt * d_cleft);
            store = positive(store + dt * d_store);
            const Reals likely = c.h * cleft * dt;
            const Reals p = likely < kCertain ? likely : all(kCertain);

            // Free fibres fire independently of each other, so only their number matters. The
            // first test nearly decides alone, and is exact as well: (1 - p)^n >= 1 - n p.
            const Reals u = uniform(state), free = fibres - resting;
            Reals fired = all(0);
            if (any(u > 1.0 - free * p)) fired = binomial(free, p, u, cell->fibres);
            if (n_recent) {
                auto& leaving = at<kWidest>(&recent[static_cast<std::size_t>(oldest) * kLanes]);
                resting += fired - leaving;
                leaving = fired;
                oldest = oldest + 1 == n_recent ? 0 : oldest + 1;
            }

            // A cell that crossed in the step before fires: the spike is counted there.
            const Ints awake = silent <= 0, crossed = awake & (membrane >= 1.0);
            if (any(crossed))
                for (int i = 0; i < used; ++i)
                    spikes[begin + i * stride + step - 1] = crossed[i] & 1;
            membrane = awake ? membrane * decay_mem : membrane;
            membrane = crossed ? all(0) : membrane;
            silent = crossed ? all(n_refractory) : silent;
            current = current * decay_syn + fired;
            const Reals raised = membrane + kick * current;
            membrane = silent <= 0 ? (raised < 1.0 ? raised : all(1)) : membrane;
            silent -= 1.0;
            if (firing)
                for (int i = 0; i < used; ++i) firing[begin + i * stride + step] = p[i];
        }
    }
}

}  // extern "C"
