"""Files, dialects, codecs and texts as they stand on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import frozen

from hitl import transfer
from hitl.document import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl.model import RunState
    from hitl.transfer import Report

_F = TypeVar("_F", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
FILE_OR_FOLDER = click.Path(exists=True, allow_dash=True)
OUT = click.Path(dir_okay=False, allow_dash=True)


@frozen
class Target:
    """A dialect to write, and its version; None is the newest."""

    dialect: str
    version: str | None = None

    def checked(self, state: RunState) -> Target:
        """Give the target if its version exists.

        Raises:
            BadParameter: the dialect has no such version, and the state did not come in it.
        """
        newer = state.newer
        own = newer is not None and (newer.dialect, newer.version) == (self.dialect, self.version)
        versions = transfer.dialects()[self.dialect].chain.versions
        if self.version is None or self.version in versions or own:
            return self
        raise click.BadParameter(
            f"expected a version of {self.dialect} ({', '.join(versions)}), found {self.version!r}"
        )


def target(ctx: click.Context, param: click.Parameter, given: str | None) -> Target | None:
    """Read `DIALECT[@VERSION]`."""
    if given is None:
        return None
    dialect, _, version = given.partition("@")
    _known("dialect", dialect, transfer.dialects(), ctx, param)
    return Target(dialect, version or None)


def codec(ctx: click.Context, param: click.Parameter, given: str) -> str:
    """Read the name of a codec."""
    _known("codec", given, transfer.codecs(), ctx, param)
    return given


def pairs(option: str, metavar: str, told: str, *, into: str | None = None) -> Callable[[_F], _F]:
    """Make an option that may be given again; its values become one dict.

    Args:
        option: its name.
        metavar: what a value looks like; `=` parts it.
        told: its help.
        into: the name of the parameter; by default the option's.
    """
    name = into or option.removeprefix("--").replace("-", "_")
    return click.option(
        option, name, multiple=True, metavar=metavar, help=told, callback=_paired(metavar)
    )


def _paired(
    metavar: str,
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, str]]:
    def read(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in given:
            old, mark, new = (text(ctx, param, each) or "").partition("=")
            if not (old and mark and new):
                raise click.BadParameter(f"expected {metavar}, found {each!r}", ctx, param)
            if found.setdefault(old, new) != new:
                raise click.BadParameter(f"expected {old!r} once, found it twice", ctx, param)
        return found

    return read


def text(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:
    """Read a text that goes into a document; bytes of another encoding cannot."""
    if given is not None and any("\ud800" <= char <= "\udfff" for char in given):
        raise click.BadParameter("expected text in UTF-8, found other bytes", ctx, param)
    return given


def _known(
    what: str, given: str, names: Collection[str], ctx: click.Context, param: click.Parameter
) -> None:
    if given not in names:
        known = ", ".join(sorted(names))
        raise click.BadParameter(f"expected a {what} ({known}), found {given!r}", ctx, param)


def read(file: str) -> bytes:
    """Give the bytes of a file, or of stdin for `-`; of a file too large, enough to refuse it."""
    with click.open_file(file, "rb") as stream:
        data: bytes = stream.read(DEFAULT_LIMITS.size_bytes + 1)
    return data


def readable(data: bytes) -> tuple[Report, RunState]:
    """Give what `data` is, and the state in it; other problems are in the report.

    Raises:
        HitlError: it cannot be read.
    """
    report = transfer.check(data)
    if report.state is None:
        raise report.problems[0]
    return report, report.state


def sound(data: bytes) -> tuple[Report, RunState]:
    """Give what `data` is, and the state in it.

    Raises:
        HitlError: it cannot be read, or a decided call is not the one that was decided.
    """
    report, state = readable(data)
    if report.problems:
        raise report.problems[0]
    return report, state
