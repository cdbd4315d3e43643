// A recurrent network of LIF and adaptive LIF neurons in discrete time, and the gradient of its loss
// with respect to its weights by e-prop and by backpropagation through time (README, sections 2-4).
//
// Sources 0..n_in-1 are inputs, n_in.. the network's own neurons; a spike of step t acts in step t+1.
// Rows of neurons are padded with silent ones to whole vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

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

inline int padded(int n) { return (n + 15) / 16 * 16; }

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
    void step(int t, Real* __restrict psi, std::vector<Event>& events) {
        const Real alpha(p.alpha), rho(p.rho), kappa(p.kappa), v_th(p.v_th);
        const Real slope(p.gamma / p.v_th), inverse(1 / p.v_th), refractory(p.refractory);
        Real* __restrict v_ = v.data();
        Real* __restrict a_ = a.data();
        Real* __restrict drive_ = drive.data();
        Real* __restrict fired_ = fired.data();
        Real* __restrict wait_ = wait.data();
        Real* __restrict trace_ = trace.data();
        const Real* __restrict beta_ = beta.data();
        Real any(0);
        for (int j = 0; j < width; ++j) {
            v_[j] = alpha * v_[j] + drive_[j] - v_th * fired_[j];
            a_[j] = rho * a_[j] + fired_[j];
            drive_[j] = 0;
            const Real free = wait_[j] > Real(1) ? Real(0) : Real(1);
            const Real above = v_[j] - (v_th + beta_[j] * a_[j]);
            psi[j] = free * slope * std::max(Real(0), Real(1) - std::abs(above) * inverse);
            fired_[j] = above > Real(0) ? free : Real(0);
            wait_[j] = fired_[j] > Real(0) ? refractory : std::max(Real(0), wait_[j] - Real(1));
            trace_[j] = kappa * trace_[j] + (Real(1) - kappa) * fired_[j];
            any += fired_[j];
        }
        for (int k = 0; k < p.n_out; ++k) y[k] *= kappa;
        for (; left_ > 0 && *steps_ == t; ++steps_, ++channels_, --left_) emit(t, *channels_, events);
        if (any == Real(0)) return;
        for (int j = 0; j < p.n_rec; ++j) {
            if (fired_[j] == Real(0)) continue;
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

    // One step back; `signal` is L (width) or null, `decay` that of lam, `gain` that of the filter.
    void back(const Real* __restrict psi, const Real* __restrict beta, const Real* __restrict signal,
              Real alpha, Real rho, Real decay, Real gain, int width) {
        Real* __restrict l = lam.data();
        Real* __restrict m = mu.data();
        Real* __restrict s = sbar.data();
        for (int j = 0; j < width; ++j) {
            const Real now = (signal ? signal[j] : Real(0)) + decay * l[j];
            l[j] = now;
            const Real q = gain * psi[j] * now;
            s[j] = q + psi[j] * m[j] + alpha * s[j];
            m[j] = (rho - beta[j] * psi[j]) * m[j] - beta[j] * q;
        }
    }

    Row<Real> lam, mu, sbar;
};

}  // namespace lsnn
