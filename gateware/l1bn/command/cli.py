"""The ``l1bn`` command."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from amaranth.back.verilog import YosysError

from l1bn_console.endings import exit_code
from l1bn_console.tables import print_json, print_tables

from .. import __version__
from ..config import PARAMETERS, Configuration, ConfigurationError
from ..errors import not_installed
from ..export import presets
from ..generator import generate, manifest
from ..generator.reading import read_text
from ..units.accuracy import advice
from . import plan_tables, tables
from .explain import explain
from .options import option, value
from .planning import parameter_options, plan_of, planning_options, refuse_all, taken

if TYPE_CHECKING:
    from ..plan import Plan

__all__ = ["main"]


class ToolFailed(RuntimeError):
    """A tool that is called has failed; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for bad input, 1 for a failing tool, 130 for Ctrl-C."""
    return exit_code(
        lambda: _run(arguments),
        "l1bn: error",
        refused=(ConfigurationError,),
        failed=(ToolFailed,),
    )


def _run(arguments: Sequence[str] | None) -> object:
    try:
        return l1bn.main(arguments, prog_name="l1bn", standalone_mode=False)
    except YosysError as error:
        raise ToolFailed(f"Yosys failed: {str(error).splitlines()[-1]}") from error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(prog)s %(version)s")
def l1bn() -> None:
    """Hardware for L1-norm batch normalisation, and for the L2 norm to compare with."""


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    """The parameters in a TOML file or a manifest, and the module's name if it is there."""
    if path.suffix == ".json":
        return manifest.read(path)
    text = read_text("config", path)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("config", str(path), f"valid TOML ({error})") from error
    return values, values.pop("name", None)


def configuration_options() -> list[click.Parameter]:
    """What makes a configuration: the options of its parameters, a file with ``FILE`` or ``--config``, ``--preset``."""
    return [
        click.Argument(["file"], required=False, type=click.Path(path_type=Path), metavar="[FILE]"),
        *map(option, PARAMETERS),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Take parameters from a .toml file (keys as above, with underscores) or from a manifest"
            " (.json). The same as FILE. Options on the command line win.",
        ),
        click.Option(
            ["--preset"],
            metavar="NAME",
            help="Take parameters from a preset, see `l1bn presets`. Options on the command line win.",
        ),
    ]


def chosen_configuration(
    file: Path | None, config: Path | None, preset: str | None, typed: dict[str, str | tuple[str, ...] | None]
) -> tuple[Configuration, str | None]:
    """What :func:`configuration_options` add up to, and the module's name if a file gives one."""
    if file is not None and config is not None:
        raise ConfigurationError("config", str(config), "FILE or --config, not both")
    config = file or config
    if config is not None and preset is not None:
        raise ConfigurationError("preset", preset, "either a preset or a file, not both")
    values, name = _read(config) if config else ({}, None)
    if preset is not None:
        values = dict(presets.find(preset).parameters)
    chosen = {key: value(key, text) for key, text in typed.items() if text}
    if "counts" in chosen:
        values.pop("count", None)
    return Configuration.from_mapping(values | chosen), name


@l1bn.command(
    "generate", params=configuration_options(), short_help="Write the Verilog and the manifest of a unit."
)
@click.option(
    "--name", metavar="NAME", help="Name of the top module. [default: NORM_batch_norm]"
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder for NAME.v and NAME.json, made if missing. [default: the current one]",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def generate_command(
    file: Path | None,
    config: Path | None,
    preset: str | None,
    name: str | None,
    output: Path,
    force: bool,
    **typed: str | tuple[str, ...] | None,
) -> None:
    """Write the Verilog of one unit, and a manifest that says what is in it.

    The manifest NAME.json holds the configuration, the ports and the fields of their payloads, latency and
    cycles per channel, and all derived formats. It is itself a configuration for --config.
    """
    configuration, name_in_file = chosen_configuration(file, config, preset, typed)
    name = name_in_file if name is None else name
    _advise(configuration)
    _begin("generating")
    for path in generate.write(configuration, name=name, folder=output, force=force):
        click.echo(path)


@l1bn.command(
    "export",
    params=[
        *configuration_options(),
        click.Option(
            ["--from", "model"],
            metavar="MODEL",
            help="Take the unit that `l1bn plan` proposes for this network, and the tables of its layers.",
        ),
        *planning_options(),
    ],
    short_help="Write a unit as an IP package.",
)
@click.option(
    "--name",
    metavar="NAME",
    help="Name of the native top; that with AXI is NAME_axi. [default: NORM_batch_norm]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder, which is made.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export.")
def export_command(
    file: Path | None,
    config: Path | None,
    preset: str | None,
    model: str | None,
    name: str | None,
    output: Path,
    force: bool,
    **given: Any,
) -> None:
    """Write a unit as an IP package: a folder that needs nothing else.

    The folder holds plain Verilog with a native and an AXI top, test benches
    with their words, register descriptions, IP-XACT, a FuseSoC core and a data sheet. Its manifest NAME.json is
    itself a configuration for --config.
    """
    planning = taken(given)
    try:
        from ..export import export
    except ModuleNotFoundError as error:
        raise click.ClickException(not_installed(error, "export", "export")) from error
    more: dict[str, bytes] = {}
    if model is None:
        refuse_all(planning)
        configuration, name_in_file = chosen_configuration(file, config, preset, given)
        name = name_in_file if name is None else name
    else:
        plan = _plan_instead(model, file or config or preset, given, planning)
        configuration = plan.config
        from ..plan import initial_files

        more = initial_files(plan, generate.default_name(configuration) if name is None else name)
    _advise(configuration)
    _begin("exporting")
    click.echo(export(configuration, name=name, folder=output, force=force, more=more))


def _plan_instead(model: str, other: object, given: Mapping[str, Any], planning: Mapping[str, Any]) -> Plan:
    """The plan for a network, which takes the place of any ``other`` configuration."""
    if other is not None:
        raise ConfigurationError("from", model, f"no other configuration beside it, but there is {other}")
    if given["counts"]:
        raise ConfigurationError("count", ",".join(given["counts"]), "none together with --from: the network has them")
    _begin("reading the network")
    return plan_of(model, given, planning)


@l1bn.command(
    "plan",
    params=[
        click.Argument(["model"], metavar="MODEL"),
        *planning_options(),
        *parameter_options(),
    ],
    short_help="Propose one unit for all normalisation layers of a network.",
)
@click.option("--name", metavar="NAME", help="Name of the unit's module. [default: NORM_batch_norm]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write NAME.toml, for --config, and the tables of the layers into this folder, which is made if missing.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan_command(
    model: str, name: str | None, output: Path | None, force: bool, as_json: bool, **given: Any
) -> None:
    """Propose one unit for all normalisation layers of a network.

    MODEL is a file NAME.onnx, in ONNX or QONNX, or module:factory for a module of PyTorch that Python can import, as
    torchvision.models:resnet18. The unit takes the layers one after the other; what is given here is kept.
    """
    planning = taken(given)
    _begin("reading the network")
    plan = plan_of(model, given, planning)
    from ..plan import describe, write  # what they need is there now

    paths = [] if output is None else write(plan, name=name, folder=output, force=force)
    _advise(plan.config)
    described = describe(plan)
    if as_json:
        print_json(described)
        return
    print_tables(*plan_tables.plan_tables(described))
    if paths:
        click.echo(paths[0])
        click.echo(f"{len(paths) - 1} files of tables in {paths[-1].parent}")


def _advise(configuration: Configuration) -> None:
    """Say so where the error of y may be more than one unit of its last place."""
    said = advice(configuration)
    if said:
        click.echo(f"l1bn: note: {said}", err=True)


def _begin(what: str) -> None:
    """Tell who watches that something takes its time: a unit of many lanes several seconds."""
    if sys.stderr.isatty():
        click.echo(f"{what} ...", err=True)


@l1bn.command("presets", short_help="List configurations to start from.")
@click.option("--names", is_flag=True, help="Print the bare names, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def presets_command(names: bool, as_json: bool) -> None:
    """List configurations to start from, and the resources that each takes."""
    if names:
        for name in presets.PRESETS:
            click.echo(name)
    elif as_json:
        print_json(presets.describe())
    else:
        print_tables(tables.presets_table())


@l1bn.command("explain", params=configuration_options(), short_help="Show what follows from a configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def explain_command(
    file: Path | None,
    config: Path | None,
    preset: str | None,
    as_json: bool,
    **typed: str | tuple[str, ...] | None,
) -> None:
    """Show what follows from a configuration: widths, constants, memory, multipliers, latency.

    The last table changes one parameter at a time and shows what that costs.
    """
    configuration, _ = chosen_configuration(file, config, preset, typed)
    explanation = explain(configuration)
    if as_json:
        print_json(explanation)
        return
    print_tables(*tables.explanation_tables(explanation))
