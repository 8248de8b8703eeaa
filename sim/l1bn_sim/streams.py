"""Drivers of a unit's input streams and monitors of its output streams.

Each is a step that the bench calls once after every rising edge, when signals still read as they were before
the edge: what is written then holds until the next edge. One coroutine steps them all, which is what lets a
bench run at tens of thousands of cycles a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from l1bn_vectors.payloads import Columns, StreamPort

__all__ = ["ProtocolError", "StreamSink", "StreamSource"]


class ProtocolError(AssertionError):
    """An output stream broke the rules: valid was withdrawn or the payload changed before the transfer."""


class StreamSource:
    """Drives an input stream from a queue.

    Parameters
    ----------
    dut : handle of the top
    port : the stream
    idle : for each cycle whether nothing is offered although something waits; ``None``: never

    Attributes
    ----------
    accepted : cycle of every transfer
    idled : cycles in which something waited and was not offered
    """

    def __init__(self, dut: Any, port: StreamPort, idle: Iterator[bool] | None = None):
        self.port = port
        self.idle = idle
        self.accepted: list[int] = []
        self.idled: list[int] = []
        self._queue: deque[int] = deque()
        self._offering = False
        self._payload = getattr(dut, f"{port.name}__payload")
        self._valid = getattr(dut, f"{port.name}__valid")
        self._ready = getattr(dut, f"{port.name}__ready")
        self._valid.value = 0

    def send(self, words: Iterable[int]) -> None:
        """Queue items, packed as :meth:`l1bn_vectors.payloads.Payload.pack` does."""
        self._queue.extend(words)

    @property
    def waiting(self) -> int:
        """Items that have not been transferred."""
        return len(self._queue) + self._offering

    def step(self, cycle: int) -> None:
        if self._offering:
            if not self._ready.value:
                return
            self.accepted.append(cycle)
        elif not self._queue:
            return
        offer = bool(self._queue)
        if offer and self.idle is not None and next(self.idle):
            self.idled.append(cycle)
            offer = False
        if offer:
            self._payload.value = self._queue.popleft()
        if offer != self._offering:
            self._valid.value = offer
            self._offering = offer


class StreamSink:
    """Takes what an output stream offers and holds the stream to the protocol.

    Parameters
    ----------
    dut : handle of the top
    port : the stream
    stall : for each cycle whether the sink is not ready; ``None``: never

    Attributes
    ----------
    taken : cycle of every transfer
    stalled : cycles in which something was offered and not taken
    """

    def __init__(self, dut: Any, port: StreamPort, stall: Iterator[bool] | None = None):
        self.port = port
        self.stall = stall
        self.taken: list[int] = []
        self.stalled: list[int] = []
        self._words: list[str] = []
        self._held: str | None = None
        self._is_ready = True
        self._payload = getattr(dut, f"{port.name}__payload")
        self._valid = getattr(dut, f"{port.name}__valid")
        self._ready = getattr(dut, f"{port.name}__ready")
        self._ready.value = 1

    @property
    def words(self) -> list[int]:
        """What was taken, packed."""
        return [int(word, 2) for word in self._words]

    @property
    def columns(self) -> Columns:
        """What was taken, field by field."""
        return self.port.payload.unpack(self.words)

    def step(self, cycle: int) -> None:
        if self._valid.value:
            word = str(self._payload.value)
            if self._held is not None and word != self._held:
                raise ProtocolError(f"{self.port.name}: payload changed before it was taken, cycle {cycle}")
            if self._is_ready:
                self._held = None
                self._words.append(word)
                self.taken.append(cycle)
            else:
                self._held = word
                self.stalled.append(cycle)
        elif self._held is not None:
            raise ProtocolError(f"{self.port.name}: valid withdrawn before the transfer, cycle {cycle}")
        ready = self.stall is None or not next(self.stall)
        if ready != self._is_ready:
            self._ready.value = ready
            self._is_ready = ready
