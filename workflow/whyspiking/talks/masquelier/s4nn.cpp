// The S4NN network event by event: forward pass, exact online rule, weight averaging (README,
// Eqs. 2 to 6). `reference.py` states the same in numpy, image by image.
//
// What makes it fast: input spikes come sorted, so that ticks without a spike cost nothing; an image
// is left as soon as no later spike can change a decision or an error; a fired neuron's potential is
// minus infinity, so that one comparison per tick finds the new spikes of a whole layer; and the
// weight decay of every image is one multiplication, of the common factor `scale` of a layer.

#include <limits>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

// Lengths of rows in memory are multiples of this many numbers: whole vectors of the processor.
constexpr int kLane = 16;

int padded(int n) { return rounded_up(n, kLane); }

template <typename Real>
struct Layer {
    int n_in, n, row;
    Real scale = 1;
    std::vector<Real> w;  // (n_in, row); the weights are scale * w

    Layer(int n_in, int n, const Real* from) : n_in(n_in), n(n), row(padded(n)) {
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
    Layer<Real> hidden, output;
    std::vector<Real> v, v_out, potential, delta;
    std::vector<int> t_hidden, t_out;
    std::vector<int> fired;  // hidden neurons in the order of their spikes
    int first = 0;           // earliest output spike, t_max where all are silent

    Network(int n_in, int n_hidden, int n_out, int t_max, Real theta, const Real* w1,
            const Real* w2)
        : t_max(t_max),
          theta(theta),
          hidden(n_in, n_hidden, w1),
          output(n_hidden, n_out, w2),
          v(hidden.row),
          v_out(output.row),
          potential(output.row),
          delta(hidden.row),
          t_hidden(n_hidden),
          t_out(n_out) {
        fired.reserve(n_hidden);
    }

    // Presents the spikes [from, to). After the first output spike, input is read on as long as it
    // can cause output spikes less than `margin` ticks later, or until output `wanted` has fired
    // (-1: none is waited for).
    void present(const Events& events, std::int64_t from, std::int64_t to, int margin, int wanted) {
        const Real never = -std::numeric_limits<Real>::infinity();
        std::fill(v.begin(), v.end(), Real(0));
        std::fill(v_out.begin(), v_out.end(), Real(0));
        std::fill(potential.begin(), potential.end(), Real(0));
        std::fill(t_hidden.begin(), t_hidden.end(), t_max);
        std::fill(t_out.begin(), t_out.end(), t_max);
        fired.clear();
        first = t_max;
        const Real limit = theta / hidden.scale, limit_out = theta / output.scale;
        const int row = hidden.row;
        Real* sum = v.data();
        for (std::int64_t k = from; k < to;) {
            const int now = events.tick[k];
            // An input at tick t makes hidden spikes at t + 1 and output spikes at t + 2.
            if (first < t_max && now + 2 >= first + margin && (wanted < 0 || t_out[wanted] < t_max))
                break;
            if (now + 1 >= t_max) break;
            std::int64_t end = k + 1;
            while (end < to && events.tick[end] == now) ++end;
            bool crossing = false;
            // Several rows at once: the sums are loaded and stored less often. The order of the
            // additions stays that of the pixels.
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
            if (!crossing) continue;
            // Padding has the sum 0 and so never fires.
            each_above(sum, row, limit, [&](int j) {
                sum[j] = never;
                t_hidden[j] = now + 1;
                fired.push_back(j);
                const Real* w = output.at(j);
                for (int o = 0; o < output.row; ++o) v_out[o] += w[o];
            });
            // A hidden spike at t_max - 1 reaches the outputs too late for any spike of theirs.
            if (now + 2 >= t_max) continue;
            for (int o = 0; o < output.n; ++o) {
                if (t_out[o] < t_max) continue;
                const bool fires = v_out[o] > limit_out;
                // As in the published code, silent outputs are read at t_max - 3.
                if (fires || now + 1 <= t_max - 3) potential[o] = v_out[o] * output.scale;
                if (fires) {
                    t_out[o] = now + 2;
                    first = std::min(first, now + 2);
                }
            }
        }
    }

    // One step of the rule for the image just presented; returns whether weights changed.
    bool learn(const Events& events, std::int64_t from, std::int64_t to, int target, int gamma,
               Real rate) {
        const int n_out = output.n;
        std::vector<Real>& error = error_;
        error.assign(output.row, 0);
        Real norm = 0;
        for (int o = 0; o < n_out; ++o) {
            int wanted = t_out[o];
            if (first == t_max) {
                if (o == target) wanted = t_max - gamma;
            } else if (o == target) {
                wanted = first;
            } else if (t_out[o] - first < gamma) {
                wanted = std::min(first + gamma, t_max);
            }
            error[o] = Real(wanted - t_out[o]) / t_max;
            norm += error[o] * error[o];
        }
        if (norm == 0) return false;
        norm = std::sqrt(norm);
        for (int o = 0; o < n_out; ++o) error[o] /= norm;

        Real squared = 0;
        const Real step_out = rate / output.scale;
        std::fill(delta.begin(), delta.end(), Real(0));
        for (int j : fired) {
            Real* w = output.at(j);
            Real back = 0;
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
        if (squared == 0) return true;
        const Real step = rate / hidden.scale / std::sqrt(squared);
        int last = 0;
        for (int j : fired) {
            if (delta[j] == 0) continue;
            delta[j] *= step;
            last = std::max(last, t_hidden[j]);
        }
        const Real* __restrict__ change = delta.data();
        std::size_t next = 0;  // neurons before it fired too early for the inputs still to come
        for (std::int64_t k = from; k < to && events.tick[k] < last; ++k) {
            const int now = events.tick[k];
            for (; next < fired.size() && t_hidden[fired[next]] <= now; ++next)
                delta[fired[next]] = 0;
            Real* __restrict__ w = hidden.at(events.pixel[k]);
            for (int j = 0; j < hidden.row; ++j) w[j] -= change[j];
        }
        return true;
    }

   private:
    std::vector<Real> error_;
};

template <typename Real>
void forward(int n_in, int n_hidden, int n_out, int t_max, double theta, const Real* w1,
             const Real* w2, int n_images, const std::int64_t* start, const std::uint16_t* pixel,
             const std::uint16_t* tick, int whole, std::int32_t* t_hidden, std::int32_t* t_out,
             Real* potential) {
    Network<Real> network(n_in, n_hidden, n_out, t_max, Real(theta), w1, w2);
    const Events events{start, pixel, tick};
    for (int n = 0; n < n_images; ++n) {
        network.present(events, start[n], start[n + 1], whole ? 2 * t_max : 1, -1);
        if (t_hidden)
            std::copy(network.t_hidden.begin(), network.t_hidden.end(),
                      t_hidden + std::size_t(n) * n_hidden);
        std::copy(network.t_out.begin(), network.t_out.end(), t_out + std::size_t(n) * n_out);
        std::copy_n(network.potential.begin(), n_out, potential + std::size_t(n) * n_out);
    }
}

template <typename Real>
void train(int n_in, int n_hidden, int n_out, int t_max, double theta, Real* w1, Real* w2,
           int n_images, const std::int64_t* order, const std::int64_t* start,
           const std::uint16_t* pixel, const std::uint16_t* tick, const std::int32_t* targets,
           int gamma, double rate, double decay, int whole, int watch_every, double average_rate,
           int average_every, Real* mean1, Real* mean2, std::int32_t* spikes,
           std::int64_t* counts) {
    Network<Real> network(n_in, n_hidden, n_out, t_max, Real(theta), w1, w2);
    const Events events{start, pixel, tick};
    const Real keep = Real(1.0 - rate * decay);
    for (int k = 0; k < n_images; ++k) {
        const std::int64_t n = order[k];
        const int target = targets[n];
        network.present(events, start[n], start[n + 1], whole ? 2 * t_max : gamma, target);
        const bool hit = network.first < t_max && network.t_out[target] == network.first;
        counts[0] += hit;
        counts[1] += network.learn(events, start[n], start[n + 1], target, gamma, Real(rate));
        for (int j : network.fired) ++spikes[j];
        network.hidden.scale *= keep;
        network.output.scale *= keep;
        if (((k + 1) % watch_every == 0 || k + 1 == n_images) &&
            !(network.hidden.finite() && network.output.finite())) {
            counts[2] = k + 1;
            return;
        }
        if (average_every > 0 && (k + 1) % average_every == 0) {
            network.hidden.average_into(mean1, Real(average_rate));
            network.output.average_into(mean2, Real(average_rate));
        }
    }
    network.hidden.store(w1);
    network.output.store(w2);
}

}  // namespace

extern "C" {

// Sorts the spikes of every image by tick, then by pixel. ticks: (n_images, n_pixels), never at or
// after t_max. Writes start (n_images + 1,), pixel and tick (spike,).
void order_spikes(int n_images, int n_pixels, int t_max, const std::uint16_t* ticks,
                  std::int64_t* start, std::uint16_t* pixel, std::uint16_t* tick) {
    std::vector<std::int64_t> place(t_max + 1);
    start[0] = 0;
    for (int n = 0; n < n_images; ++n) {
        const std::uint16_t* own = ticks + std::size_t(n) * n_pixels;
        std::fill(place.begin(), place.end(), 0);
        for (int i = 0; i < n_pixels; ++i)
            if (own[i] < t_max) ++place[own[i] + 1];
        place[0] = start[n];
        for (int t = 0; t < t_max; ++t) place[t + 1] += place[t];
        start[n + 1] = place[t_max];
        for (int i = 0; i < n_pixels; ++i) {
            if (own[i] >= t_max) continue;
            const std::int64_t k = place[own[i]]++;
            pixel[k] = std::uint16_t(i);
            tick[k] = own[i];
        }
    }
}

#define WHYSPIKING_S4NN(suffix, Real)                                                               \
    void forward_##suffix(int n_in, int n_hidden, int n_out, int t_max, double theta,               \
                          const Real* w1, const Real* w2, int n_images, const std::int64_t* start,  \
                          const std::uint16_t* pixel, const std::uint16_t* tick, int whole,         \
                          std::int32_t* t_hidden, std::int32_t* t_out, Real* potential) {           \
        forward<Real>(n_in, n_hidden, n_out, t_max, theta, w1, w2, n_images, start, pixel, tick,    \
                      whole, t_hidden, t_out, potential);                                           \
    }                                                                                               \
    void train_##suffix(int n_in, int n_hidden, int n_out, int t_max, double theta, Real* w1,       \
                        Real* w2, int n_images, const std::int64_t* order,                          \
                        const std::int64_t* start, const std::uint16_t* pixel,                      \
                        const std::uint16_t* tick, const std::int32_t* targets, int gamma,          \
                        double rate, double decay, int whole, int watch_every,                      \
                        double average_rate, int average_every, Real* mean1, Real* mean2,           \
                        std::int32_t* spikes, std::int64_t* counts) {                               \
        train<Real>(n_in, n_hidden, n_out, t_max, theta, w1, w2, n_images, order, start, pixel,     \
                    tick, targets, gamma, rate, decay, whole, watch_every, average_rate,            \
                    average_every, mean1, mean2, spikes, counts);                                   \
    }

WHYSPIKING_S4NN(f32, float)
WHYSPIKING_S4NN(f64, double)
}
