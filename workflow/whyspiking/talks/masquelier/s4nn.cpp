// S4NN event by event: forward pass, online rule, running mean of weights (README, Eqs. 2 to 6).
// It is fast as ticks without a spike cost nothing; as an image is left when no later spike can
// change a decision or an error; as the potential of a neuron that has fired is minus infinity, so
// that one comparison per tick finds all new spikes; and as a layer decays by its factor `scale`.

#include <limits>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

struct Layer {
    int n_in, n, row;  // rows in memory are whole vectors of the processor
    double scale = 1;
    std::vector<double> w;  // (n_in, row); the weights are scale * w

    Layer(int n_in, int n, const double* from) : n_in(n_in), n(n), row(rounded_up(n, 16)) {
        w.assign(std::size_t(n_in) * row, 0);
        for (int i = 0; i < n_in; ++i) std::copy_n(from + std::size_t(i) * n, n, &w[i * row]);
    }
    bool finite() const {
        int bad = 0;
        for (double one : w) bad += !(std::abs(one) <= std::numeric_limits<double>::max());
        return bad == 0 && std::isfinite(scale);
    }
    double* at(int i) { return &w[std::size_t(i) * row]; }
    void store(double* to) const {
        for (int i = 0; i < n_in; ++i)
            for (int j = 0; j < n; ++j)
                to[std::size_t(i) * n + j] = scale * w[std::size_t(i) * row + j];
    }
    void average_into(double* mean, double rate) const {
        for (int i = 0; i < n_in; ++i) {
            const double* from = &w[std::size_t(i) * row];
            double* to = mean + std::size_t(i) * n;
            for (int j = 0; j < n; ++j) to[j] += rate * (scale * from[j] - to[j]);
        }
    }
};

// Calls `act` with the index of every sum above the limit, in ascending order.
template <typename Act>
inline void each_above(const double* sum, int n, double limit, Act act) {
    constexpr int width = Vector<double, 32>::kLanes;
    for (int j = 0; j < n; j += width) {
        const auto above = at<32>(sum + j) > limit;
        if (!any(above)) continue;
        for (int lane = 0; lane < width; ++lane)
            if (above[lane]) act(j + lane);
    }
}

// Adds rows to the sums of a layer; returns whether any sum is above the limit afterwards.
template <typename... Rows>
inline bool add(double* sum, int n, double limit, const Rows*... rows) {
    constexpr int width = Vector<double, 32>::kLanes;
    Vector<double, 32>::Mask above = {};
    for (int j = 0; j < n; j += width) {
        Vector<double, 32>::Real s = at<32>(sum + j);
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

struct Network {
    int t_max;
    double theta;
    Layer hidden, output;
    std::vector<double> sum_hidden, sum_output;  // potentials / scale
    std::vector<double> delta;                   // of hidden neurons: errors, then changes
    std::vector<int> t_hidden, t_out;            // first spikes, t_max where silent
    std::vector<int> fired;                      // hidden neurons in the order of their spikes
    std::vector<double> potential, error;        // of the outputs
    int first = 0;                               // earliest output spike, t_max where all are silent

    Network(int n_in, int n_hidden, int n_out, int t_max, double theta, const double* w_hidden,
            const double* w_output)
        : t_max(t_max), theta(theta), hidden(n_in, n_hidden, w_hidden),
          output(n_hidden, n_out, w_output), sum_hidden(hidden.row), sum_output(output.row),
          delta(hidden.row), t_hidden(n_hidden), t_out(n_out), potential(output.row) {
        fired.reserve(n_hidden);
    }

    // Presents image n. After the first output spike, input is read on as long as it
    // can cause output spikes less than `margin` ticks later, or until output `wanted` has fired
    // (-1: none is waited for).
    void present(const Events& events, std::int64_t n, int margin, int wanted) {
        for (auto* values : {&sum_hidden, &sum_output, &potential})
            std::fill(values->begin(), values->end(), 0.0);
        for (auto* times : {&t_hidden, &t_out}) std::fill(times->begin(), times->end(), t_max);
        fired.clear();
        first = t_max;
        const double limit = theta / hidden.scale;
        const int row = hidden.row;
        double* sum = sum_hidden.data();
        const std::int64_t to = events.start[n + 1];
        for (std::int64_t k = events.start[n]; k < to;) {
            const int now = events.tick[k];
            // An input at tick t makes hidden spikes at t + 1 and output spikes at t + 2.
            if (first < t_max && now + 2 >= first + margin && (wanted < 0 || t_out[wanted] < t_max))
                break;
            if (now + 1 >= t_max) break;
            std::int64_t end = k + 1;
            while (end < to && events.tick[end] == now) ++end;
            bool crossing = false;
            // Several rows at once, in the order of the pixels: fewer loads and stores of the sums.
            while (k < end) {
                const int rows = int(std::min<std::int64_t>(end - k, 4));
                const double* w[4];
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
        double* sum = sum_hidden.data();
        double* into = sum_output.data();
        // Padding has the sum 0 and so never fires.
        const std::size_t before = fired.size();
        each_above(sum, hidden.row, theta / hidden.scale, [&](int j) {
            sum[j] = -std::numeric_limits<double>::infinity();
            t_hidden[j] = now + 1;
            fired.push_back(j);
            const double* w = output.at(j);
            for (int o = 0; o < output.row; ++o) into[o] += w[o];
        });
        // A spike at t_max - 1 reaches the outputs too late for any spike of theirs.
        if (fired.size() > before && now + 2 < t_max) read_outputs(now + 1);
    }

    // Looks at the outputs when the hidden spikes of a tick have arrived.
    void read_outputs(int tick) {
        const double limit = theta / output.scale;
        const std::vector<double>& v = sum_output;
        for (int o = 0; o < output.n; ++o) {
            if (t_out[o] < t_max) continue;
            const bool fires = v[o] > limit;
            // As in the published code, silent outputs are read at t_max - 3.
            if (fires || tick <= t_max - 3) potential[o] = v[o] * output.scale;
            if (fires) {
                t_out[o] = tick + 1;
                first = std::min(first, tick + 1);
            }
        }
    }

    // One step of the rule for image n, just presented, from layer `frozen` on: was there an error?
    bool learn(const Events& events, std::int64_t n, int target, int gamma, double rate, int frozen) {
        double squared = 0;
        if (!learn_outputs(target, gamma, rate, squared)) return false;
        if (!frozen && squared > 0) learn_inputs(events, n, rate, squared);
        return true;
    }

    // The output weights; leaves the errors of the hidden layer in `delta`, the sum of their squares
    // in `squared`. Returns whether there is any error.
    bool learn_outputs(int target, int gamma, double rate, double& squared) {
        const int n_out = output.n;
        error.assign(output.row, 0);
        double norm = 0;
        for (int o = 0; o < n_out; ++o) {
            int wanted = t_out[o];
            if (o == target)
                wanted = first == t_max ? t_max - gamma : first;
            else if (first < t_max && t_out[o] - first < gamma)
                wanted = std::min(first + gamma, t_max);
            error[o] = double(wanted - t_out[o]) / t_max;
            norm += error[o] * error[o];
        }
        if (norm == 0) return false;
        norm = std::sqrt(norm);
        for (int o = 0; o < n_out; ++o) error[o] /= norm;

        const double step_out = rate / output.scale;
        std::fill(delta.begin(), delta.end(), 0.0);
        for (int j : fired) {
            double* w = output.at(j);
            double back = 0;
            for (int o = 0; o < n_out; ++o) {
                if (error[o] == 0 || t_hidden[j] >= t_out[o]) continue;
                w[o] -= step_out * error[o];
                // With the weight after its step, as the published code does.
                back += error[o] * w[o];
            }
            back *= output.scale;
            delta[j] = back;
            squared += back * back;
        }
        return true;
    }

    void learn_inputs(const Events& events, std::int64_t n, double rate, double squared) {
        // Turns the errors of the hidden layer into changes; `last`: last spike of one with an error.
        const double step = rate / hidden.scale / std::sqrt(squared);
        int last = 0;
        for (int j : fired) {
            if (delta[j] == 0) continue;
            delta[j] *= step;
            last = std::max(last, t_hidden[j]);
        }
        const int row = hidden.row;
        const double* __restrict__ change = delta.data();
        std::size_t next = 0;
        const std::int64_t to = events.start[n + 1];
        for (std::int64_t k = events.start[n]; k < to && events.tick[k] < last; ++k) {
            // Neurons that have fired by now change no more: inputs still to come were no cause.
            for (; next < fired.size() && t_hidden[fired[next]] <= events.tick[k]; ++next)
                delta[fired[next]] = 0;
            double* __restrict__ w = hidden.at(events.pixel[k]);
            for (int j = 0; j < row; ++j) w[j] -= change[j];
        }
    }
};

}  // namespace

extern "C" {
void forward(int n_in, int n_hidden, int n_out, int t_max, double theta, const double* w_hidden,
             const double* w_output, int n_images, const std::int64_t* start,
             const std::uint16_t* pixel, const std::uint16_t* tick, int whole,
             std::int32_t* t_hidden, std::int32_t* t_out, double* potential) {
    Network network(n_in, n_hidden, n_out, t_max, theta, w_hidden, w_output);
    for (int n = 0; n < n_images; ++n) {
        network.present({start, pixel, tick}, n, whole ? 2 * t_max : 1, -1);
        t_hidden = std::copy(network.t_hidden.begin(), network.t_hidden.end(), t_hidden);
        t_out = std::copy(network.t_out.begin(), network.t_out.end(), t_out);
        potential = std::copy_n(network.potential.begin(), n_out, potential);
    }
}

void train(int n_in, int n_hidden, int n_out, int t_max, double theta, double* w_hidden,
           double* w_output, int n_images, const std::int64_t* order, const std::int64_t* start,
           const std::uint16_t* pixel, const std::uint16_t* tick, const std::int32_t* targets,
           int gamma, double rate, double decay, int whole, int frozen, int watch_every,
           double average_rate, int average_every, double* mean_hidden, double* mean_output,
           std::int32_t* spikes, std::int64_t* counts) {
    Network network(n_in, n_hidden, n_out, t_max, theta, w_hidden, w_output);
    const Events events{start, pixel, tick};
    const double keep = 1.0 - rate * decay;
    for (int k = 0; k < n_images; ++k) {
        const std::int64_t n = order[k];
        const int target = targets[n];
        network.present(events, n, whole ? 2 * t_max : gamma, target);
        counts[0] += network.first < t_max && network.t_out[target] == network.first;
        counts[1] += network.learn(events, n, target, gamma, rate, frozen);
        for (int j : network.fired) ++spikes[j];
        if (!frozen) network.hidden.scale *= keep;
        network.output.scale *= keep;
        if ((k + 1) % watch_every == 0 || k + 1 == n_images)
            if (!network.hidden.finite() || !network.output.finite()) counts[2] = k + 1;
        if (counts[2]) return;
        if (average_every > 0 && (k + 1) % average_every == 0) {
            network.hidden.average_into(mean_hidden, average_rate);
            network.output.average_into(mean_output, average_rate);
        }
    }
    network.hidden.store(w_hidden);
    network.output.store(w_output);
}
}
