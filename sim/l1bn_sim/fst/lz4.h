// What Verilator's FST writer calls of LZ4, without the library: a valid LZ4 block that holds everything as literals.
// Waves get a few times larger, and nobody has to install headers to see them.
#pragma once
#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* source, char* target, int size, int) {
    char* out = target;
    int rest = size - 15;
    *out++ = static_cast<char>((rest < 0 ? size : 15) << 4);  // length of the literals; no match follows the last ones
    for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(255);
    if (rest >= 0) *out++ = static_cast<char>(rest);
    std::memcpy(out, source, size);
    return static_cast<int>(out - target) + size;
}
