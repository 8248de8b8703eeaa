"""Payloads of Amaranth's shapes and the streams of its components, as a bench sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import Component, Flow

from .payloads import Field, Payload, StreamPort

__all__ = ["payload", "stream_ports"]


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
    """Describe the payload of a stream.

    A plain number is one field called ``value``; fields of a structure within it have its name before their own.
    Fields of no bits are left out: they are not in the Verilog's vector.
    """
    width = Shape.cast(shape).width
    fields = _fields("", 0, shape) if isinstance(shape, data.StructLayout) else [_number("value", 0, shape)]
    return Payload(width, tuple(field for field in fields if field.width))


def _fields(prefix: str, base: int, layout: data.StructLayout) -> Iterator[Field]:
    for name, field in layout:
        name, offset = prefix + name, base + field.offset
        if isinstance(field.shape, data.StructLayout):
            yield from _fields(f"{name}_", offset, field.shape)
        elif isinstance(field.shape, data.ArrayLayout):
            element = _number(name, offset, field.shape.elem_shape)
            yield Field(name, offset, element.width, element.signed, field.shape.length)
        else:
            yield _number(name, offset, field.shape)


def _number(name: str, offset: int, shape: Any) -> Field:
    cast = Shape.cast(shape)
    return Field(name, offset, cast.width, cast.signed)
