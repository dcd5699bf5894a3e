"""What a durable run tells of itself: log lines with its id, and spans across processes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import hitl
from hitl.runtime.durable import telemetry
from tests.agents.disturbed import SHAPES
from tests.agents.durably import QUIET as CONFIG
from tests.agents.log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

RUN = "run_1"


@attrs.define
class Recorded:
    """One span."""

    name: str
    number: int
    links: list[int]
    attributes: dict[str, Any]
    start_time: int | None
    ended: bool = False


class _Span(NonRecordingSpan):
    def __init__(self, recorded: Recorded) -> None:
        super().__init__(
            SpanContext(1, recorded.number, is_remote=False, trace_flags=TraceFlags(1))
        )
        self.recorded = recorded

    def set_attributes(self, attributes: Any) -> None:  # noqa: ANN401
        self.recorded.attributes |= attributes

    def end(self, end_time: int | None = None) -> None:
        del end_time
        self.recorded.ended = True


class _Tracer:
    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def start_span(self, name: str, **given: Any) -> _Span:  # noqa: ANN401
        links = [link.context.span_id for link in given["links"]]
        self.spans.append(
            Recorded(name, len(self.spans) + 1, links, given["attributes"], given.get("start_time"))
        )
        return _Span(self.spans[-1])


@contextmanager
def _traced(patch: pytest.MonkeyPatch) -> Iterator[_Tracer]:
    tracer = _Tracer()
    patch.setattr(trace, "get_tracer", lambda *_: tracer)
    yield tracer


async def _play() -> None:
    async with hitl.connect("memory:") as store:
        shared: Any = {"store": store, "run_config": CONFIG}
        await hitl.run(SHAPES["parallel"](Log()), "go", run_id=RUN, **shared)
        await store.decide(RUN, "call_1", hitl.approve(by="ana"))
        await hitl.resume(SHAPES["parallel"](Log()), RUN, **shared)
        await store.decide(RUN, "call_2", hitl.reject(by="bo"))
        await hitl.resume(SHAPES["parallel"](Log()), RUN, **shared)


def test_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each claim is a span linked to the one it goes on from; so is each verdict, once."""
    with _traced(monkeypatch) as tracer:
        asyncio.run(_play())
    assert [(each.name, each.links, each.ended) for each in tracer.spans] == [
        ("hitl.run", [], True),
        ("hitl.resume", [1], True),
        ("hitl.decision", [1], True),
        ("hitl.resume", [2], True),
        ("hitl.decision", [2], True),
    ]
    told = [each.attributes for each in tracer.spans]
    assert {each["hitl.run_id"] for each in told} == {RUN}
    assert [each.get("hitl.status") for each in told if "hitl.status" in each] == [
        "waiting",
        "waiting",
        "finished",
    ]
    assert [(each["hitl.by"], each["hitl.approved"]) for each in told if "hitl.by" in each] == [
        ("ana", True),
        ("bo", False),
    ]
    assert all(each.start_time for each in tracer.spans if each.name == "hitl.decision")


def test_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra nothing is missing but the spans."""
    monkeypatch.setattr(telemetry, "trace", None)
    asyncio.run(_play())


def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """Every line names the run, and none quotes what a tool or a model said."""
    with caplog.at_level(logging.DEBUG, logger="hitl"):
        asyncio.run(_play())
    lines = [record.getMessage() for record in caplog.records if record.name == "hitl"]
    assert any("call call_1 of pay starts" in line for line in lines)
    assert all(line.startswith(f"run {RUN}: ") for line in lines)
    assert not any("paid" in line for line in lines)
