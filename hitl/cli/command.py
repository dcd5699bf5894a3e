"""What every command has: `--json`, and failures as one line, never a traceback."""

from __future__ import annotations

import errno
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from hitl.cli import output
from hitl.cli.display import safe_display
from hitl.errors import HitlError, LossError
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hitl.document import JSONObject
    from hitl.revision import Repair

REFUSED = 1


@frozen(kw_only=True)
class Failure:
    """Why a command did not do what it was asked.

    Attributes:
        code: stable name of the kind of failure.
        message, path, hint: as in `HitlError`.
        losses: what the target cannot hold, when that is the reason.
    """

    code: str
    message: str
    path: str | None = None
    hint: str | None = None
    losses: tuple[Loss, ...] = ()

    def say(self, *, as_json: bool) -> None:
        """Print it: for a person on stderr, for a program on stdout."""
        if as_json:
            body: JSONObject = {"code": self.code, "message": self.message}
            body |= {"path": self.path, "hint": self.hint}
            if self.losses:
                body["losses"] = [loss_json(each) for each in self.losses]
            output.machine({"error": body})
        else:
            output.words(f"error: {HitlError(self.message, path=self.path, hint=self.hint)}")
            output.words(*map(loss_line, self.losses))


def problem_json(each: HitlError) -> JSONObject:
    """Give a problem for programs."""
    return {"code": each.code, "message": each.message, "path": each.path, "hint": each.hint}


def loss_json(loss: Loss) -> JSONObject:
    """Give a loss for programs."""
    found: JSONObject = {"severity": loss.severity, "path": loss.path, "reason": loss.reason}
    return found if loss.hint is None else {**found, "hint": loss.hint}


def loss_line(loss: Loss) -> str:
    """Give a loss for a person."""
    return f"{loss.severity}: {loss.reason} - at {place(loss.path)}{hint_text(loss)}"


def loss_lines(losses: Iterable[Loss]) -> list[str]:
    """Give losses for a person; what changes nothing that runs is said once for all its places."""
    places: dict[Loss, int] = {}
    for loss in losses:
        key = loss
        if loss.severity == "info":
            key = next((each for each in places if _alike(each, loss)), loss)
        places[key] = places.get(key, 0) + 1
    more = {loss: f" and {count - 1} more" if count > 1 else "" for loss, count in places.items()}
    return [f"{loss_line(loss)}{text}" for loss, text in more.items()]


def _alike(one: Loss, other: Loss) -> bool:
    return (one.severity, one.reason, one.hint) == (other.severity, other.reason, other.hint)


def hint_text(loss: Loss) -> str:
    """Give the next step, to stand behind a loss."""
    return "" if loss.hint is None else f" ({safe_display(loss.hint, 300).text})"


def repair_json(repair: Repair) -> JSONObject:
    """Give a repair for programs."""
    return {
        "name": repair.name,
        "path": repair.path,
        "reason": repair.reason,
        "widens": repair.widens,
        "opt_in": repair.opt_in,
    }


def repair_line(repair: Repair) -> str:
    """Give a repair for a person."""
    return f"repaired, {repair.name}: {repair.reason} - at {place(repair.path)}"


def place(path: str) -> str:
    """Give a JSON Pointer as a person may see it."""
    return safe_display(path, 200).text or "the top"


class Command(click.Command):
    """A command with `--json` and without tracebacks."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as click has them
        super().__init__(*args, **options)
        text = "Machine output: JSON on stdout."
        self.params.append(click.Option(["--json", "as_json"], is_flag=True, help=text))

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it raises becomes one line, or one object, and an exit code."""
        as_json = bool(ctx.params["as_json"])
        try:
            super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.ClickException as exc:
            if not as_json:
                raise
            Failure(code="usage", message=exc.format_message()).say(as_json=True)
            ctx.exit(exc.exit_code)
        except OSError as exc:
            if exc.errno == errno.EPIPE:  # whoever read stdout has gone; click knows what to do
                raise
            _failure(exc).say(as_json=as_json)
            ctx.exit(REFUSED)
        except Exception as exc:  # noqa: BLE001 - a traceback would print what a model wrote
            _failure(exc).say(as_json=as_json)
            ctx.exit(REFUSED)


def _failure(exc: Exception) -> Failure:
    match exc:
        case LossError():
            losses = tuple(each for each in exc.losses if isinstance(each, Loss))
            return Failure(code=exc.code, message=exc.message, hint=exc.hint, losses=losses)
        case HitlError():
            return Failure(code=exc.code, message=exc.message, path=exc.path, hint=exc.hint)
        case OSError():
            name = f": {exc.filename}" if exc.filename else ""
            return Failure(code="file", message=f"{exc.strerror or type(exc).__name__}{name}")
        case _:
            # Not its text: it may quote the document.
            where = traceback.extract_tb(exc.__traceback__)[-1]
            spot = f"{Path(where.filename).name}:{where.lineno}"
            message = f"hitl is at fault: {type(exc).__name__} in {spot}"
            return Failure(code="internal", message=message, hint="please report it")


class Door(click.Group):
    """The group: it also cleans what click says of a wrong command line."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click has it
    ) -> click.Context:
        """Parse the options before the command."""
        with _printable():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> None:
        """Parse and run the command."""
        with _printable():
            super().invoke(ctx)


@contextmanager
def _printable() -> Iterator[None]:
    """What click quotes from the command line is shown like everything else."""
    try:
        yield
    except click.ClickException as exc:
        lines = [safe_display(line).text for line in exc.message.split("\n")]
        exc.message = "\n".join(lines)  # type: ignore[misc]  # final to its readers, wrong to print
        raise
