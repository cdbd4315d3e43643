// What Python calls (kernel.py): a forward pass, and the two gradients.
#include "kernel.hpp"

namespace lsnn {

// Forward pass of all trials; outputs that are null are left out.
template <class Real>
int64_t forward(const Problem& p, const Real* w, const Real* w_out, const Real* beta,
                const Batch<Real>& batch, Real* outputs, Real* potentials, Real* adaptations,
                int32_t* counts, int32_t* spikes, int64_t capacity) {
    Network<Real> net(p, w, w_out, beta);
    Row<Real> psi(net.width);
    std::vector<Event> events;
    int64_t n_spikes = 0;
    for (int trial = 0; trial < p.trials; ++trial) {
        const int64_t from = batch.starts[trial];
        net.start(batch.steps + from, batch.channels + from, batch.starts[trial + 1] - from);
        for (int t = 0; t < p.steps; ++t) {
            events.clear();
            net.step(t, psi.data(), events);
            const size_t at = size_t(trial) * p.steps + t;
            if (outputs) std::copy_n(net.y.data(), p.n_out, outputs + at * p.n_out);
            if (potentials) std::copy_n(net.v.data(), p.n_rec, potentials + at * p.n_rec);
            if (adaptations) std::copy_n(net.a.data(), p.n_rec, adaptations + at * p.n_rec);
            for (const Event& event : events) {
                if (event.source < p.n_in) continue;
                const int unit = event.source - p.n_in;
                if (counts) ++counts[size_t(trial) * p.n_rec + unit];
                if (spikes && n_spikes < capacity) {
                    spikes[3 * n_spikes] = trial;
                    spikes[3 * n_spikes + 1] = t;
                    spikes[3 * n_spikes + 2] = unit;
                }
                ++n_spikes;
            }
        }
    }
    return n_spikes;
}

template <class Real>
void remove_padding(const Row<Real>& rows, int n_rows, int n, Real* out) {
    for (int i = 0; i < n_rows; ++i) std::copy_n(&rows[size_t(i) * padded(n)], n, out + size_t(i) * n);
}

// Adds an output to the mean over the steps that count.
template <class Real>
void add_output(const Problem& p, const Real* y, Real* mean) {
    for (int k = 0; k < p.n_out; ++k) mean[k] += y[k] / Real(p.steps - p.first_step);
}

// Derivative of the rate cost by each spike of a neuron, (width,); adds the cost to the loss.
template <class Real>
Row<Real> rate_errors(const Problem& p, const Row<double>& counts, double& loss) {
    Row<Real> error(padded(p.n_rec), Real(0));
    const double per_spike = 1.0 / (double(p.steps) * p.trials);
    for (int j = 0; j < p.n_rec; ++j) {
        const double off = counts[j] * per_spike - p.target_rate;
        error[j] = Real(p.rate_cost * off * per_spike);
        loss += 0.5 * p.rate_cost * off * off;
    }
    return error;
}

// Gradient by e-prop, forwards in time. Between chunks a synapse keeps its two traces alone; within
// a chunk psi, the learning signal and the spikes of `chunk` steps are kept, whatever the duration.
template <class Real>
double eprop(const Problem& p, const Real* w, const Real* w_out, const Real* feedback,
             const Real* beta, const Batch<Real>& batch, int chunk, Real* grad_w, Real* grad_out,
             Real* means, double* rates, int64_t* floats_kept) {
    Network<Real> net(p, w, w_out, beta);
    const int width = net.width, n_pre = p.n_in + p.n_rec;
    const size_t synapses = size_t(n_pre) * width;
    const Real alpha(p.alpha), rho(p.rho), kappa(p.kappa), one(1);
    Row<Real> psi(size_t(chunk) * width), signal(size_t(chunk) * width);
    Row<Real> eps_a(synapses), filtered(synapses), next_a(synapses), next_f(synapses);
    Row<Real> sum_le(synapses), sum_e(synapses), eps_v(n_pre), next_v(n_pre), error(p.n_out);
    Row<Real> by_output(size_t(p.n_out) * width);
    const Row<Real> back = padded_columns(feedback, p.n_rec, p.n_out);
    const Row<Real> silence(width);
    Row<double> counts(width);
    Functional<Real> of_loss(width), of_rate(width), of_a(width), of_f(width);
    std::vector<Event> events;
    double loss = 0;
    for (int trial = 0; trial < p.trials; ++trial) {
        const int64_t from = batch.starts[trial];
        net.start(batch.steps + from, batch.channels + from, batch.starts[trial + 1] - from);
        for (auto* state : {&eps_a, &filtered, &eps_v}) std::fill(state->begin(), state->end(), Real(0));
        for (int begin = 0; begin < p.steps; begin += chunk) {
            const int length = std::min(chunk, p.steps - begin);
            events.clear();
            for (int t = begin; t < begin + length; ++t) {
                Real* l = &signal[size_t(t - begin) * width];
                net.step(t, &psi[size_t(t - begin) * width], events);
                loss += output_error(p, batch, trial, t, net.y.data(), error.data());
                std::fill_n(l, width, Real(0));
                if (t < p.first_step) continue;
                add_output(p, net.y.data(), &means[size_t(trial) * p.n_out]);
                for (int k = 0; k < p.n_out; ++k) {
                    add_scaled(l, &back[size_t(k) * width], error[k], width);
                    add_scaled(&by_output[size_t(k) * width], net.trace.data(), error[k], width);
                }
            }
            const bool learning = begin + length > p.first_step;
            const bool last = begin + length == p.steps;
            of_loss.start(0, 0);
            of_rate.start(0, 0);
            of_a.start(0, 1);
            of_f.start(0, 0);
            for (auto* next : {&next_a, &next_f}) std::fill(next->begin(), next->end(), Real(0));
            for (int i = 0; i < n_pre; ++i) next_v[i] = Real(std::pow(p.alpha, length)) * eps_v[i];
            auto event = events.rbegin();
            for (int t = begin + length - 1; t >= begin; --t) {
                for (; event != events.rend() && event->step == t; ++event) {
                    const size_t row = size_t(event->source) * width;
                    if (learning) add_scaled(&sum_le[row], of_loss.sbar.data(), one, width);
                    add_scaled(&sum_e[row], of_rate.sbar.data(), one, width);
                    next_v[event->source] += Real(std::pow(p.alpha, begin + length - 1 - t));
                    if (event->source >= p.n_in) counts[event->source - p.n_in] += 1;
                    if (last) continue;
                    add_scaled(&next_a[row], of_a.sbar.data(), one, width);
                    add_scaled(&next_f[row], of_f.sbar.data(), one, width);
                }
                const Real* psi_t = &psi[size_t(t - begin) * width];
                if (learning)
                    of_loss.back(psi_t, net.beta.data(), &signal[size_t(t - begin) * width], alpha, rho,
                                 kappa, one - kappa, width);
                if (t == begin + length - 1) std::fill(of_f.lam.begin(), of_f.lam.end(), one / kappa);
                std::fill(of_rate.lam.begin(), of_rate.lam.end(), one);
                of_rate.back(psi_t, net.beta.data(), silence.data(), alpha, rho, one, one, width);
                if (last) continue;
                of_a.back(psi_t, net.beta.data(), silence.data(), alpha, rho, Real(0), Real(0), width);
                of_f.back(psi_t, net.beta.data(), silence.data(), alpha, rho, kappa, one - kappa, width);
            }
            for (int i = 0; i < n_pre; ++i) {
                const size_t row = size_t(i) * width;
                if (learning)
                    of_loss.add(&sum_le[row], eps_v[i], &eps_a[row], &filtered[row], kappa, width);
                of_rate.add(&sum_e[row], eps_v[i], &eps_a[row], &filtered[row], Real(0), width);
                if (last) continue;
                of_f.add(&next_f[row], eps_v[i], &eps_a[row], &filtered[row], kappa, width);
                of_a.add(&next_a[row], eps_v[i], &eps_a[row], &filtered[row], Real(0), width);
            }
            eps_a.swap(next_a);
            filtered.swap(next_f);
            eps_v = next_v;
        }
    }
    const Row<Real> rate_error = rate_errors<Real>(p, counts, loss);
    for (int i = 0; i < n_pre; ++i)
        for (int j = 0; j < width; ++j) {
            const size_t at = size_t(i) * width + j;
            sum_le[at] += rate_error[j] * sum_e[at];
        }
    remove_padding(sum_le, n_pre, p.n_rec, grad_w);
    for (int j = 0; j < p.n_rec; ++j)
        for (int k = 0; k < p.n_out; ++k) grad_out[j * p.n_out + k] = by_output[size_t(k) * width + j];
    for (int j = 0; j < p.n_rec; ++j) rates[j] = counts[j] / (double(p.steps) * p.trials);
    *floats_kept = int64_t(psi.size() + signal.size() + eps_a.size() + filtered.size() + next_a.size() +
                           next_f.size() + sum_le.size() + sum_e.size() + 2 * n_pre);
    return loss;
}

// One step back in time: derivatives by potential and adaptation from those by the spike.
template <class Real>
void neurons_back(Real* __restrict dv, Real* __restrict da, const Real* __restrict dz,
                  const Real* __restrict psi, const Real* __restrict beta, Real alpha, Real rho,
                  Real v_th, int width) {
    for (int j = 0; j < width; ++j) {
        const Real dz_j = dz[j] - v_th * dv[j] + da[j];
        dv[j] = alpha * dv[j] + psi[j] * dz_j;
        da[j] = rho * da[j] - beta[j] * psi[j] * dz_j;
    }
}

// Gradient by backpropagation through time, with psi as derivative of a spike; the reset counts.
template <class Real>
double bptt(const Problem& p, const Real* w, const Real* w_out, const Real* beta,
            const Batch<Real>& batch, Real* grad_w, Real* grad_out, Real* means,
            double* rates, int64_t* floats_kept) {
    Network<Real> net(p, w, w_out, beta);
    const int width = net.width, n_pre = p.n_in + p.n_rec;
    const Real alpha(p.alpha), rho(p.rho), kappa(p.kappa), v_th(p.v_th);
    Row<Real> psi(size_t(p.steps) * width), errors(size_t(p.steps) * p.n_out);
    Row<Real> gradient(size_t(n_pre) * width), by_output(size_t(p.n_out) * width);
    const Row<Real> read_by = padded_columns(w_out, p.n_rec, p.n_out);
    Row<Real> dv(width), da(width), dz(width), dy(p.n_out);
    // Recurrent weights by target, so that the sum over targets runs along vectors.
    Row<Real> by_target(size_t(p.n_rec) * width);
    for (int j = 0; j < p.n_rec; ++j)
        for (int k = 0; k < p.n_rec; ++k)
            by_target[size_t(k) * width + j] = w[size_t(p.n_in + j) * p.n_rec + k];
    Row<double> counts(width);
    std::vector<Event> events;
    auto run = [&](int trial, bool second) {
        const int64_t from = batch.starts[trial];
        net.start(batch.steps + from, batch.channels + from, batch.starts[trial + 1] - from);
        events.clear();
        double loss = 0;
        for (int t = 0; t < p.steps; ++t) {
            net.step(t, &psi[size_t(t) * width], events);
            if (!second) continue;
            Real* error = &errors[size_t(t) * p.n_out];
            loss += output_error(p, batch, trial, t, net.y.data(), error);
            if (t < p.first_step) continue;
            add_output(p, net.y.data(), &means[size_t(trial) * p.n_out]);
            for (int k = 0; k < p.n_out; ++k)
                add_scaled(&by_output[size_t(k) * width], net.trace.data(), error[k], width);
        }
        return loss;
    };
    // The rate cost depends on all trials: a first pass counts the spikes.
    for (int trial = 0; trial < p.trials; ++trial) {
        run(trial, false);
        for (const Event& event : events)
            if (event.source >= p.n_in) ++counts[event.source - p.n_in];
    }
    double loss = 0;
    const Row<Real> rate_error = rate_errors<Real>(p, counts, loss);
    for (int trial = 0; trial < p.trials; ++trial) {
        loss += run(trial, true);
        for (auto* state : {&dv, &da, &dy}) std::fill(state->begin(), state->end(), Real(0));
        auto event = events.rbegin();
        for (int t = p.steps - 1; t >= 0; --t) {
            for (; event != events.rend() && event->step == t; ++event)
                add_scaled(&gradient[size_t(event->source) * width], dv.data(), Real(1), width);
            std::copy(rate_error.begin(), rate_error.end(), dz.begin());
            for (int k = 0; k < p.n_out; ++k) {
                dy[k] = errors[size_t(t) * p.n_out + k] + kappa * dy[k];
                add_scaled(dz.data(), &read_by[size_t(k) * width], (Real(1) - kappa) * dy[k], width);
            }
            add_product<1>(Factor<Real>{dv.data(), 0, 1}, 1, p.n_rec, by_target.data(), width, width,
                           dz.data(), width);
            neurons_back(dv.data(), da.data(), dz.data(), &psi[size_t(t) * width], net.beta.data(), alpha,
                         rho, v_th, width);
        }
    }
    remove_padding(gradient, n_pre, p.n_rec, grad_w);
    for (int j = 0; j < p.n_rec; ++j)
        for (int k = 0; k < p.n_out; ++k) grad_out[j * p.n_out + k] = by_output[size_t(k) * width + j];
    for (int j = 0; j < p.n_rec; ++j) rates[j] = counts[j] / (double(p.steps) * p.trials);
    *floats_kept = int64_t(psi.size() + errors.size() + gradient.size());
    return loss;
}

}  // namespace lsnn

#define EXPORT(SUFFIX, REAL)                                                                           \
    extern "C" int64_t forward_##SUFFIX(const lsnn::Problem* p, const REAL* w, const REAL* w_out,      \
                                        const REAL* beta, const lsnn::Batch<REAL>* batch,              \
                                        REAL* outputs, REAL* potentials, REAL* adaptations,            \
                                        int32_t* counts, int32_t* spikes, int64_t capacity) {          \
        return lsnn::forward(*p, w, w_out, beta, *batch, outputs, potentials, adaptations, counts,     \
                             spikes, capacity);                                                        \
    }                                                                                                  \
    extern "C" double eprop_##SUFFIX(const lsnn::Problem* p, const REAL* w, const REAL* w_out,         \
                                     const REAL* feedback, const REAL* beta,                           \
                                     const lsnn::Batch<REAL>* batch, int chunk, REAL* grad_w,          \
                                     REAL* grad_out, REAL* means, double* rates,                       \
                                     int64_t* floats_kept) {                                           \
        return lsnn::eprop(*p, w, w_out, feedback, beta, *batch, chunk, grad_w, grad_out, means,       \
                           rates, floats_kept);                                                        \
    }                                                                                                  \
    extern "C" double bptt_##SUFFIX(const lsnn::Problem* p, const REAL* w, const REAL* w_out,          \
                                    const REAL* beta, const lsnn::Batch<REAL>* batch, REAL* grad_w,    \
                                    REAL* grad_out, REAL* means, double* rates,                        \
                                    int64_t* floats_kept) {                                            \
        return lsnn::bptt(*p, w, w_out, beta, *batch, grad_w, grad_out, means, rates, floats_kept);    \
    }

EXPORT(f32, float)
EXPORT(f64, double)
