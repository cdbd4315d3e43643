// Event pixels that watch a moving image; see event_camera.py, whose `reference` says the same in NumPy.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

struct Sensor {
    int64_t side, n_steps;
    const float *path_x, *path_y;  // (step + 1): position of the image in pixels
    const float *on, *off;         // (pixel): thresholds in log units
    double floor, step_us, refractory_us;
};

// Brightness of every pixel, plus the floor, for an image moved by (dx, dy); bilinear.
// `padded` is the image with a border of `border` dark pixels on all sides.
void look(const Sensor& sensor, const float* padded, int64_t width, int64_t border, float dx, float dy,
          float* seen) {
    const float whole_x = std::floor(dx), whole_y = std::floor(dy);
    const float fx = dx - whole_x, fy = dy - whole_y;
    const float w00 = (1 - fx) * (1 - fy), w01 = fx * (1 - fy), w10 = (1 - fx) * fy, w11 = fx * fy;
    const float dark = static_cast<float>(sensor.floor);
    for (int64_t y = 0; y < sensor.side; ++y) {
        const int64_t row = y - static_cast<int64_t>(whole_y) + border;
        const float* here = padded + row * width - static_cast<int64_t>(whole_x) + border;
        const float* above = here - width;
        float* out = seen + y * sensor.side;
        for (int64_t x = 0; x < sensor.side; ++x)
            out[x] = w00 * here[x] + w01 * here[x - 1] + w10 * above[x] + w11 * above[x - 1] + dark;
    }
}

struct Pixel {
    double reference;  // log brightness at the last event
    double last_us;    // time of the last event that was sent
};

}  // namespace

// Events of each image, sorted by time, then address.
//   images (image, size, size) in [0, 1]; start (image, pixel): reference less log brightness at the
//   beginning; noise_at (image + 1) delimits noise_us and noise_address.
//   Out: times_us and address (image, room), address = 2 * pixel + (1 for ON); counts (image), which
//   is larger than room where events were lost.
extern "C" void watch(int64_t n_images, int64_t size, const float* images, int64_t side, int64_t n_steps,
                      const float* path_x, const float* path_y, const float* on, const float* off,
                      double floor, double step_us, double refractory_us, const float* start,
                      const int64_t* noise_at, const int32_t* noise_us, const int32_t* noise_address,
                      int64_t room, int32_t* times_us, uint16_t* address, int64_t* counts) {
    const Sensor sensor{side, n_steps, path_x, path_y, on, off, floor, step_us, refractory_us};
    const int64_t n_pixels = side * side, border = side, width = size + 2 * border;
    constexpr int64_t block = 34;
    std::vector<float> padded(width * width), seen(n_pixels), before(n_pixels), low(n_pixels), high(n_pixels);
    std::vector<Pixel> pixels(n_pixels);
    std::vector<uint64_t> events;
    for (int64_t image = 0; image < n_images; ++image) {
        std::fill(padded.begin(), padded.end(), 0.0f);
        for (int64_t y = 0; y < size; ++y)
            std::copy_n(images + (image * size + y) * size, size, padded.data() + (y + border) * width + border);
        events.clear();
        size_t sorted = 0;
        look(sensor, padded.data(), width, border, path_x[0], path_y[0], before.data());
        const auto bounds = [&](int64_t p) {
            high[p] = static_cast<float>(std::exp(pixels[p].reference + on[p]));
            low[p] = static_cast<float>(std::exp(pixels[p].reference - off[p]));
        };
        for (int64_t p = 0; p < n_pixels; ++p) {
            pixels[p] = {std::log(static_cast<double>(before[p])) + start[image * n_pixels + p], -1e18};
            bounds(p);
        }
        for (int64_t step = 0; step < n_steps; ++step) {
            if (path_x[step] == path_x[step + 1] && path_y[step] == path_y[step + 1]) continue;
            look(sensor, padded.data(), width, border, path_x[step + 1], path_y[step + 1], seen.data());
            for (int64_t first = 0; first < n_pixels; first += block) {
                const int64_t end = std::min(first + block, n_pixels);
                int any = 0;
                for (int64_t p = first; p < end; ++p) any |= (seen[p] >= high[p]) | (seen[p] <= low[p]);
                if (!any) continue;
                for (int64_t p = first; p < end; ++p) {
                    if (seen[p] < high[p] && seen[p] > low[p]) continue;
                    Pixel& pixel = pixels[p];
                    const double from = std::log(static_cast<double>(before[p]));
                    const double to = std::log(static_cast<double>(seen[p]));
                    const bool rises = to > from;
                    const double threshold = rises ? on[p] : off[p], sign = rises ? 1.0 : -1.0;
                    while (sign * (to - pixel.reference) >= threshold) {
                        pixel.reference += sign * threshold;
                        const double part = (pixel.reference - from) / (to - from);
                        const double at = (step + std::clamp(part, 0.0, 1.0)) * step_us;
                        if (at - pixel.last_us < refractory_us) continue;
                        pixel.last_us = at;
                        events.push_back(static_cast<uint64_t>(at) << 16 | static_cast<uint64_t>(2 * p + rises));
                    }
                    bounds(p);
                }
            }
            std::swap(before, seen);
            std::sort(events.begin() + sorted, events.end());
            // The last event of a step and the first of the next may fall on the border of both.
            for (auto next = events.begin() + sorted; next != events.end(); ++next) {
                if (next == events.begin() || *(next - 1) < *next) break;
                std::rotate(std::upper_bound(events.begin(), next, *next), next, next + 1);
            }
            sorted = events.size();
        }
        for (int64_t k = noise_at[image]; k < noise_at[image + 1]; ++k)
            events.push_back(static_cast<uint64_t>(noise_us[k]) << 16 | static_cast<uint64_t>(noise_address[k]));
        std::sort(events.begin() + sorted, events.end());
        std::inplace_merge(events.begin(), events.begin() + sorted, events.end());
        counts[image] = static_cast<int64_t>(events.size());
        for (int64_t k = 0; k < std::min<int64_t>(room, counts[image]); ++k) {
            times_us[image * room + k] = static_cast<int32_t>(events[k] >> 16);
            address[image * room + k] = static_cast<uint16_t>(events[k] & 0xffff);
        }
    }
}
