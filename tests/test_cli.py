"""The command line: what a person sees, and that nothing happens which they did not ask for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import hitl
from hitl import transfer
from hitl.cli import main
from tests.agents import corpus

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SDK = "openai-agents-python"
PLAIN = f"{SDK}/0.24.0/plain"
NESTED = f"{SDK}/0.24.0/nested"
KINDS = f"{SDK}/hitl/kinds_native"
HOSTED = f"{SDK}/hitl/kinds_hosted_mcp"
SECRET = "mcp-secret"  # noqa: S105 - in HOSTED, and what must not be shown


def recorded(name: str) -> str:
    """Where a recorded state lies."""
    return str(corpus.path(name))


def invoke(*args: str | Path, code: int = 0, given: bytes | None = None) -> Result:
    """Run the command in this process, and check its exit code."""
    result = CliRunner().invoke(main, [str(each) for each in args], input=given)
    assert result.exit_code == code, (result.stdout_bytes[:500], result.stderr)
    return result


def said(*args: str | Path, code: int = 0, given: bytes | None = None) -> Any:  # noqa: ANN401
    """Run the command with `--json` and give what it says."""
    return json.loads(invoke(*args, "--json", code=code, given=given).stdout)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A copy of a recorded state."""
    path = tmp_path / "state.json"
    path.write_bytes(corpus.read(PLAIN))
    return path


class TestShow:
    def test_every_recorded_state(self) -> None:
        """Each recorded state can be shown, and each call that waits decided by its shown name."""
        shown = re.compile(r"^  (\S+)  waits$", re.MULTILINE)
        for name in corpus.names():
            state = hitl.loads(corpus.read(name))
            waiting = [each.call for each in state.interruptions if each.decision is None]
            assert shown.findall(invoke("show", recorded(name)).stdout) == waiting
            for call in waiting:
                invoke("approve", recorded(name), call)

    def test_arguments(self) -> None:
        """A call is shown with the exact string the model sent, or with its whole object."""
        out = invoke("show", recorded(KINDS)).stdout
        assert "    arguments  SELECT 'é'\n" in out
        assert (
            '    arguments  {"action": {"commands": ["ls", "pwd"], "max_output_length": 9,' in out
        )

    def test_verdict(self, tmp_path: Path) -> None:
        """A decided call is shown with who, when, why and what the model is told."""
        native, decided = tmp_path / "native", tmp_path / "decided"
        invoke("convert", recorded(PLAIN), "--to", transfer.NATIVE, "-o", native)
        asked = ["--by", "ana", "--reason", "too late", "--message", "use b", "--always"]
        invoke("reject", native, "call_d", *asked, "-o", decided)
        out = invoke("show", decided).stdout
        assert "no call waits for a decision, 1 decided" in out
        verdict = r"decided    rejected and every later call of the tool by ana at \S+T\S+\+00:00"
        assert re.search(f"{verdict}; reason: too late; message: use b", out)

    def test_head(self) -> None:
        """Format, turn, agent, usage and conversation are named."""
        out = invoke("show", recorded(f"{SDK}/0.24.0/conversation_id")).stdout
        for words in ("json", "1 of 10, agent ops", "1 request, 18 tokens", "conversation conv"):
            assert words in out

    def test_short(self) -> None:
        """A long history is cut and says so; `--full` shows it."""
        name = recorded(f"{SDK}/hitl/kinds_native_again")
        assert "15 items of history, the last 10 of them" in invoke("show", name).stdout
        assert "15 items of history\n" in invoke("show", name, "--full").stdout

    def test_long_arguments(self, plain: Path) -> None:
        """Long arguments say how much is not shown; `--full` shows it."""
        padded = corpus.read(PLAIN).replace(b'\\"/x\\"', b'\\"/x' + b"y" * 5000 + b'\\"')
        plain.write_bytes(padded)
        assert "note       3,014 characters not shown" in invoke("show", plain).stdout
        full = invoke("show", plain, "--full").stdout
        assert "y" * 5000 in full
        assert "not shown" not in full

    def test_empty_arguments(self, plain: Path) -> None:
        """Arguments that leave no ink are said to."""
        for blank in (b"", b"  "):
            text = corpus.read(PLAIN).replace(b'"{\\"path\\": \\"/x\\"}"', b'"' + blank + b'"')
            plain.write_bytes(text)
            assert "note       nothing but spaces, or empty\n" in invoke("show", plain).stdout

    def test_changed_call(self, tmp_path: Path) -> None:
        """A state whose decided call was changed is shown, with the problem; it is not written."""
        state = hitl.loads(corpus.read(PLAIN)).approve("call_d", by="ana")
        path = tmp_path / "changed"
        path.write_bytes(hitl.dumps(state).replace(b'\\"/x\\"', b'\\"/y\\"'))
        result = invoke("show", path)
        assert '"/y"' in result.stdout
        assert result.stderr.startswith("problem: the call is not the one that was decided")
        written = said("convert", path, "--to", transfer.NATIVE, code=1)
        assert written["error"]["code"] == "arguments-changed"

    def test_keys(self) -> None:
        """The keys that programs read are stable."""
        found = said("show", recorded(NESTED))
        assert " ".join(found) == (
            "format origin turn agent step usage conversation pending_input "
            "interruptions history problems"
        )
        assert " ".join(found["interruptions"][0]) == (
            "call call_id agent tool namespace server kind arguments object arguments_sha256 "
            "decision"
        )
        assert found["interruptions"][0]["call"] == "call_out/call_in"
        assert found["history"]["last"][0]["agent"] == "boss"


class TestCheck:
    def test_sound(self) -> None:
        """A recorded state is sound in its own format."""
        found = said("check", recorded(PLAIN))
        assert found["dialect"] == SDK
        assert found["problems"] == found["losses"] == found["repairs"] == []

    def test_losses_for(self) -> None:
        """What a target cannot hold is listed with severity and place."""
        found = said("check", recorded(HOSTED), "--for", transfer.NATIVE)
        assert found["for"]["dialect"] == transfer.NATIVE
        assert {each["severity"] for each in found["losses"]} == {"info"}
        assert found["losses"][0]["path"].endswith("/authorization")
        assert (
            "info  /last_processed"
            in invoke("check", recorded(HOSTED), "--for", transfer.NATIVE).stdout
        )

    def test_problem(self, tmp_path: Path) -> None:
        """What cannot be read is a problem with its place, and exit code 1."""
        path = tmp_path / "bad"
        bad = corpus.load(PLAIN) | {"current_turn": "x"}
        path.write_text(json.dumps(bad))
        assert said("check", path, code=1)["problems"][0]["path"] == "/current_turn"
        assert (
            "expected integer, got string - at /current_turn"
            in invoke("check", path, code=1).stdout
        )

    def test_newer(self, plain: Path) -> None:
        """A newer minor is flagged; to another format it is a loss that must be allowed."""
        label = corpus.load(PLAIN)["$schemaVersion"]
        major, minor = label.split(".")
        newer = f"{major}.{int(minor) + 1}"
        plain.write_bytes(corpus.read(PLAIN).replace(label.encode(), newer.encode()))
        assert said("check", plain, "--for", f"{SDK}@{newer}")["newer"] is True
        assert said("check", plain, "--for", transfer.NATIVE, code=1)["losses"]
        invoke("convert", plain, "--to", transfer.NATIVE, code=1)
        invoke("convert", plain, "--to", transfer.NATIVE, "--allow-loss")
        own = invoke("approve", plain, "call_d").stdout_bytes
        assert hitl.check(own).version == newer

    @pytest.mark.parametrize("target", ["nobody", f"{SDK}@0.1", f"{transfer.NATIVE}@x"])
    def test_unknown_target(self, target: str) -> None:
        """A dialect or version that does not exist is wrong usage, and those that do are named."""
        assert "expected a " in invoke("check", recorded(PLAIN), "--for", target, code=2).stderr


class TestConvert:
    def test_round(self, tmp_path: Path) -> None:
        """A state goes to native, in either codec, and back without a difference."""
        native, back = tmp_path / "native", tmp_path / "back.json"
        for codec in ("json", "msgpack"):
            asked = ["--to", transfer.NATIVE, "--codec", codec]
            invoke("convert", recorded(PLAIN), *asked, "-o", native)
            invoke("convert", native, "--to", SDK, "-o", back)
            invoke("diff", recorded(PLAIN), back)

    def test_stdin_to_stdout(self) -> None:
        """`-` is stdin, and the document on stdout is the one `dumps` gives."""
        given = corpus.read(KINDS)
        for codec in ("json", "msgpack"):
            asked = ["--to", transfer.NATIVE, "--codec", codec]
            out = invoke("convert", "-", *asked, given=given).stdout_bytes
            assert out == hitl.dumps(hitl.loads(given), codec=codec)

    def test_losses_are_said(self) -> None:
        """What the target cannot hold is said on stderr, not on stdout."""
        result = invoke("convert", recorded(HOSTED), "--to", transfer.NATIVE)
        assert result.stderr.count("info: a secret is left out") == 1
        assert " and 3 more\n" in result.stderr
        assert hitl.check(result.stdout_bytes).dialect == transfer.NATIVE

    def test_json(self, tmp_path: Path) -> None:
        """`--json` carries losses and document, or where the document went."""
        found = said("convert", recorded(HOSTED), "--to", transfer.NATIVE)
        assert len(found["losses"]) == 4
        assert hitl.check(found["document"]).version == found["version"]
        out = tmp_path / "out"
        found = said("convert", recorded(PLAIN), "--to", transfer.NATIVE, "-o", out)
        assert (found["output"], found["document"]) == (str(out), None)

    @pytest.mark.parametrize(
        "wrong",
        [["--repair", "owners"], ["--codec", "pickle"], ["--to", "nobody"], ["--colour"]],
        ids=" ".join,
    )
    def test_wrong_usage(self, wrong: list[str]) -> None:
        """Names of repairs, codecs, dialects and options that nobody knows are wrong usage."""
        invoke("convert", recorded(PLAIN), "--to", transfer.NATIVE, *wrong, code=2)

    def test_codec_of_an_sdk(self) -> None:
        """An SDK's document has no MessagePack form: refused by type."""
        asked = ["--to", SDK, "--codec", "msgpack"]
        found = said("convert", recorded(PLAIN), *asked, code=1)
        assert found["error"]["code"] == "unknown-dialect"


class TestOlder:
    """States of older releases: what a deploy would break, and the repairs that are asked for."""

    ALWAYS = f"{SDK}/0.19.0/always"

    def test_listed(self) -> None:
        """The check of a state lists what it needs, and what is done only when asked for."""
        found = said("check", recorded(self.ALWAYS))
        assert {each["name"]: each["opt_in"] for each in found["repairs"]} == {
            "call-ledger": False,
            "response-ownership": False,
            "sticky-owner": True,
        }
        assert [each["widens"] for each in found["repairs"] if each["opt_in"]] == [True]
        shown = invoke("check", recorded(self.ALWAYS)).stdout
        assert re.search(r"sticky-owner +when asked for +/context/approvals/delete_file", shown)

    def test_repaired(self, tmp_path: Path) -> None:
        """A repair that widens is done by name only; without, converting stops."""
        out = tmp_path / "new.json"
        asked = ["--to", SDK, "-o", str(out)]
        refused = invoke("convert", recorded(self.ALWAYS), *asked, code=1)
        assert "sticky-owner" in refused.stderr
        assert not out.exists()
        done = said("convert", recorded(self.ALWAYS), *asked, "--repair", "sticky-owner")
        assert "sticky-owner" in {each["name"] for each in done["repairs"]}
        assert json.loads(out.read_text())["context"]["function_tool_approvals"]

    def test_unneeded(self, tmp_path: Path) -> None:
        """A known repair that a state does not need changes nothing."""
        asked = ["--to", SDK, "-o", str(tmp_path / "same.json"), "--repair", "sticky-owner"]
        assert said("convert", recorded(PLAIN), *asked)["repairs"] == []

    def test_known_names(self) -> None:
        """An unknown name is refused with those that are known."""
        asked = ["--to", SDK, "--repair", "owners"]
        assert "sticky-owner" in invoke("convert", recorded(PLAIN), *asked, code=2).stderr

    def test_rollback(self) -> None:
        """What an older release cannot hold is said before a deploy is taken back."""
        asked = ["--for", f"{SDK}@1.9"]
        found = said("check", recorded(f"{SDK}/0.24.0/always"), *asked, code=1)
        assert "warn" in {each["severity"] for each in found["losses"]}

    def test_folder(self, tmp_path: Path) -> None:
        """Of a folder, every file and below is told: what goes on, and what a deploy breaks."""
        for name in ("0.24.0/plain", "0.19.0/plain", "0.19.0/always", "0.9.0/nested"):
            target = tmp_path / f"{name}.json"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(corpus.read(f"{SDK}/{name}"))
        (tmp_path / "history.json").write_text("[]")
        (tmp_path / "cut.json").write_text('{"$schemaVersion"')
        found = said("check", tmp_path, code=1)
        assert {each["file"]: each["fate"] for each in found["files"]} == {
            "0.24.0/plain.json": "goes on",
            "0.19.0/plain.json": "repaired",
            "0.19.0/always.json": "asks again",
            "0.9.0/nested.json": "broken",
            "history.json": "no state",
            "cut.json": "broken",
        }
        assert found["totals"]["broken"] == 2
        shown = invoke("check", tmp_path, code=1).stdout
        assert "start again" in shown
        assert "no state: 1" in shown

    def test_sound_folder(self, tmp_path: Path) -> None:
        """Nothing is broken where every run goes on, for the target that is named too."""
        (tmp_path / "run.json").write_bytes(corpus.read(f"{SDK}/0.19.0/plain"))
        invoke("check", tmp_path)
        found = said("check", tmp_path, "--for", f"{SDK}@1.13")
        assert [each["fate"] for each in found["files"]] == ["goes on"]


class TestDecide:
    def test_never_edits(self, plain: Path) -> None:
        """The decided state goes to stdout in the same format; the file stays as it was."""
        for verb, approved in (("approve", True), ("reject", False)):
            out = invoke(verb, plain, "call_d", "--by", "ana").stdout_bytes
            (call,) = hitl.loads(out).interruptions
            assert call.decision is not None
            assert call.decision.approved is approved
            assert hitl.check(out).dialect == SDK
            assert plain.read_bytes() == corpus.read(PLAIN)

    def test_same_format(self, tmp_path: Path) -> None:
        """Codec and label are those of the file."""
        path = tmp_path / "native"
        path.write_bytes(hitl.dumps(hitl.loads(corpus.read(PLAIN)), codec="msgpack"))
        out = invoke("approve", path, "call_d", "--by", "ana", "--reason", "ok").stdout_bytes
        before, after = hitl.check(path.read_bytes()), hitl.check(out)
        assert (after.dialect, after.version, after.codec) == (
            before.dialect,
            before.version,
            "msgpack",
        )
        (call,) = hitl.loads(out).interruptions
        assert call.decision is not None
        assert (call.decision.by, call.decision.reason) == ("ana", "ok")
        assert call.decision.at is not None

    def test_one_by_one(self) -> None:
        """Each decision leaves the others waiting, and says so."""
        first = invoke("approve", recorded(KINDS), "call_sh1")
        assert first.stderr.startswith(
            "approved call_sh1 (shell, agent ops); 2 calls still wait\ninfo: "
        )
        facts = said("reject", "-", "call_ap1", "--always", given=first.stdout_bytes)
        assert facts["waiting"] == ["call_ct1"]
        assert (facts["approved"], facts["always"]) == (False, True)

    def test_nested(self) -> None:
        """A call in a nested run is named `outer/inner`."""
        facts = said("approve", recorded(NESTED), "call_out/call_in")
        assert facts["call"] == "call_out/call_in"
        assert facts["waiting"] == []

    def test_refused(self) -> None:
        """A call that does not wait is refused, and those that wait are named."""
        result = invoke("approve", recorded(PLAIN), "call_x", code=1)
        assert result.stdout == ""
        assert result.stderr == (
            "error: expected the name of a call that waits, found none of that name "
            "(say one of call_d)\n"
        )
        decided = recorded(f"{SDK}/0.24.0/approved")
        assert said("reject", decided, "call_d", code=1)["error"]["code"] == "already-decided"


class TestDiff:
    def test_same(self) -> None:
        """A state does not differ from itself."""
        assert said("diff", recorded(PLAIN), recorded(PLAIN))["different"] is False

    def test_documents(self, tmp_path: Path) -> None:
        """Documents of one dialect are compared as they stand, by JSON Pointer."""
        other = tmp_path / "other"
        other.write_text(json.dumps(corpus.load(PLAIN) | {"current_turn": 2, "new": [1]}))
        found = said("diff", recorded(PLAIN), other, code=1)
        assert found["compared_as"] == SDK
        assert found["changes"] == [
            {"kind": "changed", "path": "/current_turn", "before": 1, "after": 2},
            {"kind": "added", "path": "/new", "after": [1]},
        ]
        lines = invoke("diff", recorded(PLAIN), other, code=1).stdout.splitlines()
        assert lines == ["~  /current_turn  1 -> 2", "+  /new           [1]"]

    def test_across_dialects(self, tmp_path: Path) -> None:
        """States of different dialects are compared by what native says of them."""
        native = tmp_path / "native"
        state = hitl.loads(corpus.read(PLAIN))
        native.write_bytes(hitl.dumps(state, codec="msgpack"))
        invoke("diff", recorded(PLAIN), native)
        native.write_bytes(hitl.dumps(state.approve("call_d", by="ana")))
        found = said("diff", recorded(PLAIN), native, code=1)
        assert found["compared_as"] == transfer.NATIVE
        assert {each["path"] for each in found["changes"]} == {"/decisions"}

    def test_two_stdins(self) -> None:
        """One stdin is not two files."""
        invoke("diff", "-", "-", code=2)


class TestSecrets:
    @pytest.mark.parametrize("command", ["show", "check", "diff"])
    @pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
    def test_not_shown(self, tmp_path: Path, command: str, form: list[str]) -> None:
        """Rule 7: what a person looks at shows no secret, even where it is what differs."""
        other = tmp_path / "other"
        text = corpus.read(HOSTED).replace(SECRET.encode(), SECRET.encode() + b"-2", 1)
        other.write_bytes(text.replace(b'"X-Api-Key"', b'"X-Other"', 1))
        files = [recorded(HOSTED), other] if command == "diff" else [other]
        result = invoke(command, *files, *form, code=int(command == "diff"))
        assert SECRET not in result.output
        assert ("(secret)" in result.stdout) is (command == "diff")
