// Hair cells and bushy cells of all channels of the ear model; equations in ear.py.

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

// splitmix64: one state word, good enough for one draw per step, the same on every machine.
struct Random {
    std::uint64_t state;
    double uniform() {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
    }
};

// Binomial by inversion. The first test alone decides nearly always, and is exact as well:
// (1 - p)^n >= 1 - n p.
int binomial(int n, double p, Random& random) {
    const double u = random.uniform();
    if (u <= 1.0 - n * p) return 0;
    const double q = 1.0 - p;
    double term = std::pow(q, n), below = term;
    int k = 0;
    while (u > below && k < n) {
        term *= (n - k) / (k + 1.0) * (p / q);
        ++k;
        below += term;
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

// All arrays are (channel, step). v: velocities. firing: the fibres' probability to fire in a step.
// spikes: 0 or 1.
void ear_spikes(const double* v, int n_channels, int n_steps, double dt, const HairCell* hair,
                const BushyCell* cell, std::uint64_t seed, double* firing, std::uint8_t* spikes) {
    const HairCell c = *hair;
    const double decay_mem = std::exp(-dt / cell->tau_mem);
    const double decay_syn = std::exp(-dt / cell->tau_syn);
    const int n_refractory = cell->refractory;
    std::vector<int> recent(n_refractory > 1 ? n_refractory - 1 : 1);
    for (int channel = 0; channel < n_channels; ++channel) {
        const double* velocity = v + static_cast<std::size_t>(channel) * n_steps;
        std::uint8_t* spike = spikes + static_cast<std::size_t>(channel) * n_steps;
        double* shown = firing + static_cast<std::size_t>(channel) * n_steps;
        Random random{seed * 0x2545f4914f6cdd1dULL + static_cast<std::uint64_t>(channel)};
        // The fixed point in silence.
        const double k0 = c.g * c.a / (c.a + c.b);
        double cleft = c.m * c.y * k0 / (c.l * k0 + c.y * (c.l + c.r));
        double pool = cleft * (c.l + c.r) / k0;
        double store = cleft * c.r / c.x;
        for (int& n : recent) n = 0;
        int resting = 0, oldest = 0;  // fibres that fired within the refractory time
        double current = 0, membrane = 0;
        int silent = 0;
        for (int step = 0; step < n_steps; ++step) {
            const double open = velocity[step] + c.a;
            const double k = open > 0 ? c.g * open / (open + c.b) : 0.0;
            const double replenish = pool < c.m ? c.y * (c.m - pool) : 0.0;
            const double d_pool = dt * (replenish - k * pool + c.x * store);
            const double d_cleft = dt * (k * pool - (c.l + c.r) * cleft);
            const double d_store = dt * (c.r * cleft - c.x * store);
            pool = std::fmax(pool + d_pool, 0.0);
            cleft = std::fmax(cleft + d_cleft, 0.0);
            store = std::fmax(store + d_store, 0.0);
            const double p = std::fmin(c.h * cleft * dt, 1.0);
            shown[step] = p;

            // Free fibres fire independently of each other, so only their number matters.
            const int fired = p > 0 ? binomial(cell->fibres - resting, p, random) : 0;
            if (n_refractory > 1) {
                resting += fired - recent[oldest];
                recent[oldest] = fired;
                oldest = oldest + 1 == n_refractory - 1 ? 0 : oldest + 1;
            }

            spike[step] = 0;
            if (silent <= 0) {
                if (membrane < 1.0) {
                    membrane *= decay_mem;
                } else {
                    // It crossed in the step before: the spike is counted there.
                    spike[step - 1] = 1;
                    silent = n_refractory;
                    membrane = 0;
                }
            }
            current = current * decay_syn + fired;
            if (silent <= 0) membrane = std::fmin(membrane + dt * cell->weight * current, 1.0);
            --silent;
        }
    }
}

}  // extern "C"
