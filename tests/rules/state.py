"""What a state keeps over pauses: R-2, R-4 to R-8, R-10, R-13, R-15, R-16."""

# ruff: noqa: ANN401  (the SDK's objects)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import (
    Agent,
    CustomTool,
    MaxTurnsExceeded,
    Runner,
    ToolOutputImage,
    ToolOutputText,
    function_tool,
)

import hitl
from tests.agents import tools
from tests.agents.log import Log
from tests.conversation.api import Api, ApiModel
from tests.conversation.server import called, replied
from tests.rules.rule import rule
from tests.rules.stage import (
    BEFORE,
    CONVERSATION,
    MSG,
    QUIET,
    Recorded,
    Stage,
    look,
    pay,
    refused,
    turn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conversation.server import Raw

_OUTPUTS: dict[str, object] = {
    "call_dict": {"a": [1, None], "b": {"c": True}},
    "call_list": [1, 2.5, "x"],
    "call_int": 3,
    "call_float": 2.5,
    "call_bool": False,
    "call_none": None,
    "call_text": ToolOutputText(text="hi"),
    "call_image": ToolOutputImage(image_url="https://example.test/a.png"),
}


@rule("R-2")
async def counted(stage: Stage) -> None:
    """Each model call takes one turn, over all pauses; the limit counts them all and can grow."""
    stage.answers([pay("call_1")], [pay("call_2")], [pay("call_3")], [MSG])
    turns = [turn(await stage.run(max_turns=2))]
    await stage.approve("call_1")
    turns.append(turn(await stage.resume()))
    await stage.approve("call_2")
    await refused(MaxTurnsExceeded, stage.resume())
    await refused(MaxTurnsExceeded, stage.resume())
    assert (len(stage.api.exchanges), stage.ran) == (2, ["call_1", "call_2"])
    turns.append(turn(await stage.resume(max_turns=4)))
    turns.append(turn(await stage.finish()))
    assert turns == [1, 2, 3, 4]
    assert stage.ran == ["call_1", "call_2", "call_3"]
    stage.once("go", "call_1?", "call_1!", "call_2?", "call_2!", "call_3?", "call_3!", "msg_1")


@rule("R-4")
async def structured(stage: Stage) -> None:
    """An output keeps its type and value over a pause; the model is told what it would be live."""

    async def invoke(context: Any, _arguments: str) -> object:
        return _OUTPUTS[context.tool_call_id]

    def give() -> Any:
        given = function_tool(lambda: None, name_override="give", description_override="Give.")
        given.on_invoke_tool = invoke
        return given

    stage.tools.append(give())
    stage.answers([*(called(each, "give") for each in _OUTPUTS), pay("call_1")], [MSG])
    expected = await _live(stage)
    run = await stage.run()
    assert run.state is not None
    kept = hitl.loads(hitl.dumps(run.state)).tool_outputs
    plain = {key: value for key, value in _OUTPUTS.items() if not hasattr(value, "model_dump")}
    assert {key: kept[key] for key in plain} == plain
    assert [type(kept[key]) for key in plain] == [type(value) for value in plain.values()]
    ended = await stage.finish()
    assert ended.state is not None
    assert {key: ended.state.tool_outputs[key] for key in plain} == plain
    assert [each.parameters for each in stage.api.exchanges] == expected


@rule("R-5")
async def other_kinds(stage: Stage) -> None:
    """An approved call that is no function call runs once, and its output is sent."""
    log = Log()

    def sql(_context: Any, given: str) -> str:
        log.ran("sql", given)
        return "dropped"

    stage.tools += [
        tools.shell(log, needs_approval=True),
        tools.apply_patch(log, needs_approval=True),
        CustomTool(
            name="sql", description="SQL.", on_invoke_tool=_awaited(sql), needs_approval=True
        ),
    ]
    stage.answers(_native(), [MSG])
    await stage.run()
    for call in ("call_ap", "call_sh", "call_ct"):  # one by one
        await stage.approve(call)
        await stage.resume()
    assert sorted(each.tool for each in log.tool_runs) == ["apply_patch", "shell", "sql"]
    asked, answered = ["call_sh?", "call_ap?", "call_ct?"], ["call_ap!", "call_sh!", "call_ct!"]
    stage.once("go", *asked, *answered, "msg_1")


@rule("R-6")
async def hosted(stage: Stage) -> None:
    """Approvals of a hosted MCP server wait, and each is answered once."""
    stage.tools.append(tools.hosted_mcp("mcp", "https://example.test/mcp"))
    fields = {"server_label": "mcp", "name": "search", "arguments": "{}"}
    asks = [{"type": "mcp_approval_request", "id": f"mcpr_{n}", **fields} for n in (1, 2)]
    stage.answers(asks, [MSG])
    run = await stage.run()
    assert [each.call for each in run.interruptions] == ["mcpr_1", "mcpr_2"]
    await stage.approve("mcpr_1")
    await stage.reject("mcpr_2")
    await stage.resume()
    stage.once("go", "mcpr_1", "mcpr_2", "mcpr_1!", "mcpr_2!", "msg_1")


@rule("R-7")
async def partly(stage: Stage) -> None:
    """Decided calls finish, the others go on waiting, each once, however often it is resumed."""
    stage.answers([pay("call_1"), pay("call_2"), pay("call_3")], [MSG])
    await stage.run()
    waiting = ["call_1", "call_2", "call_3"]
    for call in ("call_2", "call_3"):
        await stage.approve(call)
        waiting.remove(call)
        for _ in range(2):
            run = await stage.resume(force=True)
            open_calls = [each.call for each in run.interruptions if each.decision is None]
            assert open_calls == waiting
    assert len(stage.api.exchanges) == 1
    await stage.finish()
    assert stage.ran == ["call_2", "call_3", "call_1"]
    asked, answered = ["call_1?", "call_2?", "call_3?"], ["call_2!", "call_3!", "call_1!"]
    stage.once("go", *asked, *answered, "msg_1")


@rule("R-8")
async def once_only(stage: Stage) -> None:
    """A call with an output in the state does not run again, and gets no second output."""
    log = Log()
    stage.tools += [tools.shell(log), tools.apply_patch(log)]
    native = [each for each in _native() if each["type"] != "custom_tool_call"]
    stage.answers([look("call_1"), *native, pay("call_2")], [MSG])
    await stage.run()
    for _ in range(3):
        await stage.resume(force=True)
    run = await stage.finish()
    assert stage.ran == ["call_1", "call_2"]
    assert sorted(each.tool for each in log.tool_runs) == ["apply_patch", "shell"]
    assert run.state is not None
    outputs = [each.call_id for each in run.state.items if each.kind == "tool_output"]
    assert sorted(map(str, outputs)) == ["call_1", "call_2", "call_ap", "call_sh"]
    assert sorted(stage.told[-5:-1]) == ["call_1!", "call_2!", "call_ap!", "call_sh!"]


@rule("R-10")
async def merged(stage: Stage) -> None:
    """What a pause has added to the history is not added again by a save or a resume."""
    stage.answers([replied("msg_0"), look("call_1"), pay("call_2")], [pay("call_3")], [MSG])
    run = await stage.run()
    for _ in range(2):
        assert run.state is not None
        before = _told(run.state)
        run = await stage.resume(force=True)
        assert run.state is not None
        assert _told(run.state) == before
    await stage.finish()
    whole = ["msg_0", "call_1?", "call_2?", "call_1!", "call_2!", "call_3?", "call_3!", "msg_1"]
    stage.once("go", *whole)


@rule("R-13")
async def like_live(stage: Stage) -> None:
    """Restored items are sent as live ones would be, and approval requests never."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    turns = [thought, replied("msg_0"), look("call_1"), pay("call_2")], [pay("call_3")], [MSG]
    stage.answers(*turns)
    expected = await _live(stage)
    await stage.run()
    await stage.finish()
    assert [each.parameters for each in stage.api.exchanges] == expected
    kinds = {item["type"] for each in expected for item in each["input"]}
    assert kinds <= {"message", "reasoning", "function_call", "function_call_output"}


@rule("R-15")
async def limit(stage: Stage) -> None:
    """The limit a run was started with holds over every pause; a lower one changes nothing."""
    stage.answers(*([pay(f"call_{n}")] for n in range(1, 6)), [MSG])
    run = await stage.run(max_turns=4)
    for number in range(1, 4):
        assert run.state is not None
        assert (run.state.turn.current, run.state.turn.max) == (number, 4)
        await stage.approve(f"call_{number}")
        run = await stage.resume(max_turns=2)
    await stage.approve("call_4")
    await refused(MaxTurnsExceeded, stage.resume())
    assert len(stage.api.exchanges) == 4


@rule("R-16")
async def nested(stage: Stage) -> None:
    """A run inside a tool waits, is decided and goes on; two calls of one agent stay apart."""

    def inside(history: list[Raw]) -> Sequence[Raw]:
        text = history[0]["content"]
        return [pay(f"call_{text}") if len(history) == 1 else replied(f"msg_{text}")]

    inner = Api(inside)

    def build() -> Agent[Any]:
        clerk = Agent(name="clerk", model=ApiModel(inner), tools=stage.agent_tools())
        ask = clerk.as_tool("ask", "Ask.")
        return Agent(name="ops", model=ApiModel(stage.api), tools=[ask])

    stage.built = build
    asks = [called(f"call_{n}", "ask", f'{{"input": "{n}"}}') for n in ("a", "b")]
    stage.answers(
        [
            {**each, "id": f"fc_o{n}", "call_id": f"o{n}"}
            for n, each in zip("ab", asks, strict=True)
        ],
        [MSG],
    )
    run = await stage.run()
    assert [each.call for each in run.interruptions] == ["oa/call_a", "ob/call_b"]
    await stage.approve("oa/call_a")
    await stage.reject("ob/call_b")
    run = await stage.resume()
    assert (run.status, stage.ran) == ("finished", ["call_a"])
    assert len(inner.exchanges) == 4
    stage.once("go", "oa?", "ob?", "oa!", "ob!", "msg_1")


def _told(state: hitl.RunState) -> list[object]:
    """The entries that are more than a mark of what waits."""
    return [each.raw for each in state.items if each.kind != "approval"]


def _awaited(run: Any) -> Any:
    async def invoke(context: Any, given: str) -> object:
        return run(context, given)

    return invoke


def _native() -> list[Raw]:
    shell = {"commands": ["ls"], "timeout_ms": 1000}
    patch = {"type": "update_file", "path": "a.py", "diff": "-a\n+b\n"}
    done = {"status": "completed"}
    return [
        {"type": "shell_call", "id": "sh_1", "call_id": "call_sh", **done, "action": shell},
        {
            "type": "apply_patch_call",
            "id": "ap_1",
            "call_id": "call_ap",
            **done,
            "operation": patch,
        },
        {
            "type": "custom_tool_call",
            "id": "ct_1",
            "call_id": "call_ct",
            "name": "sql",
            "input": "x",
        },
    ]


async def _live(stage: Stage) -> list[Raw]:
    """What plain openai-agents sends when the same run never leaves its process."""
    twin = Stage(stage.mode, streamed=stage.streamed)
    twin.api.answer, twin.tools = stage.api.answer, [*stage.tools]
    options: dict[str, Any] = {"run_config": QUIET, "session": Recorded() if twin.session else None}
    if twin.mode == "conversation":
        options["conversation_id"] = CONVERSATION
    elif twin.mode == "chain":
        options["previous_response_id"] = BEFORE
    agent = twin.agent()
    given: Any = "go"
    while True:
        result = await Runner.run(agent, given, **options)
        if not result.interruptions:
            return [each.parameters for each in twin.api.exchanges]
        given = result.to_state()
        for item in given.get_interruptions():
            given.approve(item)
