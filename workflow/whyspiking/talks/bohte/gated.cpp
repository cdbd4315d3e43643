// Layers of gated and of tanh units over all steps, forward and backward (README, Eqs. 12 and 13), with
// the matrix products of layer.cpp, after which compiled.py puts this text. Rows are as there; the
// gates of a row stand side by side: reset, update, candidate.

namespace {

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
inline float hyperbolic(float x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }

// sum (n x wide) += a^T b of a (rows x n) and b (rows x columns).
void add_outer(const float* a, int rows, int n, const float* b, int columns, float* sum) {
    add_product(Factor<float>{a, 1, n}, n, rows, b, columns, columns, sum, padded(columns));
}

// h: activity; gates: reset, update, fresh value and what the reset gate scales, (time, trial, 4 unit).
void gated_forward(const float* drive, const float* w_rec, const float* bias, int n_steps, int batch,
                   int n, float* h, float* gates) {
    const int wide = padded(3 * n);
    const std::vector<float> w = widened(w_rec, n, 3 * n, false), rest(batch * n);
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide);
    const float* before = rest.data();
    for (int t = 0; t < n_steps; ++t) {
        products(before, batch, n, w.data(), wide, sums.data());
        for (int b = 0; b < batch; ++b) {
            const float *const in = drive + b * 3 * n, *const sum = &sums[b * wide];
            const float *const c_in = in + 2 * n, *const c_sum = sum + 2 * n;
            const float *const c_bias = bias + 2 * n, *const past = before + b * n;
            float *const reset = gates + b * 4 * n, *const keep = reset + n;
            float *const fresh = reset + 2 * n, *const scaled = reset + 3 * n, *const now = h + b * n;
#pragma GCC ivdep
            for (int i = 0; i < 2 * n; ++i) reset[i] = sigmoid(in[i] + (sum[i] + bias[i]));
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                scaled[i] = c_sum[i] + c_bias[i];
                fresh[i] = hyperbolic(c_in[i] + reset[i] * scaled[i]);
                now[i] = keep[i] * past[i] + (1 - keep[i]) * fresh[i];
            }
        }
        before = h;
        h += batch * n;
        gates += batch * 4 * n;
        drive += batch * 3 * n;
    }
}

// out: gradient of the activity. Gradients: of drive, recurrent weights and their bias.
void gated_backward(const float* out, const float* h, const float* gates, const float* w_rec,
                    int n_steps, int batch, int n, float* g_drive, float* g_w, float* g_bias) {
    const int wide = padded(n), wider = padded(3 * n);
    const std::vector<float> w = widened(w_rec, 3 * n, n, true), rest(batch * n);
    std::vector<float> g_rec(batch * 3 * n + wider), g_sum(static_cast<std::size_t>(n) * wider);
    std::memset(g_bias, 0, 3 * n * sizeof(float));
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide), kept(batch * n);
    for (int t = n_steps - 1; t >= 0; --t) {
        const std::size_t here = static_cast<std::size_t>(t) * batch * n;
        const float* const before = t ? h + here - batch * n : rest.data();
        for (int b = 0; b < batch; ++b) {
            const float *const reset = gates + 4 * (here + b * n), *const keep = reset + n;
            const float *const fresh = reset + 2 * n, *const scaled = reset + 3 * n;
            const float *const g_out = out + here + b * n, *const past = before + b * n;
            const float* const sum = &sums[b * wide];
            float *const direct = &kept[b * n], *const drive = g_drive + 3 * (here + b * n);
            float* const rec = &g_rec[3 * b * n];
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) {
                const float g = g_out[i] + direct[i] + sum[i];
                const float g_fresh = g * (1 - keep[i]) * (1 - fresh[i] * fresh[i]);
                const float g_keep = g * (past[i] - fresh[i]) * keep[i] * (1 - keep[i]);
                const float g_reset = g_fresh * scaled[i] * reset[i] * (1 - reset[i]);
                direct[i] = g * keep[i];
                drive[i] = rec[i] = g_reset;
                drive[n + i] = rec[n + i] = g_keep;
                drive[2 * n + i] = g_fresh;
                rec[2 * n + i] = g_fresh * reset[i];
            }
#pragma GCC ivdep
            for (int i = 0; i < 3 * n; ++i) g_bias[i] += rec[i];
        }
        products(g_rec.data(), batch, 3 * n, w.data(), wide, sums.data());
        add_outer(before, batch, n, g_rec.data(), 3 * n, g_sum.data());
    }
    for (int i = 0; i < n; ++i)
        std::memcpy(g_w + i * 3 * n, &g_sum[i * wider], 3 * n * sizeof(float));
}

void plain_forward(const float* drive, const float* w_rec, int n_steps, int batch, int n, float* h) {
    const int wide = padded(n);
    const std::vector<float> w = widened(w_rec, n, n, false), rest(batch * n);
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide);
    const float* before = rest.data();
    for (int t = 0; t < n_steps; ++t) {
        products(before, batch, n, w.data(), wide, sums.data());
        for (int b = 0; b < batch; ++b) {
            const float *const in = drive + b * n, *const sum = &sums[b * wide];
            float* const now = h + b * n;
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) now[i] = hyperbolic(in[i] + sum[i]);
        }
        before = h;
        h += batch * n;
        drive += batch * n;
    }
}

void plain_backward(const float* out, const float* h, const float* w_rec, int n_steps, int batch,
                    int n, float* g_drive, float* g_w) {
    const int wide = padded(n);
    const std::vector<float> w = widened(w_rec, n, n, true);
    std::vector<float> sums(static_cast<std::size_t>(batch) * wide);
    std::vector<float> g_now(batch * n + wide), g_sum(static_cast<std::size_t>(n) * wide);
    for (int t = n_steps - 1; t >= 0; --t) {
        const std::size_t here = static_cast<std::size_t>(t) * batch * n;
        for (int b = 0; b < batch; ++b) {
            const float *const g_out = out + here + b * n, *const now = h + here + b * n;
            const float* const sum = &sums[b * wide];
            float* const drive = &g_now[b * n];
#pragma GCC ivdep
            for (int i = 0; i < n; ++i) drive[i] = (g_out[i] + sum[i]) * (1 - now[i] * now[i]);
        }
        std::memcpy(g_drive + here, g_now.data(), batch * n * sizeof(float));
        products(g_now.data(), batch, n, w.data(), wide, sums.data());
        if (t) add_outer(h + here - batch * n, batch, n, g_now.data(), n, g_sum.data());
    }
    for (int i = 0; i < n; ++i) std::memcpy(g_w + i * n, &g_sum[i * wide], n * sizeof(float));
}

}  // namespace

extern "C" {

XLA_FFI_Error* gated_layer_forward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    gated_forward(call.in(0), call.in(1), call.in(2), call.size(0), call.size(1), call.size(2) / 3,
                  call.out(0), call.out(1));
    return nullptr;
}

XLA_FFI_Error* gated_layer_backward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    gated_backward(call.in(0), call.in(1), call.in(2), call.in(3), call.size(0), call.size(1),
                   call.size(2), call.out(0), call.out(1), call.out(2));
    return nullptr;
}

XLA_FFI_Error* plain_layer_forward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    plain_forward(call.in(0), call.in(1), call.size(0), call.size(1), call.size(2), call.out(0));
    return nullptr;
}

XLA_FFI_Error* plain_layer_backward(XLA_FFI_CallFrame* frame) {
    if (told_version(frame)) return nullptr;
    const Call call{frame};
    plain_backward(call.in(0), call.in(1), call.in(2), call.size(0), call.size(1), call.size(2),
                   call.out(0), call.out(1));
    return nullptr;
}

}  // extern "C"
