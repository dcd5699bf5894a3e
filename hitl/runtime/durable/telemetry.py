"""Spans that link a pause, the verdicts and the resume, where OpenTelemetry is installed.

A pause and its resume are hours and processes apart: no span can last that long. So each claim is a
span, a checkpoint keeps the span it was written under, and the next claim links to it. A verdict is
a span of its own, dated when it was given.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hitl.store import Request

trace: Any
try:
    from opentelemetry import trace
except ImportError:  # an extra
    trace = None

_SECOND_NS = 1_000_000_000


@contextmanager
def span(name: str, before: str | None, attributes: dict[str, Any]) -> Iterator[Any]:
    """Give the span of a claim, linked to that of the checkpoint it goes on from.

    It is not made the current span: an async generator would leak it to whoever reads it.

    Args:
        name: of the span.
        before: what `place_of` said of the span before; None without one.
        attributes: of the span.
    """
    if trace is None:
        yield None
        return
    links = [trace.Link(context)] if (context := _context(before)) else []
    found = trace.get_tracer("hitl").start_span(name, links=links, attributes=attributes)
    try:
        yield found
    except BaseException as exc:
        if isinstance(exc, Exception):
            # Not the exception itself: its text may quote a tool's result.
            found.set_status(trace.StatusCode.ERROR, type(exc).__name__)
        raise
    finally:
        found.end()


def verdicts(requests: Iterable[Request], before: str | None, run_id: str) -> None:
    """Give each verdict a span, dated when it was given and linked to the pause."""
    if trace is None:
        return
    links = [trace.Link(context)] if (context := _context(before)) else []
    for each in requests:
        if each.verdict is None or each.decided_at is None:
            continue
        at = int(each.decided_at * _SECOND_NS)
        attributes: dict[str, Any] = {
            "hitl.run_id": run_id,
            "hitl.call": each.call,
            "hitl.tool": each.tool,
            "hitl.approved": each.verdict.approved,
        }
        if each.verdict.by is not None:
            attributes["hitl.by"] = each.verdict.by
        tracer = trace.get_tracer("hitl")
        found = tracer.start_span(
            "hitl.decision", links=links, attributes=attributes, start_time=at
        )
        found.end(at)


def mark(found: Any, **attributes: Any) -> None:  # noqa: ANN401 - a span, or None
    """Say more of a span."""
    if found is not None:
        found.set_attributes({f"hitl.{name}": value for name, value in attributes.items()})


def place_of(found: Any) -> str | None:  # noqa: ANN401 - a span, or None
    """Give where a span is, as a traceparent; None when it is recorded nowhere."""
    if found is None or trace is None:
        return None
    context = found.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context(place: str | None) -> Any:  # noqa: ANN401 - a span context, or None
    if place is None or trace is None:
        return None
    _, trace_id, span_id, flags = place.split("-")
    return trace.SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(flags, 16)),
    )
