"""What decides the result of a function besides its arguments: sources, packages and Python.

Nothing is listed by hand: the imports of the function's module are followed, wherever in a module they stand, through
all that is not the standard library and not somebody else's package. So a new module counts as soon as it is imported.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Provenance", "provenance"]

_DISTRIBUTION = "l1bn"
_lock = threading.Lock()  # ast.parse of Python 3.11 fails now and then where two threads are in it
_LOADERS = ("__import__", "import_module")


@dataclass(frozen=True)
class Provenance:
    """What a module reaches by imports.

    Parameters
    ----------
    files : SHA-256 of each source file, by module, and of each data file beside one that names it in a string
    packages : versions of the packages of others that are imported, by name; ``missing`` for what is not there
    """

    files: Mapping[str, str]
    packages: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One hash of all of it and of the version of Python."""
        parts = (sys.version_info[:2], sorted(self.files.items()), sorted(self.packages.items()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def provenance(function: Callable[..., Any]) -> Provenance:
    """What the module of a function reaches, itself included.

    Raises :exc:`TypeError` for a module that loads others by a computed name: these cannot be followed.
    """
    with _lock:
        return _reached(function.__module__)


@cache
def _reached(root: str) -> Provenance:
    files: dict[str, str] = {}
    packages: dict[str, str] = {}
    waiting = [root]
    followed: set[str] = set()
    find = cache(_source)  # anew for each call, as a file may come or go between two
    while waiting:
        module = waiting.pop()
        top = module.partition(".")[0]
        if module in followed or top in sys.stdlib_module_names:
            continue
        followed.add(module)
        distributions = _foreign().get(top, [])
        if distributions:
            packages |= {name: importlib.metadata.version(name) for name in distributions}
            continue
        path = find(module)
        if path is None:
            packages[top] = "missing"
            continue
        # A package on the way to a module counts, but what else it imports is no matter of that module.
        for name in (module.rsplit(".", count)[0] for count in range(module.count(".") + 1)):
            source = find(name)
            if source is not None and name not in files:
                files |= _contents(name, source)
        for origin, attribute in _parsed(module, path, path.read_bytes()).imports:
            inner = f"{origin}.{attribute}" if attribute else origin
            ours = origin.partition(".")[0] not in (*sys.stdlib_module_names, *_foreign())
            waiting.append(inner if ours and find(inner) is not None else origin)
    return Provenance(files, packages)


def _contents(module: str, path: Path) -> dict[str, str]:
    """The hashes of a source file and of the files beside it that it names."""
    content = path.read_bytes()
    files = {module: hashlib.sha256(content).hexdigest()}
    for data in (path.with_name(name) for name in _parsed(module, path, content).names):
        if data.suffix != ".py" and data.is_file():
            files[f"{module}: {data.name}"] = hashlib.sha256(data.read_bytes()).hexdigest()
    return files


@dataclass(frozen=True)
class _Parsed:
    """What a source file imports, as modules and the names taken from them; and strings that may name files."""

    imports: tuple[tuple[str, str | None], ...]
    names: tuple[str, ...]


@cache
def _parsed(module: str, path: Path, content: bytes) -> _Parsed:
    tree = ast.parse(content)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return _Parsed(tuple(_imports(tree, package, path)), tuple(sorted(_names(tree))))


def _imports(tree: ast.AST, package: str, path: Path) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, None
                    if alias.asname is None:  # this is the name that it is bound to
                        yield alias.name.partition(".")[0], None
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package.rsplit(".", level - 1)[0] if level else ""
                origin = ".".join(part for part in (base, module) if part)
                yield from ((origin, alias.name) for alias in names)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _LOADERS:
                raise TypeError(
                    f"{path.name}, line {node.lineno}: imports by a computed name cannot be followed"
                )


def _names(tree: ast.AST) -> set[str]:
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in strings if isinstance(text, str) and re.fullmatch(r"[\w.-]+\.\w+", text)}


def _source(module: str) -> Path | None:
    """The file of a module that is not anybody else's, found without importing it."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is not None:
        return Path(loaded)
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module without a specification, as __main__ is
        return None
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin)
    path = Path(spec.origin).parent.joinpath(*rest)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


@cache
def _foreign() -> Mapping[str, list[str]]:
    """The distributions that each package comes from which is not ours.

    Python 3.13 counts the commands of a distribution as its packages, so that ``l1bn`` is one of ours there.
    """
    found = importlib.metadata.packages_distributions()
    return {name: distributions for name, distributions in found.items() if _DISTRIBUTION not in distributions}
