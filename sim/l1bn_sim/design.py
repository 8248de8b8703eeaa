"""A device under test: the Verilog of an Amaranth component, and its streams described for a bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import Component, Flow

from l1bn.generator import generate
from l1bn.generator.resources import cell_models
from l1bn.logic import rtlil

from .fields import Field, Payload, StreamPort

__all__ = ["Design", "payload", "stream_ports"]


@dataclass(frozen=True)
class Design:
    """Verilog whose top module ``name`` has the ports clk, rst and ``streams``."""

    name: str
    verilog: str
    streams: tuple[StreamPort, ...]

    @classmethod
    def of(cls, component: Component, name: str) -> Design:
        """The design of a component that has only streams as ports and only the domain ``sync``."""
        streams = stream_ports(component)
        return cls(name, rtlil.verilog(component, name), streams)

    @classmethod
    def of_unit(cls, unit: Component, name: str) -> Design:
        """The design of a unit as users get it, with models of the blocks that its target has."""
        text = generate.verilog(unit, name) + (cell_models(unit.config.target) or "")
        return cls(name, text, stream_ports(unit))

    @property
    def signals(self) -> list[str]:
        """Names of the ports."""
        parts = ("payload", "valid", "ready")
        return ["clk", "rst", *(f"{port.name}__{part}" for port in self.streams for part in parts)]


def stream_ports(component: Component) -> tuple[StreamPort, ...]:
    """The streams of ``component``; raises :exc:`TypeError` for a port that is none."""
    ports = []
    for name, member in component.signature.members.items():
        if not (member.is_signature and isinstance(member.signature, stream.Signature)):
            raise TypeError(f"port {name} of {type(component).__name__} is no stream: wrap it for the bench")
        shape = member.signature.members["payload"].shape
        ports.append(StreamPort(name, "in" if member.flow is Flow.In else "out", payload(shape)))
    return tuple(ports)


def payload(shape: Any) -> Payload:
    """Describe the payload of a stream; a plain number is one field called ``value``.

    Fields of no bits are left out: they are not in the Verilog's vector.
    """
    width = Shape.cast(shape).width
    if not isinstance(shape, data.StructLayout):
        return Payload(width, (_field("value", 0, shape),))
    fields = [_field(name, field.offset, field.shape) for name, field in shape]
    return Payload(width, tuple(field for field in fields if field.width))


def _field(name: str, offset: int, shape: Any) -> Field:
    if isinstance(shape, data.ArrayLayout):
        width, signed = _number(shape.elem_shape)
        return Field(name, offset, width, signed, shape.length)
    if isinstance(shape, data.Layout):
        raise TypeError(f"field {name} is a structure; a bench knows numbers and arrays of numbers")
    width, signed = _number(shape)
    return Field(name, offset, width, signed)


def _number(shape: Any) -> tuple[int, bool]:
    cast = Shape.cast(shape)
    return cast.width, cast.signed
