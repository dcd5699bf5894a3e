"""A run said over a log that is stored already: nothing is moved, and it says the same."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

import hitl
from hitl.model.rebase import rebase
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl import RunState

NAMES = corpus.names()


def _load(name: str) -> RunState:
    return hitl.loads(json.dumps(corpus.load(name)))


def _dumped(state: RunState) -> object:
    origin = state.origin
    return json.loads(hitl.dumps(state, dialect=origin.dialect, version=origin.version))


def _stored(state: RunState, seed: str) -> list[bytes]:
    """Entries of the run in another order, as far as a log can hold them so."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    log = state.log
    alone = [
        chunk
        for chunk in log.chunks
        if (item := log.codec.read(chunk).item) is not None and item.call is None
    ]
    rng.shuffle(alone)
    first = rebase(state, alone)
    return list(first.log.chunks[: rng.randint(0, len(first.log))])


@pytest.mark.parametrize("name", NAMES)
def test_says_the_same(name: str) -> None:
    """Law 1: over any log that holds some of its entries, a run dumps as it did."""
    state = _load(name)
    known = _stored(state, name)
    moved = rebase(state, known, state.agents)
    assert list(moved.log.chunks[: len(known)]) == known
    assert _dumped(moved) == _dumped(state)
    assert hitl.loads(hitl.dumps(moved)) == evolve(moved, secrets={})


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_not_stored_again(name: str) -> None:
    """A capture of what is stored already appends nothing."""
    state = _load(name)
    first = rebase(state, _stored(state, name), state.agents)
    again = rebase(state, first.log.chunks, first.agents)
    assert len(again.log) == len(first.log)
    assert rebase(again, first.log.chunks, first.agents) == again


def test_agents_keep_their_places() -> None:
    """An agent that the run no longer names keeps its position: unused entries still name it."""
    state = _load("openai-agents-python/hitl/turns_nested_deep")
    gone = hitl.model.Agent(name="gone")
    moved = rebase(state, (), (gone, *reversed(state.agents)))
    assert [each.name for each in moved.agents[1:]] == [each.name for each in state.agents][::-1]
    assert _dumped(moved) == _dumped(state)


@pytest.mark.parametrize("name", NAMES)
def test_over_another_run(name: str) -> None:
    """Whatever the log held before, the run says the same; its calls are its own."""
    other = _load(NAMES[NAMES.index(name) - 1])
    state = _load(name)
    moved = rebase(state, other.log.chunks, other.agents)
    assert moved.log.chunks[: len(other.log)] == other.log.chunks
    assert _dumped(moved) == _dumped(state)
