// A layer of adaptive neurons over all steps, forward and backward (README, Eqs. 1 to 4 and 17 to 19),
// as two functions that JAX calls (compiled.py). What is (time, trial, neuron) there is one row after
// another here. Only the recurrent weights of neurons that spike are read, and only theirs get a
// gradient.
//
// compiled.py puts the path of XLA's c_api.h before this text: it depends on the machine.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

#ifdef __AVX512F__
constexpr int kWidth = 16, kColumns = 4;
#else
constexpr int kWidth = 8, kColumns = 2;
#endif
constexpr int kRows = 4;
typedef float Reals __attribute__((vector_size(4 * kWidth), aligned(4)));

inline Reals& at(float* p) { return *reinterpret_cast<Reals*>(p); }
inline const Reals& at(const float* p) { return *reinterpret_cast<const Reals*>(p); }

// Rows of n floats, each lengthened by zeros to whole vectors; of w, or of its transpose.
int padded(int n) { return (n + kWidth - 1) / kWidth * kWidth; }

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
template <int kVectors>
void gather(const float* w, int wide, const int* which, int found, float* sum) {
    Reals total[kVectors] = {};
    for (int k = 0; k < found; ++k)
        for (int v = 0; v < kVectors; ++v) total[v] += at(w + which[k] * wide + v * kWidth);
    for (int v = 0; v < kVectors; ++v) at(sum + v * kWidth) = total[v];
}

// c (rows x kVectors) = a (rows x n) w (n x wide), from one column of w on.
template <int kHigh, int kVectors>
void tile(const float* a, int n, const float* w, int wide, float* c) {
    Reals total[kHigh][kVectors] = {};
    for (int j = 0; j < n; ++j)
        for (int v = 0; v < kVectors; ++v) {
            const Reals column = at(w + j * wide + v * kWidth);
            for (int r = 0; r < kHigh; ++r) total[r][v] += a[r * n + j] * column;
        }
    for (int r = 0; r < kHigh; ++r)
        for (int v = 0; v < kVectors; ++v) at(c + r * wide + v * kWidth) = total[r][v];
}

template <int kVectors>
void product(const float* a, int rows, int n, const float* w, int wide, float* c) {
    int r = 0;
    for (; r + kRows <= rows; r += kRows)
        tile<kRows, kVectors>(a + r * n, n, w, wide, c + r * wide);
    for (; r < rows; ++r) tile<1, kVectors>(a + r * n, n, w, wide, c + r * wide);
}

// The same for all columns of w.
void products(const float* a, int rows, int n, const float* w, int wide, float* c) {
    for (int k = 0; k < wide; k += kColumns * kWidth)
        switch (std::min(kColumns, (wide - k) / kWidth)) {
            case 1: product<1>(a, rows, n, w + k, wide, c + k); break;
            case 2: product<2>(a, rows, n, w + k, wide, c + k); break;
            case 3: product<3>(a, rows, n, w + k, wide, c + k); break;
            default: product<kColumns>(a, rows, n, w + k, wide, c + k);
        }
}

void forward(const float* drive, const float* w_rec, const float* alpha, const float* rho,
             const float* constants, int n_steps, int batch, int n, float* spikes, float* u,
             float* eta) {
    const float threshold = constants[0], beta = constants[1];
    const int wide = padded(n), size = batch * n;
    const std::vector<float> w = widened(w_rec, n, n, false);
    const std::vector<float> decay = tiled(alpha, batch, n), slow = tiled(rho, batch, n);
    std::vector<float> rest(size), start(size, threshold), recurrent(size + wide);
    std::vector<int> which(n);
    const float *u_before = rest.data(), *eta_before = start.data(), *s_before = rest.data();
    for (int t = 0; t < n_steps; ++t) {
        const std::size_t here = static_cast<std::size_t>(t) * size;
        float* const sum = recurrent.data();
        for (int b = 0; b < batch; ++b) {
            const int found = active(s_before + b * n, n, which.data());
            // A row reaches into the next one, which is written later.
            for (int c = 0; c < wide; c += kColumns * kWidth) {
                float* const to = sum + b * n + c;
                const float* const from = w.data() + c;
                switch (std::min(kColumns, (wide - c) / kWidth)) {
                    case 1: gather<1>(from, wide, which.data(), found, to); break;
                    case 2: gather<2>(from, wide, which.data(), found, to); break;
                    case 3: gather<3>(from, wide, which.data(), found, to); break;
                    default: gather<kColumns>(from, wide, which.data(), found, to);
                }
            }
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
              const float* constants, int n_steps, int batch, int n, float* g_drive, float* g_rec,
              float* g_alpha, float* g_rho) {
    const float threshold = constants[0], beta = constants[1];
    const int wide = padded(n), size = batch * n;
    const std::vector<float> w = widened(w_rec, n, n, true);
    const std::vector<float> decay = tiled(alpha, batch, n), slow = tiled(rho, batch, n);
    std::vector<float> rest(size), start(size, threshold), theta_next(size);
    std::vector<float> g_u(size), g_eta(size), g_w(static_cast<std::size_t>(n) * wide);
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide), row(wide);
    std::vector<int> which(n);
    std::memset(g_alpha, 0, size * sizeof(float));
    std::memset(g_rho, 0, size * sizeof(float));
    const float* after = rest.data();
    for (int t = n_steps - 1; t >= 0; --t) {
        const std::size_t here = static_cast<std::size_t>(t) * size;
        products(after, batch, n, w.data(), wide, sums.data());
        const float* const u_before = t ? u + here - size : rest.data();
        const float* const eta_before = t ? eta + here - size : start.data();
        const float* const s_before = t ? spikes + here - size : rest.data();
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
                for (int v = 0; v < wide; v += kWidth) at(to + v) += at(row.data() + v);
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
    forward(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.size(0), call.size(1),
            call.size(2), call.out(0), call.out(1), call.out(2));
    return nullptr;
}

XLA_FFI_Error* layer_backward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    backward(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.in(5), call.in(6),
             call.in(7), call.in(8), call.size(0), call.size(1), call.size(2), call.out(0),
             call.out(1), call.out(2), call.out(3));
    return nullptr;
}

}  // extern "C"
