"""States with tools of every kind, waiting or done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
from agents import (
    Agent,
    AsyncComputer,
    Button,
    CodeInterpreterTool,
    ComputerTool,
    CustomTool,
    Environment,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    ProgrammaticToolCallingTool,
    ToolSearchTool,
    WebSearchTool,
    tool_namespace,
)
from agents.tool_context import ToolContext  # noqa: TC002  (the SDK reads annotations at run time)
from mcp.types import Tool

from tests.agents import tools
from tests.agents.model import ScriptedModel, call
from tests.agents.oracle import always_approve, always_reject, approve
from tests.agents.scenario import Scenario
from tests.agents.take import Take, decided, pause, resumed

if TYPE_CHECKING:
    from agents import (
        LocalShellCommandRequest,
        MCPToolApprovalFunctionResult,
        MCPToolApprovalRequest,
    )

    from tests.agents.log import Log
    from tests.agents.model import Step

_LAST = None
_DELETE = call("delete_file", {"path": "/p"}, "call_d")


_PROGRAM_OUTPUT: dict[str, object] = {
    "type": "program_output",
    "id": "progo_1",
    "call_id": "call_prog",
    "result": '{"ok": true}',
    "status": "completed",
}


class _Screen(AsyncComputer):
    """A computer that notes what is done to it."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @property
    def environment(self) -> Environment:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return (80, 60)

    async def screenshot(self) -> str:
        self._log.ran("computer", ["screenshot"])
        return "UE5H"

    async def click(self, x: int, y: int, button: Button) -> None:
        self._log.ran("computer", ["click", x, y, button])

    async def double_click(self, x: int, y: int) -> None:
        self._log.ran("computer", ["double_click", x, y])

    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        self._log.ran("computer", ["scroll", x, y, scroll_x, scroll_y])

    async def type(self, text: str) -> None:
        self._log.ran("computer", ["type", text])

    async def wait(self) -> None:
        self._log.ran("computer", ["wait"])

    async def move(self, x: int, y: int) -> None:
        self._log.ran("computer", ["move", x, y])

    async def keypress(self, keys: list[str]) -> None:
        self._log.ran("computer", ["keypress", keys])

    async def drag(self, path: list[tuple[int, int]]) -> None:
        self._log.ran("computer", ["drag", path])


def _computer(log: Log) -> Agent[Any]:
    step: Step = [
        {
            "type": "computer_call",
            "id": "cu_1",
            "call_id": "call_cu",
            "status": "completed",
            "action": {"type": "click", "button": "left", "x": 1, "y": 2},
            "pending_safety_checks": [{"id": "sc_1", "code": "odd", "message": "looks odd"}],
        },
        _DELETE,
    ]
    screen = ComputerTool(
        computer=_Screen(log),
        on_safety_check=lambda _: True,
        custom_data_extractor=lambda _: {"page": 7},
    )
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, _LAST], log),
        tools=[screen, tools.delete_file(log)],
    )


def _local_shell(log: Log) -> Agent[Any]:
    def run(request: LocalShellCommandRequest) -> str:
        log.ran("local_shell", request.data.action.command, request.data.call_id)
        return "listed"

    action = {
        "type": "exec",
        "command": ["ls", "-l"],
        "env": {"A": "b"},
        "timeout_ms": 5,
        "user": "me",
        "working_directory": "/w",
    }
    step: Step = [
        {
            "type": "local_shell_call",
            "id": "ls_1",
            "call_id": "call_ls",
            "status": "completed",
            "action": action,
        },
        _DELETE,
    ]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, _LAST], log),
        tools=[LocalShellTool(executor=run), tools.delete_file(log)],
    )


def _native_then_more(log: Log) -> Agent[Any]:
    """Shell, patch and custom tool with custom data, each twice: decided first, then again."""

    def query(context: ToolContext[Any], text: str) -> str:
        log.ran("query", text, context.tool_call_id)
        return f"rows of {text}"

    def step(number: int) -> Step:
        return [
            {
                "type": "shell_call",
                "id": f"sh_{number}",
                "call_id": f"call_sh{number}",
                "status": "completed",
                "action": {"commands": ["ls", "pwd"], "timeout_ms": 5, "max_output_length": 9},
            },
            {
                "type": "apply_patch_call",
                "id": f"ap_{number}",
                "call_id": f"call_ap{number}",
                "status": "completed",
                "operation": {"type": "create_file", "path": f"{number}.py", "diff": "+a\n"},
            },
            {
                "type": "custom_tool_call",
                "id": f"ct_{number}",
                "call_id": f"call_ct{number}",
                "name": "query",
                "input": "SELECT 'é'",
            },
        ]

    custom = CustomTool(
        name="query",
        description="run a query",
        on_invoke_tool=query,
        needs_approval=True,
        custom_data_extractor=lambda _: {"cost": 0.5},
    )
    patch = tools.apply_patch(log, needs_approval=True, custom_data_extractor=lambda _: {"n": 1})
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step(1), step(2), _LAST], log),
        tools=[tools.shell(log, needs_approval=True), patch, custom],
    )


def _tool_search(log: Log) -> Agent[Any]:
    """Tools found by search: one in a namespace, one deferred, one bare of the same name."""
    account = tools.function(
        log, "close", {"id": tools.TEXT}, lambda given: f"closed {given['id']}", needs_approval=True
    )
    ticket = tools.function(
        log, "close_ticket", {}, lambda _: "ticket", needs_approval=True, defer_loading=True
    )
    bare = tools.function(log, "close", {}, lambda _: "bare", needs_approval=True)
    found = {"type": "function", "strict": True, "parameters": {"type": "object", "properties": {}}}
    step: Step = [
        {
            "type": "tool_search_call",
            "id": "tsc_1",
            "call_id": "call_ts",
            "arguments": {"paths": ["crm"]},
            "execution": "server",
            "status": "completed",
        },
        {
            "type": "tool_search_output",
            "id": "tso_1",
            "call_id": "call_ts",
            "execution": "server",
            "status": "completed",
            "tools": [
                {
                    "type": "namespace",
                    "name": "crm",
                    "description": "customers",
                    "tools": [found | {"name": "close", "defer_loading": True}],
                },
                found | {"name": "close_ticket", "defer_loading": True},
            ],
        },
        call("close", {"id": "7"}, "call_ns", namespace="crm"),
        call("close_ticket", {}, "call_deferred", namespace="close_ticket"),
        call("close", {}, "call_bare"),
    ]
    again: Step = [call("close", {"id": "8"}, "call_ns2", namespace="crm")]
    crm = tool_namespace(name="crm", description="customers", tools=[account])
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, again, _LAST], log),
        tools=[*crm, ticket, bare, ToolSearchTool(description="find tools")],
    )


class _Weather(pydantic.BaseModel):
    city: str
    degrees: float = 1.5
    wind: list[int] = [3, 4]


def _programmatic(log: Log) -> Agent[Any]:
    """A program calls tools: one ran, one waits; the program's own output comes later."""
    done = [_PROGRAM_OUTPUT, call("weather", {"city": "Rome"}, "call_w2")]
    return _programmer(log, [done, [call("delete_file", {"path": "/q"}, "call_e")]])


def _programmatic_stuck(log: Log) -> Agent[Any]:
    """The program's output and a call that waits are one response; openai-agents cannot go on."""
    return _programmer(log, [[_PROGRAM_OUTPUT, call("delete_file", {"path": "/q"}, "call_e")]])


def _programmer(log: Log, later: list[Step]) -> Agent[Any]:
    caller = {"type": "program", "caller_id": "call_prog"}
    weather = tools.function(
        log,
        "weather",
        {"city": tools.TEXT},
        lambda given: _Weather(city=given["city"]),
        allowed_callers=["direct", "programmatic"],
    )
    remove = tools.delete_file(log, allowed_callers=["programmatic", "direct"])
    first: Step = [
        {
            "type": "program",
            "id": "prog_1",
            "call_id": "call_prog",
            "code": "await weather({city: 'Oslo'})",
            "fingerprint": "fp_1",
        },
        call("weather", {"city": "Oslo"}, "call_w", caller=caller),
        call("delete_file", {"path": "/p"}, "call_d", caller=caller),
    ]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [first, *later, _LAST], log),
        tools=[weather, remove, ProgrammaticToolCallingTool()],
    )


def _all_hosted(log: Log) -> Agent[Any]:
    """Every hosted tool on the agent; one call beside them waits."""
    steps: list[Step] = [
        [
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "ENC=="},
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "open_page", "url": "https://x"},
            },
            {
                "type": "code_interpreter_call",
                "id": "ci_1",
                "status": "completed",
                "code": None,
                "container_id": "c1",
                "outputs": [{"type": "image", "url": "https://x/i.png"}],
            },
            _DELETE,
        ],
        _LAST,
    ]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", steps, log),
        tools=[
            FileSearchTool(vector_store_ids=["vs_1"], include_search_results=True),
            WebSearchTool(),
            CodeInterpreterTool(
                tool_config={"type": "code_interpreter", "container": {"type": "auto"}}
            ),
            ImageGenerationTool(tool_config={"type": "image_generation"}),
            tools.delete_file(log),
        ],
    )


def _request(number: int, name: str, label: str = "vault") -> dict[str, object]:
    return {
        "type": "mcp_approval_request",
        "id": f"mcpr_{number}",
        "name": name,
        "arguments": '{"q": "x"}',
        "server_label": label,
    }


def _hosted_mcp(log: Log) -> Agent[Any]:
    """A server with secrets asks three times, a second one decides by itself."""

    def answer(request: MCPToolApprovalRequest) -> MCPToolApprovalFunctionResult:
        log.ran("on_approval_request", request.data.name)
        return {"approve": False, "reason": "never on Fridays"}

    secret = HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": "vault",
            "server_url": "https://mcp.example/vault",
            "require_approval": {"always": {"tool_names": ["read", "write"]}},
            "authorization": "Bearer mcp-secret",
            "headers": {"X-Api-Key": "mcp-secret-key"},
            "allowed_tools": ["read", "write"],
        }
    )
    other = HostedMCPTool(
        tool_config={"type": "mcp", "server_label": "auto", "server_url": "https://mcp.example/a"},
        on_approval_request=answer,
    )
    steps: list[Step] = [
        [_request(1, "read"), _request(2, "write"), _request(3, "read", "auto")],
        [_request(4, "read"), _request(5, "write")],
        _LAST,
    ]
    return Agent(name="ops", model=ScriptedModel("ops", steps, log), tools=[secret, other])


def _local_mcp(log: Log) -> Agent[Any]:
    """Two servers in this process, a titled tool on each, both waiting."""
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    servers = [
        tools.LocalMcp(
            log,
            name,
            Tool(
                name=f"{name}_find", title=f"Find in {name}", description="d", input_schema=schema
            ),
            lambda given: f"found {given['q']}",
            require_approval="always",
        )
        for name in ("first", "second")
    ]
    step = [call("first_find", {"q": "a"}, "call_1"), call("second_find", {"q": "b"}, "call_2")]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, [call("first_find", {"q": "c"}, "call_3")], _LAST], log),
        mcp_servers=[*servers],
    )


TAKES = {
    "kinds_computer": Take(scenario=Scenario(cast=_computer), play=pause()),
    "kinds_local_shell": Take(scenario=Scenario(cast=_local_shell), play=pause()),
    "kinds_native": Take(scenario=Scenario(cast=_native_then_more), play=pause(streamed=True)),
    "kinds_native_again": Take(
        scenario=Scenario(cast=_native_then_more),
        play=pause(),
        then=[decided(approve, "call_sh1", "call_ap1", "call_ct1"), resumed()],
    ),
    "kinds_native_sticky": Take(
        scenario=Scenario(
            cast=_native_then_more, decided=frozenset({"call_sh1", "call_ap1", "call_ct1"})
        ),
        play=pause(),
        then=[decided(always_approve, "call_sh1", "call_ct1"), decided(always_reject, "call_ap1")],
    ),
    "kinds_tool_search": Take(scenario=Scenario(cast=_tool_search), play=pause()),
    "kinds_tool_search_sticky": Take(
        scenario=Scenario(cast=_tool_search, decided=frozenset({"call_ns", "call_deferred"})),
        play=pause(),
        then=[decided(always_approve, "call_ns"), decided(always_reject, "call_deferred")],
    ),
    "kinds_programmatic": Take(scenario=Scenario(cast=_programmatic), play=pause()),
    "kinds_programmatic_done": Take(
        scenario=Scenario(cast=_programmatic),
        play=pause(),
        then=[decided(approve, "call_d"), resumed()],
    ),
    "kinds_programmatic_stuck": Take(
        scenario=Scenario(cast=_programmatic_stuck, refusal="ModelBehaviorError"),
        play=pause(),
        then=[decided(approve, "call_d"), resumed()],
    ),
    "kinds_hosted": Take(scenario=Scenario(cast=_all_hosted), play=pause()),
    "kinds_hosted_mcp": Take(scenario=Scenario(cast=_hosted_mcp), play=pause()),
    "kinds_hosted_mcp_sticky": Take(
        scenario=Scenario(cast=_hosted_mcp, decided=frozenset({"mcpr_1", "mcpr_2"})),
        play=pause(),
        then=[
            decided(always_approve, "mcpr_1"),
            decided(always_reject, "mcpr_2"),
        ],
    ),
    "kinds_local_mcp": Take(scenario=Scenario(cast=_local_mcp), play=pause()),
    "kinds_local_mcp_again": Take(
        scenario=Scenario(cast=_local_mcp),
        play=pause(),
        then=[decided(approve, "call_1", "call_2"), resumed()],
    ),
}
