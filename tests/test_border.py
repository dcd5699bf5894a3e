"""Hints: what a person knows of the other side, and what is refused until it is said."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, Handoff
from click.testing import CliRunner

import hitl
from hitl.cli import main
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import LossError
from tests.agents import SCENARIOS, corpus
from tests.agents.cycle import go
from tests.hints import HINTS, stopping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hitl.revision import Loss

FOLDERS = {JS.name: "cross/py-0.24.0", PYTHON.name: "cross/js-0.20.0"}
KNOWN = {f"{definition}-{target}": (definition, target) for definition, target in HINTS}


def text(definition: str, target: str, *replaced: tuple[str, str]) -> str:
    """A recorded state of the other SDK than `target`, with some words replaced."""
    found = corpus.read(f"{FOLDERS[target]}/{definition}").decode()
    for old, new in replaced:
        assert old in found
        found = found.replace(old, new)
    return found


def crossed(given: str, target: str, **hints: Mapping[str, str]) -> Any:  # noqa: ANN401  (JSON)
    """What a state is for the other SDK."""
    state = hitl.loads(given)
    return json.loads(hitl.dumps(state, dialect=target, allow_loss=True, **hints))  # type: ignore[arg-type]


def refused(given: str, target: str, **hints: Mapping[str, str]) -> list[Loss]:
    """Why a state does not go over."""
    with pytest.raises(LossError) as caught:
        crossed(given, target, **hints)
    return stopping(caught.value)


class TestHandoffNames:
    @pytest.mark.parametrize("name", ["Mailer", "mail bot", "Mail-Bot 2", "träger", "a😀b", "A_b"])
    def test_python(self, name: str) -> None:
        """The name of a handoff is the one the Python SDK gives."""
        assert PYTHON.handoff_name(name) == Handoff.default_tool_name(Agent(name=name))

    @pytest.mark.parametrize(
        ("name", "expected"), [("Mail Bot-2", "Mail_Bot_2"), ("a😀b", "a__b"), ("é", "_")]
    )
    def test_javascript(self, name: str, expected: str) -> None:
        """The JavaScript SDK keeps the case, and replaces each unit of UTF-16."""
        assert JS.handoff_name(name) == f"transfer_to_{expected}"


class TestPendingHandoff:
    TO_JS: Mapping[str, Any] = HINTS["handoff_pending", JS.name]

    def test_target(self) -> None:
        """Trap 9: where it goes is not in a state of Python; JavaScript does not resume without."""
        (loss,) = refused(text("handoff_pending", JS.name), JS.name)
        assert loss.path == "/processed/calls/1"
        assert loss.hint is not None
        assert loss.hint.startswith("handoff_targets={'transfer_to_mailer'")

    def test_name(self) -> None:
        """Trap 8: the name that an SDK made of the agent's is another one in the other SDK."""
        given = text("handoff_pending", JS.name)
        targets = self.TO_JS["handoff_targets"]
        (loss,) = refused(given, JS.name, handoff_targets=targets)
        assert loss.hint is not None
        assert loss.hint.startswith("rename={'transfer_to_mailer': 'transfer_to_Mailer'}")
        (loss,) = refused(text("handoff_pending", PYTHON.name), PYTHON.name)
        assert loss.path == "/processed/calls/1"
        assert loss.hint is not None
        assert loss.hint.startswith("rename={'transfer_to_Mailer': 'transfer_to_mailer'}")

    def test_every_copy_is_renamed(self) -> None:
        """The call, its items, the response and the target: nothing says the old name any more."""
        there = crossed(text("handoff_pending", JS.name), JS.name, **self.TO_JS)
        del there["toolUseTracker"], there["lastProcessedResponse"]["toolsUsed"]  # what was used
        assert "transfer_to_mailer" not in json.dumps(there)
        (pending,) = there["lastProcessedResponse"]["handoffs"]
        assert pending["targetAgent"] == {"name": "Mailer"}
        back = crossed(json.dumps(there), PYTHON.name, **HINTS["handoff_pending", PYTHON.name])
        assert "transfer_to_Mailer" not in json.dumps(back)
        given = json.loads(text("handoff_pending", JS.name))
        assert back["context"]["tool_invocations"] == given["context"]["tool_invocations"]

    @pytest.mark.parametrize("target", [JS.name, PYTHON.name])
    def test_a_name_of_the_app(self, target: str) -> None:
        """A name that the app gave is the same on both sides, like the name of a tool."""
        name = {JS.name: "transfer_to_mailer", PYTHON.name: "transfer_to_Mailer"}[target]
        given = text("handoff_pending", target, (name, "mail_it"))
        crossed(given, target, handoff_targets={"mail_it": "Mailer"})

    def test_an_agent_of_another_name(self) -> None:
        """The name is made of what the agent is called there."""
        given = text("handoff_pending", PYTHON.name)
        names = {"Mailer": "Mail bot"}
        (loss,) = refused(given, PYTHON.name, agent_map=names)
        assert loss.hint is not None
        assert "'transfer_to_mail_bot'" in loss.hint
        there = text("handoff_pending", JS.name)
        targets = {"transfer_to_mailer": "Postman"}
        (loss,) = refused(there, JS.name, handoff_targets=targets, agent_map={"mailer": "Postman"})
        assert loss.hint is not None
        assert "'transfer_to_Postman'" in loss.hint


class TestAgents:
    def test_unique_there(self) -> None:
        """Agents of one name may have names of their own on the other side."""
        there = crossed(text("dup_names", JS.name), JS.name, agent_map={"Worker#2": "Second"})
        assert there["currentAgent"] == {"name": "Second"}
        assert "Worker#2" not in json.dumps(there)

    def test_the_first_of_them(self) -> None:
        """Where the second is known, the first is not taken for granted."""
        both = text("dup_names", JS.name, ('"Triage"', '"Worker"'))
        losses = refused(both, JS.name, agent_map={"Worker#2": "Worker#2"})
        assert [each.path for each in losses] == ["/agents/0/name"]
        names = {"Worker": "Worker#2", "Worker#2": "Worker"}
        assert crossed(both, JS.name, agent_map=names)["currentAgent"] == {"name": "Worker"}

    def test_never_one_of_two(self) -> None:
        """Two agents do not become one: each would have the other's decisions."""
        names = {"Worker#2": "Mailer", "Triage": "Mailer"}
        losses = refused(text("dup_names", JS.name), JS.name, agent_map=names)
        assert [each.path for each in losses] == ["/agents/1"]

    def test_restore(self) -> None:
        """`restore` takes the same word for it, and the right agent goes on."""
        state = hitl.loads(text("dup_names", PYTHON.name)).approve("call_1")
        stage = SCENARIOS["cross/py-0.24.0/dup_names"].stage()
        live = asyncio.run(
            hitl.restore(stage.agent, state, agents={"Worker#2": "Worker#2"}, allow_loss=True)
        )
        result = asyncio.run(go(stage.agent, live))
        assert result.last_agent.instructions == "second"
        assert [each.tool for each in stage.log.tool_runs] == ["send_email"]


class TestSessionWrite:
    NAME = "openai-agents-python/hitl/turns_session_unsettled"

    def test_settled_at_home(self) -> None:
        """An unsettled write stays with its SDK, which settles it once and finishes the run."""
        state = hitl.loads(corpus.read(self.NAME))
        with pytest.raises(LossError) as caught:
            hitl.dumps(state, dialect=JS.name, allow_loss=True)
        (loss,) = [each for each in stopping(caught.value) if each.path == "/session_write"]
        assert str(loss.hint).startswith("resume it once in the SDK that wrote it")
        stage = SCENARIOS[self.NAME].stage()

        async def resume() -> Any:  # noqa: ANN401  (of Runner)
            live = await hitl.restore(stage.agent, state)
            return await go(stage.agent, live, session=stage.memory, **stage.options)

        result = asyncio.run(resume())
        assert result.final_output is not None
        assert hitl.capture(result).session_write is None


class TestRename:
    def test_a_tool(self) -> None:
        """A waiting tool goes under its name there, with the decision for good on it."""
        state = hitl.loads(text("plain", JS.name)).approve("call_1", always=True)
        names = {"send_email": "sendEmail"}
        data = hitl.dumps(state, dialect=JS.name, allow_loss=True, rename=names)
        there = hitl.loads(data)
        assert b'"send_email"' not in data.replace(b'["send_email"]', b"")
        (waiting,) = there.interruptions
        assert waiting.tool_name == "sendEmail"
        assert waiting.decision is not None
        assert waiting.decision.always

    def test_never_one_of_two(self) -> None:
        """Two tools do not become one: what was said of each would hold for the other."""
        state = hitl.loads(text("parallel", JS.name))
        for call in ("call_1", "call_3"):
            state = state.approve(call)
        given = hitl.dumps(state, dialect=PYTHON.name).decode()
        names = {"send_email": "act", "delete_file": "act"}
        losses = refused(given, JS.name, rename=names)
        assert [each.path for each in losses] == ["/grants/1"]

    @pytest.mark.parametrize("target", FOLDERS)
    @pytest.mark.parametrize("recorded", [False, True], ids=["decided", "recorded"])
    def test_for_good(self, target: str, recorded: bool) -> None:  # noqa: FBT001
        """What is for good on one tool is not for a call of another that gets the same name."""
        given = text("parallel.always" if recorded else "parallel", target)
        if not recorded:
            given = hitl.dumps(hitl.loads(given).approve("call_1", always=True)).decode()
        losses = refused(given, target, rename={"send_email": "delete_file"})
        assert [each.path for each in losses] == ["/grants/0" if recorded else "/decisions/call_1"]
        crossed(given, target, rename={"send_email": "other"})

    def test_at_home(self) -> None:
        """A state that stays with its SDK, or goes to native form, is not changed by hints."""
        state = hitl.loads(text("plain", JS.name))
        for dialect in (PYTHON.name, "native"):
            data = hitl.dumps(state, dialect=dialect, rename={"send_email": "other"})
            assert data == hitl.dumps(state, dialect=dialect)


CROSS = sorted(
    name.rpartition("/")[2] for name in corpus.javascript() if name.startswith("cross/js-0.20.0/")
)
# What ran keeps its name, which each SDK makes of the agent's.
NAMED_BY_THE_SDK = "handoff_default"


class TestRecords:
    """What each call was, as one SDK records it, is what hitl computes from the other's state."""

    @staticmethod
    def _known(name: str, target: str) -> Any:  # noqa: ANN401  (hints)
        return HINTS.get((name.partition(".")[0], target), {})

    @pytest.mark.parametrize("name", CROSS)
    def test_python(self, name: str) -> None:
        """Digests of all calls, done and waiting, of every tool: the Python SDK's own."""
        if name == NAMED_BY_THE_SDK:
            return
        there = crossed(text(name, PYTHON.name), PYTHON.name, **self._known(name, PYTHON.name))
        native = json.loads(text(name, JS.name))
        for mine, theirs in ((there, native), *zip(inside(there), inside(native), strict=True)):
            records = theirs["context"]["tool_invocations"]
            assert mine["context"]["tool_invocations"] == records
            assert records

    @pytest.mark.parametrize("name", CROSS)
    def test_javascript(self, name: str) -> None:
        """Records of the calls that are done, and where they stand: the JavaScript SDK's own."""
        if name == NAMED_BY_THE_SDK:
            return
        there = crossed(text(name, JS.name), JS.name, **self._known(name, JS.name))
        native = json.loads(text(name, PYTHON.name))
        for key in ("completedToolInvocations", "completedToolInvocationEvidence"):
            assert there[key] == native[key]


def inside(document: Any) -> list[Any]:  # noqa: ANN401  (JSON)
    """The runs directly inside a state of Python."""
    calls = document["last_processed_response"]["functions"]
    return [each["agent_run_state"] for each in calls if "agent_run_state" in each]


class TestOutputs:
    @pytest.mark.parametrize("target", [JS.name, PYTHON.name])
    def test_images_and_files(self, target: str) -> None:
        """What a tool returned is in the form in which the other SDK's tools return it."""
        other = {JS.name: PYTHON.name, PYTHON.name: JS.name}[target]
        here, there = "generated_items", "generatedItems"
        key = {JS.name: there, PYTHON.name: here}[target]
        mine = crossed(text("image_out", target), target)[key]
        native = json.loads(text("image_out", other))[key]
        found = [_said(each["output"]) for each in mine if isinstance(each.get("output"), dict)]
        assert found == [
            _said(each["output"]) for each in native if isinstance(each.get("output"), dict)
        ]
        assert len(found) == 3


def _said(value: Any) -> Any:  # noqa: ANN401  (JSON)
    return {key: each for key, each in value.items() if each is not None}


class TestCommand:
    OPTIONS = ("--rename", "--handoff-target", "--agent-map")

    @pytest.mark.parametrize("known", KNOWN)
    def test_convert(self, known: str, tmp_path: Path) -> None:
        """The command says what it needs, takes it, and writes what the function does."""
        definition, target = KNOWN[known]
        file = tmp_path / "run.json"
        file.write_text(text(definition, target))
        command = ["convert", str(file), "--to", target, "--allow-loss"]
        without = CliRunner().invoke(main, [*command, "--json"])
        assert without.exit_code == 1
        errors = [
            each
            for each in json.loads(without.stdout)["error"]["losses"]
            if each["severity"] == "error"
        ]
        assert errors
        assert all(each["path"] and each["hint"] for each in errors)
        names = dict(zip(("rename", "handoff_targets", "agent_map"), self.OPTIONS, strict=True))
        for key, pairs in HINTS[definition, target].items():
            for pair in pairs.items():
                command += [names[key], "=".join(pair)]
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0
        assert json.loads(done.stdout) == crossed(
            file.read_text(), target, **HINTS[definition, target]
        )

    def test_said_once(self, tmp_path: Path) -> None:
        """What changes nothing that runs is one line with its first place; JSON has every place."""
        file = tmp_path / "run.json"
        file.write_text(text("parallel", JS.name))
        command = ["convert", str(file), "--to", JS.name, "--allow-loss"]
        lines = CliRunner().invoke(main, command).stderr.splitlines()
        origins = [line for line in lines if "says of itself" in line]
        every = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)["losses"]
        found = [each for each in every if "says of itself" in each["reason"]]
        assert len(found) > 5
        (line,) = origins
        assert f"{found[0]['path']} and {len(found) - 1} more" in line

    @pytest.mark.parametrize("given", ["a", "=b", "a=", "a=b a=c"])
    @pytest.mark.parametrize("option", OPTIONS)
    def test_not_a_pair(self, option: str, given: str, tmp_path: Path) -> None:
        """What is no pair, or says two things, is wrong usage."""
        file = tmp_path / "run.json"
        file.write_text(text("plain", JS.name))
        pairs = [part for each in given.split() for part in (option, each)]
        done = CliRunner().invoke(main, ["convert", str(file), "--to", JS.name, *pairs])
        assert done.exit_code == 2
        assert option in done.stderr
