// A layer of adaptive neurons over all steps, forward and backward (README, Eqs. 1 to 4 and 17 to 19),
// as two functions that JAX calls (compiled.py). What is (time, trial, neuron) there is one row after
// another here. Only the recurrent weights of neurons that spike are read, and only theirs get a
// gradient.
//
// compiled.py puts the path of XLA's c_api.h before this text: it depends on the machine.

#include <cstring>
#include <vector>

#include "compiler/vectors.hpp"

namespace {

constexpr int kWidth = Vector<float, kWidest>::kLanes;

// Rows of n floats, each lengthened by zeros to whole vectors; of w, or of its transpose.
int padded(int n) { return rounded_up(n, kWidth); }

std::vector<float> widened(const float* w, int rows, int n, bool transposed) {
    const int wide = padded(n);
    std::vector<float> found(static_cast<std::size_t>(rows) * wide);
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < n; ++j) found[i * wide + j] = transposed ? w[j * rows + i] : w[i * n + j];
    return found;
}

std::vector<float> tiled(const float* one, int batch, int n) {
    std::vector<float> found(static_cast<std::size_t>(batch) * n);
    for (int b = 0; b < batch; ++b) std::memcpy(&found[b * n], one, n * sizeof(float));
    return found;
}

int active(const float* spikes, int n, int* which) {
    int found = 0;
    for (int i = 0; i < n; ++i) {
        which[found] = i;
        found += spikes[i] != 0;
    }
    return found;
}

// sum[0:wide] = the rows of w that are named.
void gather(const float* w, int wide, const int* which, int found, float* sum) {
    in_groups<kTileColumns>(wide / kWidth, [&](int first, auto vectors) {
        Vector<float, kWidest>::Real total[vectors()] = {};
        const float* const from = w + first * kWidth;
        for (int k = 0; k < found; ++k)
            for (int v = 0; v < vectors(); ++v)
                total[v] += at<kWidest>(from + which[k] * wide + v * kWidth);
        for (int v = 0; v < vectors(); ++v) at<kWidest>(sum + (first + v) * kWidth) = total[v];
    });
}

// c (rows x wide) = a (rows x n) w (n x wide).
void products(const float* a, int rows, int n, const float* w, int wide, float* c) {
    std::fill_n(c, static_cast<std::size_t>(rows) * wide, 0.0f);
    add_product(Factor<float>{a, n, 1}, rows, n, w, wide, wide, c, wide);
}

// first_u, first_eta, first_s: membrane, adaptation and spikes before the first step, (trial, neuron).
void forward(const float* drive, const float* w_rec, const float* alpha, const float* rho,
             const float* constants, const float* first_u, const float* first_eta,
             const float* first_s, int n_steps, int batch, int n, float* spikes, float* u,
             float* eta) {
    const float threshold = constants[0], beta = constants[1];
    const int wide = padded(n), size = batch * n;
    const std::vector<float> w = widened(w_rec, n, n, false);
    const std::vector<float> decay = tiled(alpha, batch, n), slow = tiled(rho, batch, n);
    std::vector<float> recurrent(size + wide);
    std::vector<int> which(n);
    const float *u_before = first_u, *eta_before = first_eta, *s_before = first_s;
    for (int t = 0; t < n_steps; ++t) {
        const std::size_t here = static_cast<std::size_t>(t) * size;
        float* const sum = recurrent.data();
        for (int b = 0; b < batch; ++b) {
            const int found = active(s_before + b * n, n, which.data());
            // A row reaches into the next one, which is written later.
            gather(w.data(), wide, which.data(), found, sum + b * n);
        }
        const float* const in = drive + here;
        float *const u_now = u + here, *const eta_now = eta + here, *const s_now = spikes + here;
        const float *const a = decay.data(), *const r = slow.data();
        for (int k = 0; k < size; ++k) {
            eta_now[k] = r[k] * eta_before[k] + (1 - r[k]) * s_before[k];
            const float theta = threshold + beta * eta_now[k];
            u_now[k] = a[k] * u_before[k] + (1 - a[k]) * (in[k] + sum[k]) - theta * s_before[k];
            s_now[k] = u_now[k] > theta ? 1.0f : 0.0f;
        }
        u_before = u_now;
        eta_before = eta_now;
        s_before = s_now;
    }
}

// out: gradient of the spikes; slope: surrogate derivative. Gradients: of drive and recurrent
// weights, and of alpha and rho, these two per trial.
void backward(const float* out, const float* slope, const float* spikes, const float* u,
              const float* eta, const float* w_rec, const float* alpha, const float* rho,
              const float* constants, const float* first_u, const float* first_eta,
              const float* first_s, int n_steps, int batch, int n, float* g_drive, float* g_rec,
              float* g_alpha, float* g_rho) {
    const float threshold = constants[0], beta = constants[1];
    const int wide = padded(n), size = batch * n;
    const std::vector<float> w = widened(w_rec, n, n, true);
    const std::vector<float> decay = tiled(alpha, batch, n), slow = tiled(rho, batch, n);
    std::vector<float> rest(size), theta_next(size);
    std::vector<float> g_u(size), g_eta(size), g_w(static_cast<std::size_t>(n) * wide);
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide), row(wide);
    std::vector<int> which(n);
    std::memset(g_alpha, 0, size * sizeof(float));
    std::memset(g_rho, 0, size * sizeof(float));
    const float* after = rest.data();
    for (int t = n_steps - 1; t >= 0; --t) {
        const std::size_t here = static_cast<std::size_t>(t) * size;
        products(after, batch, n, w.data(), wide, sums.data());
        const float* const u_before = t ? u + here - size : first_u;
        const float* const eta_before = t ? eta + here - size : first_eta;
        const float* const s_before = t ? spikes + here - size : first_s;
        float* const g_now = g_drive + here;
        for (int b = 0; b < batch; ++b) {
            const int first = b * n;
            const std::size_t from = here + first;
            const float *const sum = &sums[b * wide], *const a = &decay[first];
            const float *const r = &slow[first], *const s = s_before + first;
            float *const gu = &g_u[first], *const ge = &g_eta[first], *const next = &theta_next[first];
            float *const ga = g_alpha + first, *const gr = g_rho + first, *const gd = g_now + first;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                const float theta = threshold + beta * eta[from + i];
                const float g_spike = out[from + i] + sum[i] - next[i] * gu[i] + (1 - r[i]) * ge[i];
                const float g_x = slope[from + i] * g_spike;
                gu[i] = g_x + a[i] * gu[i];
                ge[i] = r[i] * ge[i] - beta * (g_x + s[i] * gu[i]);
                gd[i] = (1 - a[i]) * gu[i];
                ga[i] += gu[i] * (u_before[first + i] - u[from + i] - theta * s[i]);
                gr[i] += ge[i] * (eta_before[first + i] - s[i]);
                next[i] = theta;
            }
            const int found = active(s, n, which.data());
            std::memcpy(row.data(), gd, n * sizeof(float));
            for (int k = 0; k < found; ++k) {
                float* const to = &g_w[which[k] * wide];
                for (int v = 0; v < wide; v += kWidth) at<kWidest>(to + v) += at<kWidest>(row.data() + v);
            }
        }
        after = g_now;
    }
    // u_before - u - theta s is (1 - alpha) times the derivative of u by alpha.
    for (int k = 0; k < size; ++k) g_alpha[k] /= 1 - decay[k];
    for (int i = 0; i < n; ++i) std::memcpy(g_rec + i * n, &g_w[i * wide], n * sizeof(float));
}

// Answers XLA's question for the version of its interface; true if that was all.
bool told_version(XLA_FFI_CallFrame* call) {
    if (!call->extension_start || call->extension_start->type != XLA_FFI_Extension_Metadata)
        return false;
    auto* const asked = reinterpret_cast<XLA_FFI_Metadata_Extension*>(call->extension_start);
    asked->metadata->api_version.major_version = XLA_FFI_API_MAJOR;
    asked->metadata->api_version.minor_version = XLA_FFI_API_MINOR;
    return true;
}

struct Call {
    const XLA_FFI_CallFrame* frame;
    const XLA_FFI_Buffer* argument(int k) const {
        return static_cast<const XLA_FFI_Buffer*>(frame->args.args[k]);
    }
    const float* in(int k) const { return static_cast<const float*>(argument(k)->data); }
    float* out(int k) const {
        return static_cast<float*>(static_cast<XLA_FFI_Buffer*>(frame->rets.rets[k])->data);
    }
    int size(int axis) const { return static_cast<int>(argument(0)->dims[axis]); }
};

}  // namespace

extern "C" {

XLA_FFI_Error* layer_forward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    forward(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.in(5), call.in(6),
            call.in(7), call.size(0), call.size(1), call.size(2), call.out(0), call.out(1),
            call.out(2));
    return nullptr;
}

XLA_FFI_Error* layer_backward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    backward(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.in(5), call.in(6),
             call.in(7), call.in(8), call.in(9), call.in(10), call.in(11), call.size(0),
             call.size(1), call.size(2), call.out(0), call.out(1), call.out(2), call.out(3));
    return nullptr;
}

}  // extern "C"
