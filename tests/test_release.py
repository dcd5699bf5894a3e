"""The installed release as a reader: abilities are asked for by name, losses are respected."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import agents
import attrs
import pytest
from agents import run_state

import hitl
from hitl.dialects.openai_python import DIALECT
from hitl.errors import LossError, OlderRelease, UnsupportedRelease
from hitl.model import Conversation
from hitl.runtime import release, sdk, seen
from hitl.runtime.repair import repaired
from tests.agents import SCENARIOS, corpus

if TYPE_CHECKING:
    from hitl import RunState

VERSIONS = DIALECT.chain.versions
PLAIN = "openai-agents-python/0.24.0/plain"
STICKY = "openai-agents-python/0.24.0/always"
NESTED = "openai-agents-python/0.24.0/nested"


def state(name: str) -> RunState:
    """A recorded state."""
    return hitl.loads(corpus.read(name))


def reads(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    """Make the installed release read these versions only."""
    monkeypatch.setattr(run_state, "SUPPORTED_SCHEMA_VERSIONS", frozenset(versions))


class TestLabel:
    def test_newest_of_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The newest version that the release reads and hitl writes, in the order of the chain."""
        assert release.label() == DIALECT.chain.newest
        reads(monkeypatch, "1.9", "1.10", "1.99")
        assert release.label() == "1.10"

    def test_only_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first releases do not say what they read: what they write."""
        monkeypatch.delattr(run_state, "SUPPORTED_SCHEMA_VERSIONS")
        monkeypatch.setattr(run_state, "CURRENT_SCHEMA_VERSION", "1.0")
        assert sdk.readable_versions() == {"1.0"}

    def test_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A release that reads nothing hitl writes is refused by name."""
        reads(monkeypatch, "2.0")
        with pytest.raises(UnsupportedRelease, match="reads no version"):
            release.label()


class TestDocument:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_at_the_label(self, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
        """The document that is handed over has the label the release reads, inside as well."""
        reads(monkeypatch, version)
        document = release.document(state(PLAIN), allow_loss=False)
        assert document["$schemaVersion"] == version
        allowed = json.loads(hitl.dumps(state(PLAIN), dialect=DIALECT.name, version=version))
        assert document == allowed

    def test_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What would run otherwise is refused, whatever is allowed."""
        reads(monkeypatch, "1.0")
        for allow_loss in (False, True):
            with pytest.raises(LossError, match="agent in it would start again") as caught:
                release.document(state(NESTED), allow_loss=allow_loss)
            assert caught.value.hint == "run it with a newer release"

    def test_warn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What needs help goes on when the caller says so."""
        reads(monkeypatch, "1.17")
        with pytest.raises(LossError) as caught:
            release.document(state(STICKY), allow_loss=False)
        assert caught.value.hint == "allow_loss=True goes on"
        assert release.document(state(STICKY), allow_loss=True)["$schemaVersion"] == "1.17"

    def test_info(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A loss that changes no run stops nothing."""
        reads(monkeypatch, "1.3")
        lost = DIALECT.losses(state(PLAIN), "1.3")
        assert {loss.severity for loss in lost} == {"info"}
        assert release.document(state(PLAIN), allow_loss=False)

    def test_before_anything_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`restore` and `check_restore` say the same, and nothing ran."""
        reads(monkeypatch, "1.17")
        stage = SCENARIOS[STICKY].stage()
        (problem,) = asyncio.run(hitl.check_restore(stage.agent, state(STICKY)))
        with pytest.raises(LossError) as caught:
            asyncio.run(hitl.restore(stage.agent, state(STICKY)))
        assert str(problem) == str(caught.value)
        assert not stage.log.requests
        assert not stage.log.tool_runs
        allowed = hitl.check_restore(stage.agent, state(STICKY), allow_loss=True)
        assert asyncio.run(allowed) == ()

    @pytest.mark.parametrize("name", ["plain", "always", "handoff", "local_mcp"])
    def test_its_own_states(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """A release is given its own states as it wrote them, whatever a newer one would need."""
        reads(monkeypatch, "1.16", "1.17")
        monkeypatch.setattr(sdk, "binds_servers", lambda: False)
        own = state(f"openai-agents-python/0.22.3/{name}")
        agent = SCENARIOS[f"openai-agents-python/0.24.0/{name}"].stage().agent
        ready = asyncio.run(repaired(agent, own, (), None))
        written = json.loads(corpus.read(f"openai-agents-python/0.22.3/{name}"))
        given = release.document(ready, allow_loss=True)
        for key in ("generated_items", "last_processed_response", "current_step"):
            assert given[key] == written[key]
        assert given["context"]["approvals"] == written["context"]["approvals"]


class TestRunsInside:
    """The first releases keep no runs inside: neither lost nor started again."""

    @pytest.mark.parametrize("name", ["nested", "nested_approved"])
    def test_not_in_the_state(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """A state that waits for a call of a run it does not hold is refused."""
        reads(monkeypatch, "1.0")
        stage = SCENARIOS[NESTED].stage()
        with pytest.raises(OlderRelease, match="was not saved") as caught:
            asyncio.run(hitl.restore(stage.agent, state(f"openai-agents-python/0.8.0/{name}")))
        assert caught.value.path == "/current_step/data/interruptions/0"
        assert not stage.log.requests


class TestServerConversations:
    """What an older release would not send is found before it is asked to."""

    NAME = "openai-agents-python/0.24.0/conversation_id"

    def lost(self, *, sends: bool, apart: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Severities of what is lost on a release of these abilities."""
        monkeypatch.setattr(sdk, "sends_what_ran", lambda: sends)
        monkeypatch.setattr(sdk, "tells_items_apart", lambda: apart)
        return [loss.severity for loss in release._unsent(state(self.NAME))]

    def test_abilities(self) -> None:
        """The tested release has both."""
        assert sdk.sends_what_ran()
        assert sdk.tells_items_apart()
        assert sdk.binds_servers()

    def test_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Outputs surely not sent stop; outputs perhaps not sent stop unless allowed."""
        patch = monkeypatch
        assert self.lost(sends=True, apart=True, monkeypatch=patch) == []
        assert self.lost(sends=False, apart=False, monkeypatch=patch) == ["error"]
        assert self.lost(sends=True, apart=False, monkeypatch=patch) == ["warn"]
        with pytest.raises(LossError, match="may not reach the server"):
            release.document(state(self.NAME), allow_loss=False)
        assert release.document(state(self.NAME), allow_loss=True)

    def test_nothing_ran(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where no call ran beside the pause, no output can stay behind."""
        monkeypatch.setattr(sdk, "sends_what_ran", lambda: False)
        waiting = attrs.evolve(state(NESTED), conversation=Conversation(id="conv_1"))
        assert list(release._unsent(waiting)) == []

    def test_local(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that sends its whole history loses nothing."""
        monkeypatch.setattr(sdk, "sends_what_ran", lambda: False)
        assert list(release._unsent(state(PLAIN))) == []


class TestAbilities:
    """Each name that some release lacks, taken away."""

    def lacking(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        """Take names away, wherever they stand."""
        original = sdk._named
        monkeypatch.setattr(
            sdk, "_named", lambda name, *at: None if name in names else original(name, *at)
        )

    def test_identities(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without identities, names stand for agents, and no agent is ambiguous."""
        self.lacking(monkeypatch, "_build_agent_identity_map", "_get_ambiguous_agent_ids")
        inner = agents.Agent(name="inner")
        root = agents.Agent(name="root", handoffs=[inner, agents.Agent(name="inner")])
        assert sdk.identities(root) == {"root": root, "inner": inner}
        assert sdk.ambiguous(root) == []

    def test_lookup_keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without lookup keys, tools are known by their bare name, as the SDK writes that."""

        def ask(question: str) -> str:
            return question

        tool = agents.function_tool(ask)
        written = sdk.lookup_key(tool)
        self.lacking(monkeypatch, "get_function_tool_lookup_key_for_tool")
        assert sdk.lookup_key(tool) == written == {"kind": "bare", "name": "ask"}
        assert sdk.lookup_key(agents.WebSearchTool()) is None

    def test_staged(self) -> None:
        """Where input cannot be added, none waits."""
        older: Any = object()
        assert sdk.staged(older) == []

    def test_marker(self) -> None:
        """A state without the marker of the writer gets none from being asked."""

        class Older:
            _merge_generated_items_with_processed = staticmethod(lambda: [1])

        older: Any = Older()
        assert sdk.merged(older) == [1]
        assert not vars(older)

    def test_scope(self) -> None:
        """Where runs inside are kept in one room, no room is asked for."""
        older: Any = object()
        assert sdk._scope(older, lambda call: call) == {}
        assert sdk._scope(older, lambda call, *, scope_id: (call, scope_id)) == {"scope_id": None}

    def test_missing_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What hitl cannot do without is asked for by a name that the error says."""
        self.lacking(monkeypatch, "_build_handoffs_map")
        with pytest.raises(UnsupportedRelease, match="_build_handoffs_map"):
            sdk.handoff_names(agents.Agent(name="root"))
        later: Any = object()
        with pytest.raises(UnsupportedRelease, match=r"RunState\._generated_items"):
            sdk.generated(later)

    def test_missing_module(self) -> None:
        """A module that a release does not have lacks every name."""
        assert sdk._named("Agent", "agents.not_there", "agents") is agents.Agent
        assert sdk._named("Agent", "agents.not_there") is None

    def test_kinds(self) -> None:
        """Every kind of tool hitl knows is a class of the tested release."""
        assert len(seen._KINDS) == len(seen._CLASSES)
