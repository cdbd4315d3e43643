// S4NN event by event: forward pass, online rule, running mean of weights (README, Eqs. 2 to 6).
// It is fast as ticks without a spike cost nothing; as an image is left when no later spike can
// change a decision or an error; as the potential of a neuron that has fired is minus infinity, so
// that one comparison per tick finds all new spikes; and as a layer decays by its factor `scale`.

#include <limits>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

template <typename Real>
struct Layer {
    int n_in, n, row;  // rows in memory are whole vectors of the processor
    Real scale = 1;
    std::vector<Real> w;  // (n_in, row); the weights are scale * w

    Layer(int n_in, int n, const Real* from) : n_in(n_in), n(n), row(rounded_up(n, 16)) {
        w.assign(std::size_t(n_in) * row, 0);
        for (int i = 0; i < n_in; ++i) std::copy_n(from + std::size_t(i) * n, n, &w[i * row]);
    }
    bool finite() const {
        int bad = 0;
        for (Real one : w) bad += !(std::abs(one) <= std::numeric_limits<Real>::max());
        return bad == 0 && std::isfinite(scale);
    }
    Real* at(int i) { return &w[std::size_t(i) * row]; }
    void store(Real* to) const {
        for (int i = 0; i < n_in; ++i)
            for (int j = 0; j < n; ++j)
                to[std::size_t(i) * n + j] = scale * w[std::size_t(i) * row + j];
    }
    void average_into(Real* mean, Real rate) const {
        for (int i = 0; i < n_in; ++i) {
            const Real* from = &w[std::size_t(i) * row];
            Real* to = mean + std::size_t(i) * n;
            for (int j = 0; j < n; ++j) to[j] += rate * (scale * from[j] - to[j]);
        }
    }
};

// Calls `act` with the index of every sum above the limit, in ascending order.
template <typename Real, typename Act>
inline void each_above(const Real* sum, int n, Real limit, Act act) {
    constexpr int width = Vector<Real, 32>::kLanes;
    for (int j = 0; j < n; j += width) {
        const auto above = at<32>(sum + j) > limit;
        if (!any(above)) continue;
        for (int lane = 0; lane < width; ++lane)
            if (above[lane]) act(j + lane);
    }
}

// Adds rows to the sums of a layer; returns whether any sum is above the limit afterwards.
template <typename Real, typename... Rows>
inline bool add(Real* sum, int n, Real limit, const Rows*... rows) {
    constexpr int width = Vector<Real, 32>::kLanes;
    typename Vector<Real, 32>::Mask above = {};
    for (int j = 0; j < n; j += width) {
        typename Vector<Real, 32>::Real s = at<32>(sum + j);
        ((s += at<32>(rows + j)), ...);
        at<32>(sum + j) = s;
        above |= s > limit;
    }
    return any(above);
}

struct Events {
    const std::int64_t* start;  // (n_images + 1,)
    const std::uint16_t* pixel;
    const std::uint16_t* tick;
};

template <typename Real>
struct Network {
    int t_max;
    Real theta;
    std::vector<Layer<Real>> layers;
    std::vector<std::vector<Real>> sums;   // of every layer: potentials / scale
    std::vector<std::vector<Real>> delta;  // of every hidden layer: errors, then changes
    std::vector<std::vector<int>> times;   // first spikes of every layer, t_max where silent
    std::vector<std::vector<int>> fired;   // hidden neurons in the order of their spikes
    std::vector<Real> potential, error;    // of the outputs
    int first = 0;  // earliest output spike, t_max where all are silent

    // sizes: of what the layers of weights connect, (n_layers + 1,).
    Network(int n_layers, const std::int32_t* sizes, int t_max, double theta, void* const* weights)
        : t_max(t_max), theta(Real(theta)), fired(n_layers - 1) {
        for (int l = 0; l < n_layers; ++l) {
            layers.emplace_back(sizes[l], sizes[l + 1], static_cast<const Real*>(weights[l]));
            sums.emplace_back(layers[l].row);
            times.emplace_back(layers[l].n);
            if (l + 1 == n_layers) continue;
            delta.emplace_back(layers[l].row);
            fired[l].reserve(layers[l].n);
        }
        potential.resize(layers.back().row);
    }

    std::vector<int>& t_out() { return times.back(); }

    // Presents image n. After the first output spike, input is read on as long as it
    // can cause output spikes less than `margin` ticks later, or until output `wanted` has fired
    // (-1: none is waited for).
    void present(const Events& events, std::int64_t n, int margin, int wanted) {
        const int depth = int(layers.size());
        for (auto& sum : sums) std::fill(sum.begin(), sum.end(), Real(0));
        for (auto& time : times) std::fill(time.begin(), time.end(), t_max);
        for (auto& one : fired) one.clear();
        std::fill(potential.begin(), potential.end(), Real(0));
        first = t_max;
        Layer<Real>& hidden = layers[0];
        const Real limit = theta / hidden.scale;
        const int row = hidden.row;
        Real* sum = sums[0].data();
        const std::int64_t to = events.start[n + 1];
        for (std::int64_t k = events.start[n]; k < to;) {
            const int now = events.tick[k];
            // An input at tick t makes spikes of layer l, counted from 1, at t + l.
            if (first < t_max && now + depth >= first + margin &&
                (wanted < 0 || t_out()[wanted] < t_max))
                break;
            if (now + 1 >= t_max) break;
            std::int64_t end = k + 1;
            while (end < to && events.tick[end] == now) ++end;
            bool crossing = false;
            // Several rows at once, in the order of the pixels: fewer loads and stores of the sums.
            while (k < end) {
                const int rows = int(std::min<std::int64_t>(end - k, 4));
                const Real* w[4];
                for (int r = 0; r < rows; ++r) w[r] = hidden.at(events.pixel[k + r]);
                k += rows;
                if (rows == 1) crossing = add(sum, row, limit, w[0]);
                if (rows == 2) crossing = add(sum, row, limit, w[0], w[1]);
                if (rows == 3) crossing = add(sum, row, limit, w[0], w[1], w[2]);
                if (rows == 4) crossing = add(sum, row, limit, w[0], w[1], w[2], w[3]);
            }
            if (crossing) cascade(now);
        }
    }

    // What the inputs of tick `now` cause: every layer answers one tick after the one before.
    void cascade(int now) {
        const Real never = -std::numeric_limits<Real>::infinity();
        const int n_hidden = int(layers.size()) - 1;
        for (int l = 0; l < n_hidden; ++l) {
            const int tick = now + l + 1;
            Layer<Real>& next = layers[l + 1];
            Real* sum = sums[l].data();
            Real* into = sums[l + 1].data();
            const std::size_t before = fired[l].size();
            // Padding has the sum 0 and so never fires.
            each_above(sum, layers[l].row, theta / layers[l].scale, [&](int j) {
                sum[j] = never;
                times[l][j] = tick;
                fired[l].push_back(j);
                const Real* w = next.at(j);
                for (int o = 0; o < next.row; ++o) into[o] += w[o];
            });
            // A spike at t_max - 1 reaches the next layer too late for any spike of its own.
            if (fired[l].size() == before || tick + 1 >= t_max) return;
        }
        read_outputs(now + n_hidden);
    }

    // Looks at the outputs when the hidden spikes of a tick have arrived.
    void read_outputs(int tick) {
        const Layer<Real>& output = layers.back();
        const Real limit = theta / output.scale;
        const std::vector<Real>& v = sums.back();
        for (int o = 0; o < output.n; ++o) {
            if (t_out()[o] < t_max) continue;
            const bool fires = v[o] > limit;
            // As in the published code, silent outputs are read at t_max - 3.
            if (fires || tick <= t_max - 3) potential[o] = v[o] * output.scale;
            if (fires) {
                t_out()[o] = tick + 1;
                first = std::min(first, tick + 1);
            }
        }
    }

    // One step of the rule for image n, just presented, from layer `frozen` on: was there an error?
    bool learn(const Events& events, std::int64_t n, int target, int gamma, Real rate, int frozen) {
        Real squared = 0;
        if (!learn_outputs(target, gamma, rate, squared)) return false;
        for (int l = int(layers.size()) - 2; l > 0 && l >= frozen && squared > 0; --l)
            squared = learn_hidden(l, rate, squared);
        if (!frozen && squared > 0) learn_inputs(events, n, rate, squared);
        return true;
    }

    // The last layer of weights; leaves the errors of the last hidden layer in `delta`, the sum of
    // their squares in `squared`. Returns whether there is any error.
    bool learn_outputs(int target, int gamma, Real rate, Real& squared) {
        Layer<Real>& output = layers.back();
        const std::vector<int>& t_out = times.back();
        const std::vector<int>& t_hidden = times[times.size() - 2];
        std::vector<Real>& back_to = delta.back();
        const int n_out = output.n;
        error.assign(output.row, 0);
        Real norm = 0;
        for (int o = 0; o < n_out; ++o) {
            int wanted = t_out[o];
            if (o == target)
                wanted = first == t_max ? t_max - gamma : first;
            else if (first < t_max && t_out[o] - first < gamma)
                wanted = std::min(first + gamma, t_max);
            error[o] = Real(wanted - t_out[o]) / t_max;
            norm += error[o] * error[o];
        }
        if (norm == 0) return false;
        norm = std::sqrt(norm);
        for (int o = 0; o < n_out; ++o) error[o] /= norm;

        const Real step_out = rate / output.scale;
        std::fill(back_to.begin(), back_to.end(), Real(0));
        for (int j : fired.back()) {
            Real* w = output.at(j);
            Real back = 0;
            for (int o = 0; o < n_out; ++o) {
                if (error[o] == 0 || t_hidden[j] >= t_out[o]) continue;
                w[o] -= step_out * error[o];
                // With the weight after its step, as the published code does.
                back += error[o] * w[o];
            }
            back *= output.scale;
            back_to[j] = back;
            squared += back * back;
        }
        return true;
    }

    // Turns the errors of a hidden layer into the changes of its input weights; returns the last
    // spike of a neuron that has an error.
    int changes(int l, Real rate, Real squared) {
        const Real step = rate / layers[l].scale / std::sqrt(squared);
        int last = 0;
        for (int j : fired[l]) {
            if (delta[l][j] == 0) continue;
            delta[l][j] *= step;
            last = std::max(last, times[l][j]);
        }
        return last;
    }

    // Sets the changes of neurons that fired by `now` to 0: inputs still to come were no cause.
    void expire(int l, int now, std::size_t& next) {
        for (; next < fired[l].size() && times[l][fired[l][next]] <= now; ++next)
            delta[l][fired[l][next]] = 0;
    }

    // Weights between hidden layers l - 1 and l; returns the sum of squares of the errors of the
    // former. These are normalised, so that a common factor of them does not matter.
    Real learn_hidden(int l, Real rate, Real squared) {
        typedef Vector<Real, 32> Lanes;
        const int last = changes(l, rate, squared), row = layers[l].row;
        std::vector<Real>& back_to = delta[l - 1];
        std::fill(back_to.begin(), back_to.end(), Real(0));
        const Real* change = delta[l].data();
        std::size_t next = 0;
        Real found = 0;
        for (int j : fired[l - 1]) {
            const int now = times[l - 1][j];
            if (now >= last) break;
            expire(l, now, next);
            Real* w = layers[l].at(j);
            typename Lanes::Real sum = {};
            for (int k = 0; k < row; k += Lanes::kLanes) {
                const typename Lanes::Real by = at<32>(change + k), after = at<32>(w + k) - by;
                at<32>(w + k) = after;
                sum += by * after;
            }
            Real back = 0;
            for (int k = 0; k < Lanes::kLanes; ++k) back += sum[k];
            back_to[j] = back;
            found += back * back;
        }
        return found;
    }

    void learn_inputs(const Events& events, std::int64_t n, Real rate, Real squared) {
        const int last = changes(0, rate, squared), row = layers[0].row;
        const Real* __restrict__ change = delta[0].data();
        std::size_t next = 0;
        const std::int64_t to = events.start[n + 1];
        for (std::int64_t k = events.start[n]; k < to && events.tick[k] < last; ++k) {
            expire(0, events.tick[k], next);
            Real* __restrict__ w = layers[0].at(events.pixel[k]);
            for (int j = 0; j < row; ++j) w[j] -= change[j];
        }
    }
};

}  // namespace

extern "C" {
void forward(int is_double, int n_layers, const std::int32_t* sizes, int t_max, double theta,
             void* const* weights, int n_images, const std::int64_t* start,
             const std::uint16_t* pixel, const std::uint16_t* tick, int whole,
             std::int32_t* t_hidden, std::int32_t* t_out, void* potential) {
    const auto run = [&](auto zero) {  // of the wanted precision
        Network<decltype(zero)> network(n_layers, sizes, t_max, theta, weights);
        auto* read = static_cast<decltype(zero)*>(potential);
        for (int n = 0; n < n_images; ++n) {
            network.present({start, pixel, tick}, n, whole ? 2 * t_max : 1, -1);
            for (int l = 0; l + 1 < n_layers; ++l)
                t_hidden = std::copy(network.times[l].begin(), network.times[l].end(), t_hidden);
            t_out = std::copy(network.t_out().begin(), network.t_out().end(), t_out);
            read = std::copy_n(network.potential.begin(), network.t_out().size(), read);
        }
    };
    is_double ? run(0.0) : run(0.0f);
}

void train(int is_double, int n_layers, const std::int32_t* sizes, int t_max, double theta,
           void* const* weights, int n_images, const std::int64_t* order,
           const std::int64_t* start, const std::uint16_t* pixel, const std::uint16_t* tick,
           const std::int32_t* targets, int gamma, double rate, double decay, int whole, int frozen,
           int watch_every, double average_rate, int average_every, void* const* means,
           std::int32_t* spikes, std::int64_t* counts) {
    const auto run = [&](auto zero) {  // of the wanted precision
        using Real = decltype(zero);
        Network<Real> network(n_layers, sizes, t_max, theta, weights);
        const Events events{start, pixel, tick};
        const Real keep = Real(1.0 - rate * decay);
        for (int k = 0; k < n_images; ++k) {
            const std::int64_t n = order[k];
            const int target = targets[n];
            network.present(events, n, whole ? 2 * t_max : gamma, target);
            counts[0] += network.first < t_max && network.t_out()[target] == network.first;
            counts[1] += network.learn(events, n, target, gamma, Real(rate), frozen);
            std::int32_t* of_layer = spikes;
            for (int l = 0; l + 1 < n_layers; of_layer += sizes[++l])
                for (int j : network.fired[l]) ++of_layer[j];
            for (int l = frozen; l < n_layers; ++l) network.layers[l].scale *= keep;
            if ((k + 1) % watch_every == 0 || k + 1 == n_images)
                for (auto& layer : network.layers)
                    if (!layer.finite()) counts[2] = k + 1;
            if (counts[2]) return;
            if (average_every > 0 && (k + 1) % average_every == 0)
                for (int l = 0; l < n_layers; ++l)
                    network.layers[l].average_into(static_cast<Real*>(means[l]), Real(average_rate));
        }
        for (int l = 0; l < n_layers; ++l) network.layers[l].store(static_cast<Real*>(weights[l]));
    };
    is_double ? run(0.0) : run(0.0f);
}
}
