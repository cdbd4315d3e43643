// What a compiled simulation does besides the code that Brian2 generates: it takes its input spikes,
// its connections and the number of trials from files and words of the command line.
// Included by the generated main.cpp and run.cpp; `building.py` inserts the calls, `run_files.py` writes
// the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace whyspiking {

[[noreturn]] inline void fail(const std::string& message) {
    std::cerr << message << std::endl;
    std::exit(1);
}

// Words of the form "kind:name=value"; all others are left to Brian2.
typedef std::map<std::string, std::string> Words;

inline Words& words() {
    static Words all;
    return all;
}

inline void take_words(std::vector<std::string>& args) {
    std::vector<std::string> others;
    for (const std::string& arg : args) {
        const std::size_t colon = arg.find(':');
        const std::size_t equal = arg.find('=');
        if (colon < equal && equal != std::string::npos)
            words()[arg.substr(0, equal)] = arg.substr(equal + 1);
        else
            others.push_back(arg);
    }
    args = others;
}

inline bool given(const std::string& key) { return words().count(key) > 0; }

inline const std::string& word(const std::string& key);

// Who waits learns every second how far the run is: "tell:file=PATH" gets the share that is done.
inline void tell(std::int64_t step, std::int64_t last) {
    static const bool asked = given("tell:file");
    static std::time_t told = std::time(0);
    if (!asked || step % 256 || std::time(0) == told) return;
    told = std::time(0);
    std::ofstream(word("tell:file").c_str()) << double(step) / double(last + 1);
}

inline const std::string& word(const std::string& key) {
    const Words::const_iterator found = words().find(key);
    if (found == words().end()) fail("the command line lacks the word " + key + "=...");
    return found->second;
}

class File {
public:
    explicit File(const std::string& path) : path(path), stream(path.c_str(), std::ios::binary) {
        if (!stream) fail("cannot read " + path);
    }
    template <class T>
    void read(std::vector<T>& values, std::size_t count) {
        values.resize(count);
        if (count) take(reinterpret_cast<char*>(&values[0]), count * sizeof(T));
    }
    std::size_t read_count() {
        std::int64_t count = 0;
        take(reinterpret_cast<char*>(&count), sizeof(count));
        if (count < 0) fail("negative count in " + path);
        return static_cast<std::size_t>(count);
    }
    void finish() {
        if (stream.peek() != std::ifstream::traits_type::eof()) fail("surplus bytes in " + path);
    }

private:
    void take(char* target, std::size_t bytes) {
        stream.read(target, static_cast<std::streamsize>(bytes));
        if (!stream) fail("unexpected end of " + path);
    }
    std::string path;
    std::ifstream stream;
};

// Input spikes: count, steps, channels and, with `sub_step`, the lag of each spike in ms. The spike
// buffer of a generator has room for one spike per channel and step, hence the check of the order.
inline void load_events(const std::string& name, std::int32_t n_channels, bool sub_step,
                        std::vector<std::int32_t>& bins, std::vector<std::int32_t>& channels,
                        std::vector<double>& lags) {
    File file(word("events:" + name));
    const std::size_t count = file.read_count();
    file.read(bins, count);
    file.read(channels, count);
    if (sub_step) file.read(lags, count);
    file.finish();
    for (std::size_t k = 0; k < count; k++) {
        if (channels[k] < 0 || channels[k] >= n_channels || bins[k] < 0)
            fail("input '" + name + "': step or channel out of range");
        if (k > 0 && (bins[k] < bins[k - 1] ||
                      (bins[k] == bins[k - 1] && channels[k] <= channels[k - 1])))
            fail("input '" + name + "': spikes must be sorted by step, then by channel, without "
                 "repeats");
    }
}

// Hands the lags of this step's input spikes to the generator's variable `lag`.
inline void deliver_lags(std::int64_t step, std::size_t& next, const std::vector<std::int32_t>& bins,
                         const std::vector<std::int32_t>& channels, const std::vector<double>& lags,
                         double* lag_of_channel) {
    for (; next < bins.size() && bins[next] <= step; next++)
        lag_of_channel[channels[next]] = lags[next];
}

// Connections of one set of synapses: count, presynaptic and postsynaptic indices.
inline void load_links(const std::string& name, std::int32_t n_pre, std::int32_t n_post,
                       std::int32_t pre_offset, std::int32_t post_offset,
                       std::vector<std::int32_t>& pre, std::vector<std::int32_t>& post,
                       std::vector<std::int32_t>& n_outgoing, std::vector<std::int32_t>& n_incoming,
                       std::int32_t* n_synapses) {
    File file(word("links:" + name));
    const std::size_t count = file.read_count();
    file.read(pre, count);
    file.read(post, count);
    file.finish();
    n_outgoing.assign(static_cast<std::size_t>(n_pre + pre_offset), 0);
    n_incoming.assign(static_cast<std::size_t>(n_post + post_offset), 0);
    for (std::size_t k = 0; k < count; k++) {
        if (pre[k] < 0 || pre[k] >= n_pre || post[k] < 0 || post[k] >= n_post)
            fail("synapses '" + name + "': index out of range");
        pre[k] += pre_offset;
        post[k] += post_offset;
        n_outgoing[static_cast<std::size_t>(pre[k])]++;
        n_incoming[static_cast<std::size_t>(post[k])]++;
    }
    *n_synapses = static_cast<std::int32_t>(count);
}

// Takes a function out of what runs at every step.
template <class Objects, class Function>
void forget(Objects& objects, Function function) {
    for (typename Objects::iterator item = objects.begin(); item != objects.end();)
        item = item->second == function ? objects.erase(item) : item + 1;
}

// Drops the spikes still under way in a pathway, so that none leaks into the next trial.
template <class Pathway>
void clear_queue(Pathway& pathway) {
    for (std::size_t thread = 0; thread < pathway.queue.size(); thread++)
        for (std::size_t slot = 0; slot < pathway.queue[thread]->queue.size(); slot++)
            pathway.queue[thread]->queue[slot].clear();
}

}  // namespace whyspiking
