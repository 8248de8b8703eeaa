// Moves items through the streams of a Verilated component at the speed of the model: one call, many cycles.
//
// "ports.h" is made for each component. It defines L1BN_PORTS(INPUT, OUTPUT), which names its streams in the
// order of the Transfer array that l1bn_run takes.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

#include "Vtop.h"
#include "ports.h"
#include "verilated.h"

namespace {

// One stream's part of a run; mirrored by l1bn_sim.hardware_library.Transfer.
struct Transfer {
    uint32_t* words;    // the items, each of ceil(width / 32) words, the lowest first
    uint64_t items;     // how many are to move
    uint64_t moved;     // how many have moved
    uint64_t first;     // cycle of the first transfer, counted from the reset
    uint64_t last;      // cycle of the latest one
    uint32_t pause;     // probability of a pause to begin, in units of 2^-32
    uint32_t resume;    // probability of a pause to end; 0 in both: never a pause
    uint64_t random;    // state of the generator, not 0
    uint8_t paused;     // a pause is under way
    uint8_t waiting;    // an item is offered that is not taken
};

enum Status : int { DONE, MORE, STUCK, VALID_FELL, PAYLOAD_CHANGED };

template <typename Port>
void load(Port& port, const uint32_t* words) {
    if constexpr (!std::is_integral_v<Port>) {
        std::memcpy(&port[0], words, sizeof port);
    } else if constexpr (sizeof(Port) == 8) {
        port = words[0] | uint64_t{words[1]} << 32;
    } else {
        port = static_cast<Port>(words[0]);
    }
}

template <typename Port>
void store(const Port& port, uint32_t* words) {
    if constexpr (!std::is_integral_v<Port>) {
        std::memcpy(words, &port[0], sizeof port);
    } else if constexpr (sizeof(Port) == 8) {
        words[0] = static_cast<uint32_t>(port);
        words[1] = static_cast<uint32_t>(port >> 32);
    } else {
        words[0] = port;
    }
}

template <typename Port>
constexpr size_t words_of = sizeof(Port) <= 4 ? 1 : sizeof(Port) / 4;

// Whether this cycle is a pause: runs of geometric length.
bool pauses(Transfer& transfer) {
    if (!transfer.pause) return false;
    uint64_t& state = transfer.random;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const bool change = static_cast<uint32_t>(state >> 32) < (transfer.paused ? transfer.resume : transfer.pause);
    transfer.paused ^= change;
    return transfer.paused;
}

void count(Transfer& transfer, uint64_t cycle) {
    if (!transfer.moved++) transfer.first = cycle;
    transfer.last = cycle;
}

template <typename Port>
struct Source {
    static constexpr bool is_source = true;
    static constexpr size_t words = words_of<std::remove_reference_t<decltype(Port::payload(std::declval<Vtop&>()))>>;

    void prepare(Vtop& top, Transfer& transfer) {
        const bool paused = pauses(transfer);
        if (transfer.waiting) return;
        transfer.waiting = transfer.moved < transfer.items && !paused;
        Port::valid(top) = transfer.waiting;
        if (transfer.waiting) load(Port::payload(top), transfer.words + words * transfer.moved);
    }

    bool observe(Vtop& top, Transfer& transfer, uint64_t cycle, Status&) {
        if (!transfer.waiting || !Port::ready(top)) return false;
        transfer.waiting = false;
        count(transfer, cycle);
        return true;
    }

    void rest(Vtop& top) { Port::valid(top) = 0; }
    bool offers(Vtop&) const { return false; }
};

template <typename Port>
struct Sink {
    using Payload = std::remove_reference_t<decltype(Port::payload(std::declval<Vtop&>()))>;
    static constexpr size_t words = words_of<Payload>;
    uint32_t held[words];
    bool holds = false;

    void prepare(Vtop& top, Transfer& transfer) {
        const bool paused = pauses(transfer);
        Port::ready(top) = transfer.moved < transfer.items && !paused;
    }

    // An item that was offered must stay as it is until it is taken.
    bool observe(Vtop& top, Transfer& transfer, uint64_t cycle, Status& status) {
        transfer.waiting = Port::valid(top);
        if (holds) {
            if (!transfer.waiting) {
                status = VALID_FELL;
                return false;
            }
            uint32_t now[words];
            store(Port::payload(top), now);
            if (std::memcmp(now, held, sizeof held)) {
                status = PAYLOAD_CHANGED;
                return false;
            }
        }
        holds = transfer.waiting && !Port::ready(top);
        if (holds) store(Port::payload(top), held);
        if (!transfer.waiting || holds) return false;
        store(Port::payload(top), transfer.words + words * transfer.moved);
        count(transfer, cycle);
        return true;
    }

    void rest(Vtop& top) { Port::ready(top) = 0; }
    bool offers(Vtop& top) const { return Port::valid(top); }
};

// Verilator writes the two underscores in a port's name as ___05F.
#define L1BN_ACCESS(name)                                                  \
    struct Port_##name {                                                   \
        static auto& payload(Vtop& top) { return top.name##___05Fpayload; } \
        static auto& valid(Vtop& top) { return top.name##___05Fvalid; }     \
        static auto& ready(Vtop& top) { return top.name##___05Fready; }     \
    };
L1BN_PORTS(L1BN_ACCESS, L1BN_ACCESS)

#define L1BN_SOURCE(name) , Source<Port_##name>
#define L1BN_SINK(name) , Sink<Port_##name>

// The tuple begins with a member that is left out, because each port brings the comma before it.
template <typename, typename... Members>
using Rest = std::tuple<Members...>;
using Streams = Rest<void L1BN_PORTS(L1BN_SOURCE, L1BN_SINK)>;

struct Model {
    VerilatedContext context;
    Vtop top{&context, "top"};
    Streams streams;
    uint64_t cycle = 0;  // since the reset
    uint64_t quiet = 0;  // since the latest transfer

    Model() { reset(); }
    ~Model() { top.final(); }

    // f(stream, its index) for every stream.
    template <typename F>
    void each(F&& f) {
        std::apply([&](auto&... stream) { size_t index = 0; (f(stream, index++), ...); }, streams);
    }

    void rest() {
        each([&](auto& stream, size_t) { stream.rest(top); });
    }

    void edge() {
        top.clk = 1;
        top.eval();
    }

    void settle() {
        top.clk = 0;
        top.eval();
    }

    void reset() {
        streams = {};
        rest();
        top.rst = 1;
        for (int count = 0; count < 2; ++count) {
            settle();
            edge();
        }
        top.rst = 0;
        settle();
        cycle = quiet = 0;
    }

    Status run(Transfer* transfers, uint64_t cycles, uint64_t patience) {
        Status status = MORE;
        bool complete = done(transfers);
        for (const uint64_t end = cycle + cycles; !complete && cycle != end; ++cycle) {
            each([&](auto& stream, size_t index) { stream.prepare(top, transfers[index]); });
            settle();
            bool moved = false;
            each([&](auto& stream, size_t index) {
                moved |= stream.observe(top, transfers[index], cycle, status);
            });
            if (status != MORE) return status;
            edge();
            if (moved) {
                quiet = 0;
                complete = done(transfers);
            } else if (++quiet == patience) {
                return STUCK;
            }
        }
        if (!complete) return MORE;
        rest();
        settle();
        each([&](auto& stream, size_t index) { transfers[index].waiting = stream.offers(top); });
        return DONE;
    }

    static bool done(const Transfer* transfers) {
        for (size_t index = 0; index < std::tuple_size_v<Streams>; ++index) {
            if (transfers[index].moved != transfers[index].items) return false;
        }
        return true;
    }
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Model* l1bn_open() {
    try {
        return new Model;
    } catch (const std::exception&) {
        return nullptr;
    }
}

void l1bn_close(Model* model) { delete model; }

void l1bn_reset(Model* model) { model->reset(); }

uint64_t l1bn_cycle(const Model* model) { return model->cycle; }

// Runs until every item has moved, at most `cycles` cycles, and gives up when none has moved for `patience`.
int l1bn_run(Model* model, Transfer* transfers, uint64_t cycles, uint64_t patience) {
    return model->run(transfers, cycles, patience);
}

}  // extern "C"
#pragma GCC visibility pop
