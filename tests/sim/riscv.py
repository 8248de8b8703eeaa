"""A processor for tests: interprets RV32I, and hands each load and store outside of its memory to somebody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

WORD = 0xFFFFFFFF
SIZES = {0: 1, 1: 2, 2: 4, 4: 1, 5: 2}
"""Bytes of a load or a store by its ``funct3``."""


def signed(value: int, bits: int = 32) -> int:
    """The lowest ``bits`` of ``value`` in two's complement."""
    value &= (1 << bits) - 1
    return value - ((value >> (bits - 1)) << bits)


def run_alu(funct3: int, alternative: bool, a: int, b: int) -> int:
    """What an instruction on two numbers gives."""
    shift = b & 31
    return (
        a - b if alternative and funct3 == 0 else a + b,
        a << shift,
        int(signed(a) < signed(b)),
        int(a < b),
        a ^ b,
        signed(a) >> shift if alternative else a >> shift,
        a | b,
        a & b,
    )[funct3] & WORD


async def execute(
    image: bytes,
    load: Callable[[int, int], Awaitable[int]],
    store: Callable[[int, int, int], Awaitable[None]],
    memory_size: int = 1 << 16,
) -> int:
    """Run ``image`` from address 0 to its ``ebreak``, and return register ``a0``.

    Memory ends at ``memory_size``, where the stack begins. Beyond it ``load(address, bytes)`` gives a word's lowest
    bytes, and ``store(address, value, bytes)`` takes them.
    """
    memory = bytearray(image.ljust(memory_size, b"\0"))
    registers = [0] * 32
    registers[2] = memory_size
    pc = 0
    while True:
        word = int.from_bytes(memory[pc : pc + 4], "little")
        opcode, rd, funct3 = word & 0x7F, word >> 7 & 31, word >> 12 & 7
        a, b = registers[word >> 15 & 31], registers[word >> 20 & 31]
        immediate, following, result = signed(word >> 20, 12), pc + 4, None
        if opcode == 0x73:  # ebreak
            return registers[10]
        if opcode == 0x37:  # lui
            result = word & 0xFFFFF000
        elif opcode == 0x17:  # auipc
            result = pc + (word & 0xFFFFF000)
        elif opcode == 0x6F:  # jal
            offset = (
                (word >> 31) << 20
                | (word >> 12 & 0xFF) << 12
                | (word >> 20 & 1) << 11
                | (word >> 21 & 0x3FF) << 1
            )
            result, following = following, pc + signed(offset, 21)
        elif opcode == 0x67:  # jalr
            result, following = following, a + immediate & ~1
        elif opcode == 0x63:  # branches
            offset = (
                (word >> 31) << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 0x3F) << 5 | (word >> 8 & 0xF) << 1
            )
            taken = (a == b, signed(a) < signed(b), a < b)[(0, 0, 0, 0, 1, 1, 2, 2)[funct3]] != bool(
                funct3 & 1
            )
            following = pc + signed(offset, 13) if taken else following
        elif opcode == 0x03:  # loads
            address, size = a + immediate & WORD, SIZES[funct3]
            inside = address < memory_size
            value = (
                int.from_bytes(memory[address : address + size], "little")
                if inside
                else await load(address, size)
            )
            result = value if funct3 >= 4 else signed(value, 8 * size)
        elif opcode == 0x23:  # stores
            address, size = a + signed((word >> 25) << 5 | rd, 12) & WORD, SIZES[funct3]
            if address < memory_size:
                memory[address : address + size] = (b & (1 << 8 * size) - 1).to_bytes(size, "little")
            else:
                await store(address, b, size)
        elif opcode == 0x13:  # with an immediate
            result = run_alu(funct3, funct3 == 5 and bool(word >> 30 & 1), a, immediate & WORD)
        elif opcode == 0x33:  # with a register
            result = run_alu(funct3, bool(word >> 30 & 1), a, b)
        else:
            raise ValueError(f"no instruction of RV32I: {word:#010x} at {pc:#x}")
        if result is not None and rd:
            registers[rd] = result & WORD
        pc = following & WORD
