"""A filter of the app before each request: it decides what leaves, and nothing leaves twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from agents import RunConfig
from agents.run import CallModelData, ModelInputData

import hitl
from hitl.conversation import Place
from tests.conversation.server import called, replied, said, short
from tests.test_requests import CHAIN, CONVERSATION, RUN, YES, Stage, on_a_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.store import Store
    from tests.conversation.server import Raw

MANAGED = pytest.mark.parametrize("mode", [CHAIN, CONVERSATION], ids=["chain", "conv"])


def config(keep: Callable[[list[Any]], list[Any]]) -> RunConfig:
    """A run config whose filter gives what `keep` makes of the input."""

    def theirs(data: CallModelData[Any]) -> ModelInputData:
        return ModelInputData(keep(data.model_data.input), data.model_data.instructions)

    return RunConfig(tracing_disabled=True, call_model_input_filter=theirs)


def hide(item: Raw) -> str:
    """What a user said, without the pin."""
    return str(item["content"]).replace("1234", "*")


class TestRewritten:
    @staticmethod
    @MANAGED
    def test_edited(mode: dict[str, Any]) -> None:
        """Law 7: input that a filter edits where it stands is sent once."""

        def edit(items: list[Any]) -> list[Any]:
            for each in items:
                if each.get("role") == "user":
                    each["content"] = hide(each)
            return items

        stage = Stage(
            [called("call_1")], [called("call_2")], [called("call_3")], [replied("msg_1")]
        )

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, run_config=config(edit), **mode)
            await hitl.add_input(store, RUN, "pin 1234")
            for call in ("call_1", "call_2", "call_3"):
                await store.decide(RUN, call, YES)
                await stage.go_on(store, run_config=config(edit))

        through()
        assert stage.carried == [["go"], ["call_1", "pin *"], ["call_2"], ["call_3"]]

    @staticmethod
    @pytest.mark.parametrize("start", [{}, CHAIN, CONVERSATION], ids=["local", "chain", "conv"])
    def test_made_anew(start: dict[str, Any]) -> None:
        """Law 7: so is input in whose place it puts another, where the run has moved to."""

        def anew(items: list[Any]) -> list[Any]:
            return [{**x, "content": "GO"} if x.get("content") == "go" else x for x in items]

        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, run_config=config(anew), **start)
            for call, place in (("call_1", Place(conversation_id="other")), ("call_2", None)):
                await store.decide(RUN, call, YES)
                await stage.go_on(store, run_config=config(anew), place=place)

        through()
        assert stage.carried[1:] == [["GO", "call_1", "call_1"], ["call_2"]]


@MANAGED
def test_added(mode: dict[str, Any]) -> None:
    """A filter may say with each request what the user has said once."""
    stage = Stage([called("call_1")], [replied("msg_1")])
    again = config(lambda items: [*items, said("go")])

    @on_a_store
    async def through(store: Store) -> None:
        await stage.start(store, run_config=again, **mode)
        await store.decide(RUN, "call_1", YES)
        await stage.go_on(store, run_config=again)

    through()
    assert stage.carried == [["go", "go"], ["call_1", "go"]]


@MANAGED
@pytest.mark.parametrize("turn", [1, 2])
def test_held_back(mode: dict[str, Any], turn: int) -> None:
    """Law 7: what a filter takes out of one request goes with the next, from the first on."""
    stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])
    late = "go" if turn == 1 else "and"
    seen: list[list[Any]] = []

    def hold(items: list[Any]) -> list[Any]:
        seen.append(items)
        return [x for x in items if len(seen) != turn or x.get("content") != late]

    @on_a_store
    async def through(store: Store) -> None:
        await hitl.run(
            stage.agent,
            [said("go"), said("on")],
            store=store,
            run_id=RUN,
            run_config=config(hold),
            **mode,
        )
        await hitl.add_input(store, RUN, "and")
        for call in ("call_1", "call_2"):
            await store.decide(RUN, call, YES)
            await stage.go_on(store, run_config=config(hold))

    through()
    told = [short(each) for each in list(stage.server.responses.values())[-1]]
    assert sorted(told) == sorted(
        ["go", "on", "call_1?", "call_1!", "and", "call_2?", "call_2!", "msg_1"]
    )
