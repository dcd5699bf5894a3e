"""States around guardrails: every kind passed or tripped, held writes, runs that must not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunConfig,
    RunHooks,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    UserError,
)

from tests.agents import tools
from tests.agents.model import ScriptedModel, call
from tests.agents.oracle import approve
from tests.agents.scenario import Cast, Scenario
from tests.agents.scenarios.hitl.turns import Stopped, session_fails
from tests.agents.take import Take, broken_off, decided, pause, resumed, streamed_failure

if TYPE_CHECKING:
    from agents import RunContextWrapper, ToolInputGuardrailData, ToolOutputGuardrailData

    from tests.agents.log import Log

_LAST = None
_INFO = {"score": 0.1, "rules": [1, None, {"$": "tag"}], "huge": 10**30}


def _trips(given: object) -> bool:
    return "trip" in str(given)


def _input_check(
    _context: RunContextWrapper[Any], _agent: Agent[Any], given: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=_INFO, tripwire_triggered=_trips(given))


def _input_check_beside(
    _context: RunContextWrapper[Any], _agent: Agent[Any], _given: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=("tuple", 1), tripwire_triggered=False)


def _output_check(
    _context: RunContextWrapper[Any], _agent: Agent[Any], output: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info={"of": str(output)}, tripwire_triggered=False)


def _output_trip(
    _context: RunContextWrapper[Any], _agent: Agent[Any], output: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info={"of": str(output)}, tripwire_triggered=True)


def _arguments_check(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    info = {"arguments": data.context.tool_arguments, **_INFO}
    return ToolGuardrailFunctionOutput.allow(output_info=info)


def _arguments_refused(_data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.reject_content("not these", output_info=_INFO)


def _result_check(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow(output_info={"of": str(data.output), **_INFO})


def _guarded(
    *,
    behavior: Literal["run_llm_again", "stop_on_first_tool"] = "run_llm_again",
    trips: bool = False,
) -> Cast:
    """All four kinds: a tool that passes them, one whose arguments are refused, one that waits."""

    def cast(log: Log) -> Agent[Any]:
        passes: list[ToolInputGuardrail[Any]] = [
            ToolInputGuardrail(guardrail_function=_arguments_check, name="arguments")
        ]
        after: list[ToolOutputGuardrail[Any]] = [
            ToolOutputGuardrail(guardrail_function=_result_check, name="result")
        ]
        refuses: list[ToolInputGuardrail[Any]] = [
            ToolInputGuardrail(guardrail_function=_arguments_refused, name="refusing")
        ]
        look = tools.stat_file(log)
        look.tool_input_guardrails, look.tool_output_guardrails = [*passes], [*after]
        refused = tools.function(log, "refused", {}, lambda _: "never")
        refused.tool_input_guardrails = [*refuses]
        delete = tools.delete_file(log)
        delete.tool_input_guardrails, delete.tool_output_guardrails = [*passes], [*after]
        step = [
            call("stat_file", {"path": "/x"}, "call_s"),
            call("refused", {}, "call_r"),
            call("delete_file", {"path": "/p"}, "call_1"),
            call("delete_file", {"path": "/q"}, "call_2"),
        ]
        return Agent(
            name="guarded",
            model=ScriptedModel("guarded", [step, _LAST], log),
            tools=[look, refused, delete],
            tool_use_behavior=behavior,
            input_guardrails=[
                InputGuardrail(
                    guardrail_function=_input_check, name="first", run_in_parallel=False
                ),
                InputGuardrail(guardrail_function=_input_check_beside, name="beside"),
            ],
            output_guardrails=[
                OutputGuardrail(
                    guardrail_function=_output_trip if trips else _output_check, name="last"
                )
            ],
        )

    return cast


def _stopping(log: Log) -> Agent[Any]:
    """Deleting ends the run, looking does not; both wait."""
    look = tools.function(log, "look", {}, lambda _: {"seen": 1}, needs_approval=True)
    first = [call("look", {}, "call_s")]
    second = [call("look", {}, "call_t"), call("delete_file", {"path": "/p"}, "call_1")]
    return Agent(
        name="stopping",
        model=ScriptedModel("stopping", [first, second, _LAST], log),
        tools=[look, tools.delete_file(log)],
        tool_use_behavior={"stop_at_tool_names": ["delete_file"]},
        output_guardrails=[OutputGuardrail(guardrail_function=_output_check, name="last")],
    )


_OMITTING = RunConfig(tracing_disabled=True, reasoning_item_id_policy="omit")


class _StopAfterTool(RunHooks[Any]):
    async def on_tool_end(self, *_: object) -> None:
        raise Stopped


TAKES = {
    "guards_passed": Take(scenario=Scenario(cast=_guarded()), play=pause()),
    "guards_passed_session": Take(
        scenario=Scenario(cast=_guarded(), session_id="s1"), play=pause(streamed=True)
    ),
    "guards_half_run": Take(
        scenario=Scenario(cast=_guarded()),
        play=pause(),
        then=[decided(approve, "call_1"), resumed()],
    ),
    "guards_held_write": Take(
        scenario=Scenario(cast=_guarded(behavior="stop_on_first_tool"), session_id="s1"),
        play=pause(),
    ),
    "guards_held_write_again": Take(
        scenario=Scenario(cast=_guarded(behavior="stop_on_first_tool"), session_id="s1"),
        play=pause(),
        then=[decided(approve, "call_1"), resumed()],
    ),
    "guards_held_write_later": Take(
        scenario=Scenario(
            cast=_guarded(behavior="stop_on_first_tool"),
            session_id="s1",
            options={"run_config": _OMITTING},
        ),
        play=pause(),
        then=[decided(approve, "call_2"), resumed()],
    ),
    "guards_held_write_detached": Take(
        scenario=Scenario(cast=_stopping, session_id="s1"),
        play=pause(),
        then=[decided(approve, "call_s"), resumed(session=None)],
    ),
    "guards_tool_end_stopped": Take(
        scenario=Scenario(cast=_guarded(), decided=frozenset({"call_1"})),
        play=pause(),
        then=[decided(approve, "call_1"), broken_off(UserError, hooks=_StopAfterTool())],
    ),
    "guards_output_tripped": Take(
        scenario=Scenario(cast=_guarded(trips=True), refusal="OutputGuardrailTripwireTriggered"),
        play=pause(),
        then=[decided(approve, "call_1", "call_2"), broken_off(Exception)],
    ),
    "guards_input_tripped": Take(
        scenario=Scenario(cast=_guarded()), play=streamed_failure("trip over this")
    ),
    "guards_final_write_failed": Take(
        scenario=Scenario(
            cast=_guarded(behavior="stop_on_first_tool"), session_id="s1", refusal="UserError"
        ),
        play=pause(),
        then=[decided(approve, "call_1", "call_2"), session_fails()],
    ),
    "guards_finished": Take(
        scenario=Scenario(cast=_guarded(), finished=True),
        play=pause(),
        then=[decided(approve, "call_1", "call_2"), resumed()],
    ),
}
