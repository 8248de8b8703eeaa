"""The ports of an exported module as plain data, for everything that lists them."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Value
from amaranth.lib import wiring

__all__ = ["Port", "axi_ports", "native_ports"]


@dataclass(frozen=True)
class Port:
    """A port: its name in Verilog, ``input`` or ``output``, its bits, its bus, its role there, what it is."""

    name: str
    direction: str
    width: int
    bus: str
    role: str
    about: str


STREAM_ROLES = {
    "payload": "fields below",
    "valid": "the source offers an item",
    "ready": "the sink takes it",
}
AXIS_ROLES = {
    "tdata": "samples, lane 0 lowest",
    "tlast": "final beat of a channel's packet",
    "tuser": "with tlast: the packet of this channel was too short or too long; else 0",
    "tvalid": "a beat is offered",
    "tready": "it is taken",
}
AXI_CHANNELS = {
    "aw": "write address",
    "w": "write data",
    "b": "write answer",
    "ar": "read address",
    "r": "read data",
}


def native_ports(unit: wiring.Component) -> list[Port]:
    """The ports of a unit with its streams."""
    ports = [
        Port("clk", "input", 1, "", "clk", "clock, rising edge"),
        Port("rst", "input", 1, "", "rst", "synchronous reset, active high"),
    ]
    for path, member, value in unit.signature.flatten(unit):
        name, direction = "__".join(map(str, path)), "input" if member.flow == wiring.In else "output"
        bus, role = "__".join(map(str, path[:-1])), str(path[-1])
        ports.append(Port(name, direction, len(Value.cast(value)), bus, role, STREAM_ROLES.get(role, role)))
    return ports


def axi_ports(top: wiring.Component) -> list[Port]:
    """The ports of a unit behind AXI."""
    ports = []
    for name, member in top.signature.members.items():
        bus, _, role = name.rpartition("_")
        direction = "input" if member.flow == wiring.In else "output"
        if not bus:
            about = {"aclk": "clock, rising edge", "aresetn": "synchronous reset, active low"}[name]
        elif bus == "s_axi":
            channel = max((prefix for prefix in AXI_CHANNELS if role.startswith(prefix)), key=len)
            about = f"AXI4-Lite: {AXI_CHANNELS[channel]}"
        else:
            about = AXIS_ROLES[role]
        ports.append(Port(name, direction, len(Value.cast(getattr(top, name))), bus, role, about))
    return ports
