// A recurrent network of LIF and adaptive LIF neurons in discrete time, and the gradient of its loss
// with respect to its weights by e-prop and by backpropagation through time (README, sections 2-4).
//
// Sources 0..n_in-1 are inputs, n_in.. the network's own neurons; a spike of step t acts in step t+1.
// Rows of neurons are padded with silent ones to whole vectors.
#pragma once

#include <vector>

#include "compiler/vectors.hpp"

namespace lsnn {

struct Problem {
    int32_t n_in, n_rec, n_out, steps, trials, refractory;
    int32_t classify;    // 1: cross-entropy of labels, averaged over steps and trials; 0: squared error
    int32_t first_step;  // errors count from this step on
    double alpha, rho, kappa, v_th, gamma;
    double rate_cost, target_rate;  // cost / 2 * sum_j (f_j - target)^2, f_j in spikes per step
};

struct Event {
    int32_t step, source;
};

template <class Real>
using Row = std::vector<Real>;

inline int padded(int n) { return rounded_up(n, 16); }

// Weights with padded rows.
template <class Real>
Row<Real> padded_rows(const Real* rows, int n_rows, int n) {
    Row<Real> out(size_t(n_rows) * padded(n), Real(0));
    for (int i = 0; i < n_rows; ++i) std::copy_n(rows + size_t(i) * n, n, &out[size_t(i) * padded(n)]);
    return out;
}

template <class Real>
void add_scaled(Real* __restrict to, const Real* __restrict from, Real factor, int width) {
    for (int j = 0; j < width; ++j) to[j] += factor * from[j];
}

// The same with rows and columns exchanged.
template <class Real>
Row<Real> padded_columns(const Real* rows, int n, int n_columns) {
    Row<Real> out(size_t(n_columns) * padded(n), Real(0));
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < n_columns; ++k) out[size_t(k) * padded(n) + i] = rows[size_t(i) * n_columns + k];
    return out;
}

// One step of all neurons (README, Eqs. 1-4); returns whether any fired. No branches, so that the loop
// runs along vectors: (x + |x|) / 2 is max(0, x).
template <class Real>
bool neurons_forward(Real* __restrict v, Real* __restrict a, Real* __restrict drive,
                     Real* __restrict fired, Real* __restrict wait, Real* __restrict trace,
                     Real* __restrict psi, const Real* __restrict beta, Real alpha, Real rho, Real kappa,
                     Real v_th, Real half_slope, Real inverse, Real refractory, int width) {
    for (int j = 0; j < width; ++j) {
        v[j] = alpha * v[j] + drive[j] - v_th * fired[j];
        a[j] = rho * a[j] + fired[j];
        drive[j] = 0;
        const Real free = wait[j] > Real(1) ? Real(0) : Real(1);
        const Real above = v[j] - (v_th + beta[j] * a[j]);
        const Real spike = free * (above > Real(0) ? Real(1) : Real(0));
        const Real height = Real(1) - std::abs(above) * inverse, left = wait[j] - Real(1);
        psi[j] = free * half_slope * (height + std::abs(height));
        const Real later = Real(0.5) * (left + std::abs(left));
        wait[j] = later + spike * (refractory - later);
        fired[j] = spike;
        trace[j] = kappa * trace[j] + (Real(1) - kappa) * spike;
    }
    int any = 0;
    for (int j = 0; j < width; ++j) any |= fired[j] > Real(0);
    return any != 0;
}

// One trial of the network, advanced step by step.
template <class Real>
class Network {
public:
    Network(const Problem& p, const Real* w, const Real* w_out, const Real* beta)
        : p(p), width(padded(p.n_rec)), w(padded_rows(w, p.n_in + p.n_rec, p.n_rec)),
          beta(padded_rows(beta, 1, p.n_rec)), v(width), a(width), drive(width), trace(width),
          fired(width), wait(width), y(p.n_out), w_out(w_out) {}

    void start(const int32_t* input_steps, const int32_t* input_channels, int64_t n_inputs) {
        for (auto* state : {&v, &a, &drive, &trace, &fired, &wait, &y})
            std::fill(state->begin(), state->end(), Real(0));
        steps_ = input_steps;
        channels_ = input_channels;
        left_ = n_inputs;
    }

    // Step t: the state, the pseudo-derivative psi (width), the spikes of all sources.
    void step(int t, Real* psi, std::vector<Event>& events) {
        const Real kappa(p.kappa);
        const bool any = neurons_forward(
            v.data(), a.data(), drive.data(), fired.data(), wait.data(), trace.data(), psi, beta.data(),
            Real(p.alpha), Real(p.rho), kappa, Real(p.v_th), Real(0.5 * p.gamma / p.v_th),
            Real(1 / p.v_th), Real(p.refractory), width);
        for (int k = 0; k < p.n_out; ++k) y[k] *= kappa;
        for (; left_ > 0 && *steps_ == t; ++steps_, ++channels_, --left_) emit(t, *channels_, events);
        if (!any) return;
        for (int j = 0; j < p.n_rec; ++j) {
            if (fired[j] == Real(0)) continue;
            emit(t, p.n_in + j, events);
            for (int k = 0; k < p.n_out; ++k) y[k] += (Real(1) - kappa) * w_out[j * p.n_out + k];
        }
    }

    const Problem& p;
    const int width;
    Row<Real> w, beta, v, a, drive, trace, fired, wait, y;

private:
    void emit(int t, int source, std::vector<Event>& events) {
        events.push_back({t, source});
        add_scaled(drive.data(), &w[size_t(source) * width], Real(1), width);
    }

    const Real* w_out;
    const int32_t *steps_ = nullptr, *channels_ = nullptr;
    int64_t left_ = 0;
};

// What all trials of a batch are given, and what is known of them afterwards.
template <class Real>
struct Batch {
    const int64_t* starts;      // (trials + 1,) first input spike of each trial
    const int32_t* steps;       // input spikes, sorted by step within a trial
    const int32_t* channels;
    const int32_t* labels;      // (trials,), for classification
    const Real* targets;        // (trials, steps, n_out), for regression
};

// dE/dy of one step, and the loss of that step.
template <class Real>
double output_error(const Problem& p, const Batch<Real>& batch, int trial, int t, const Real* y,
                    Real* error) {
    if (t < p.first_step) {
        std::fill_n(error, p.n_out, Real(0));
        return 0;
    }
    double loss = 0;
    if (!p.classify) {
        const Real* target = batch.targets + (size_t(trial) * p.steps + t) * p.n_out;
        for (int k = 0; k < p.n_out; ++k) {
            error[k] = y[k] - target[k];
            loss += 0.5 * double(error[k]) * double(error[k]);
        }
        return loss;
    }
    const double share = 1.0 / (double(p.steps - p.first_step) * p.trials);
    const Real most = *std::max_element(y, y + p.n_out);
    double sum = 0;
    for (int k = 0; k < p.n_out; ++k) sum += std::exp(double(y[k] - most));
    const int label = batch.labels[trial];
    for (int k = 0; k < p.n_out; ++k) {
        const double chance = std::exp(double(y[k] - most)) / sum;
        error[k] = Real(share * (chance - (k == label)));
    }
    return share * (std::log(sum) - double(y[label] - most));
}

// The linear functional sum_t l_t F(e)(t) + m eps_a(end) of the eligibilities of one chunk, where
// F is the filter with kappa (or none): weights of the presynaptic traces and of the two synaptic
// states at the start of the chunk, found by a recursion over the neurons alone (README, Eq. 12).
template <class Real>
struct Functional {
    explicit Functional(int width) : lam(width), mu(width), sbar(width) {}

    void start(Real lam_end, Real mu_end) {
        std::fill(lam.begin(), lam.end(), lam_end);
        std::fill(mu.begin(), mu.end(), mu_end);
        std::fill(sbar.begin(), sbar.end(), Real(0));
    }

    // One step back; `signal` is L (width), `decay` that of lam, `gain` that of the filter.
    void back(const Real* __restrict psi, const Real* __restrict beta, const Real* __restrict signal,
              Real alpha, Real rho, Real decay, Real gain, int width) {
        Real* __restrict l = lam.data();
        Real* __restrict m = mu.data();
        Real* __restrict s = sbar.data();
        for (int j = 0; j < width; ++j) {
            const Real now = signal[j] + decay * l[j];
            l[j] = now;
            const Real q = gain * psi[j] * now;
            s[j] = q + psi[j] * m[j] + alpha * s[j];
            m[j] = (rho - beta[j] * psi[j]) * m[j] - beta[j] * q;
        }
    }

    // Adds what the states at the start of the chunk contribute, for the synapses of one source.
    void add(Real* __restrict to, Real eps_v, const Real* __restrict eps_a,
             const Real* __restrict filtered, Real decay, int width) const {
        const Real* __restrict l = lam.data();
        const Real* __restrict m = mu.data();
        const Real* __restrict s = sbar.data();
        for (int j = 0; j < width; ++j)
            to[j] += s[j] * eps_v + m[j] * eps_a[j] + decay * l[j] * filtered[j];
    }

    Row<Real> lam, mu, sbar;
};

}  // namespace lsnn
