"""The command line against those who mean harm, and against bad luck: rule 8, files, streams."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import hitl
from hitl import transfer
from hitl.cli import main, output
from hitl.cli.command import Command
from hitl.document import DEFAULT_LIMITS
from tests.agents import corpus

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN = "openai-agents-python/0.24.0/plain"
NESTED = "openai-agents-python/0.24.0/nested"
EVIL = (
    "\x1b[2J\x1b]8;;http://evil\x07\x1b]52;c;aGk=\x07\x9b31m\x7f\r\n"
    "\u202e\u2066\u200b\ufeff\u3164\u2800\U000e0041\ufe0f\u2028\ue000" + "\u0301" * 9
)
BLANK = "\u3164\u2800\ufe0f"  # printable, says Python
WORDS = ("ops", "boss", "worker", "delete_file", "call_d", "call_out", "call_in", "go", "/x", "/z")
COMMANDS = ("show", "check", "convert", "approve", "reject", "diff")


def hostile(value: object) -> object:
    """The state with names, ids, arguments and texts that attack the terminal."""
    match value:
        case dict():
            return {hostile(key): hostile(each) for key, each in value.items()}
        case list():
            return [hostile(each) for each in value]
        case str() if value.startswith('{"path"'):
            return value.replace('"}', EVIL + '"}')
        case str() if value in WORDS:
            return value + EVIL
    return value


def obeyed(output: bytes) -> set[str]:
    """The characters that a terminal would obey or hide."""
    shown = output.decode()
    return {each for each in shown if each in BLANK or not (each == "\n" or each.isprintable())}


def arguments(command: str, file: Path, call: str) -> list[str]:
    """A command line for every command."""
    more = {"convert": ["--to", transfer.NATIVE], "diff": [str(corpus.path(PLAIN))]}
    decision = [call] if command in ("approve", "reject") else []
    return [command, str(file), *decision, *more.get(command, [])]


def hitl_process(*args: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command."""
    command = [sys.executable, "-m", "hitl", *map(os.fspath, map(str, args))]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def clean(code: int, out: bytes, err: bytes, codes: Iterable[int] = (0, 1, 2)) -> None:
    """One of these exit codes, no traceback, no fault of ours, nothing a terminal obeys."""
    assert code in codes, err
    for text in (out, err):
        assert b"Traceback" not in text
        assert b"hitl is at fault" not in text
        assert obeyed(text) == set()


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A hostile state."""
    path = tmp_path / "evil.json"
    text = json.dumps(hostile(corpus.load(PLAIN)), ensure_ascii=False)
    path.write_bytes(text.encode())
    return path


class TestHostile:
    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
    @pytest.mark.parametrize("name", [PLAIN, NESTED])
    def test_nothing_raw(self, tmp_path: Path, name: str, command: str, form: list[str]) -> None:
        """Rule 8: no command prints a character that a terminal obeys or hides."""
        path = tmp_path / "evil"
        path.write_text(json.dumps(hostile(corpus.load(name)), ensure_ascii=False))
        (call,) = hitl.loads(path.read_bytes()).interruptions
        assert EVIL in call.call_id
        result = CliRunner().invoke(main, [*arguments(command, path, call.call), *form])
        assert result.exit_code == int(command == "diff"), result.stderr
        clean(result.exit_code, result.stdout_bytes, result.stderr_bytes)
        if form:
            assert result.stdout.isascii()

    def test_counted(self, evil: Path) -> None:
        """The reader is told how many characters of the arguments are escapes."""
        out = CliRunner().invoke(main, ["show", str(evil)]).stdout
        assert r'{"path": "/x\x1b[2J\x1b]8;;http://evil\x07' in out
        assert "characters shown as escapes" in out

    def test_shown_name_decides(self, evil: Path) -> None:
        """A call can be named by its id, or as `hitl show` shows it."""
        (call,) = hitl.loads(evil.read_bytes()).interruptions
        shown = CliRunner().invoke(main, ["show", str(evil)]).stdout.split("'")[1]
        assert shown.startswith(r"call_d\x1b[2J")
        for name in (call.call, shown):
            result = CliRunner().invoke(main, ["approve", str(evil), name])
            (decided,) = hitl.loads(result.stdout_bytes).interruptions
            assert decided.decision is not None

    def test_same_document(self, evil: Path, tmp_path: Path) -> None:
        """Escapes on stdout change no value; a file gets the bytes that `dumps` gives."""
        asked = ["convert", str(evil), "--to", transfer.NATIVE]
        out = CliRunner().invoke(main, asked).stdout_bytes
        state = hitl.loads(evil.read_bytes())
        assert json.loads(out) == json.loads(hitl.dumps(state))
        CliRunner().invoke(main, [*asked, "-o", str(tmp_path / "out")])
        assert (tmp_path / "out").read_bytes() == hitl.dumps(state)

    def test_command_line(self, evil: Path) -> None:
        """What is quoted from the command line is shown like everything else."""
        for args in ([f"show{EVIL}"], ["show", EVIL], ["show", f"--{EVIL}"], ["diff", "-", EVIL]):
            result = CliRunner().invoke(main, args)
            clean(result.exit_code, result.stdout_bytes, result.stderr_bytes, [2])
        result = CliRunner().invoke(main, ["approve", str(evil), EVIL])
        clean(result.exit_code, result.stdout_bytes, result.stderr_bytes, [1])

    def test_by(self) -> None:
        """Who decided is data too; bytes that are no text are wrong usage."""
        native = hitl.dumps(hitl.loads(corpus.read(PLAIN)))
        asked = ["approve", "-", "call_d", "--by", f"ana{EVIL}"]
        decided = CliRunner().invoke(main, asked, input=native)
        shown = CliRunner().invoke(main, ["show", "-"], input=decided.stdout_bytes)
        assert r"approved by ana\x1b[2J" in shown.stdout
        clean(shown.exit_code, shown.stdout_bytes, shown.stderr_bytes, [0])
        refused = CliRunner().invoke(main, [*asked, "--reason", "a\udcff"], input=native)
        clean(refused.exit_code, refused.stdout_bytes, refused.stderr_bytes, [2])


class TestBadInput:
    @given(st.binary(max_size=200), st.sampled_from(COMMANDS))
    def test_garbage(self, data: bytes, command: str) -> None:
        """Bytes that are no document are one line and exit code 1."""
        args = arguments(command, Path("-"), "call_d")
        result = CliRunner().invoke(main, args, input=data)
        clean(result.exit_code, result.stdout_bytes, result.stderr_bytes, [1])

    @given(st.data())
    def test_mutated(self, data: st.DataObject) -> None:
        """A document with flipped bytes is read or refused, never a traceback."""
        text = bytearray(corpus.read(PLAIN))
        for at in data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=3)):
            text[at] = data.draw(st.integers(0, 255))
        command = data.draw(st.sampled_from(COMMANDS))
        result = CliRunner().invoke(
            main, arguments(command, Path("-"), "call_d"), input=bytes(text)
        )
        clean(result.exit_code, b"", result.stderr_bytes, [0, 1])

    def test_error_line(self) -> None:
        """An error is one line with place and hint; for programs it is one object."""
        wrong = corpus.read(PLAIN).replace(b'"current_turn": 1', b'"current_turn": "1"')
        result = CliRunner().invoke(main, ["show", "-"], input=wrong)
        assert result.stderr == "error: expected integer, got string - at /current_turn\n"
        result = CliRunner().invoke(main, ["show", "-", "--json"], input=wrong)
        assert json.loads(result.stdout) == {
            "error": {
                "code": "invalid",
                "message": "expected integer, got string",
                "path": "/current_turn",
                "hint": None,
            }
        }

    def test_too_large(self, tmp_path: Path) -> None:
        """A file beyond the limit is refused by type, and not read to its end."""
        path = tmp_path / "large"
        with path.open("wb") as stream:
            stream.write(b"{")
            stream.truncate(DEFAULT_LIMITS.size_bytes * 1000)
        result = CliRunner().invoke(main, ["show", str(path), "--json"])
        assert json.loads(result.stdout)["error"]["code"] == "limit"
        assert result.exit_code == 1

    def test_no_file(self, tmp_path: Path) -> None:
        """A file that is missing, or a folder, is wrong usage."""
        for name in ("missing", "."):
            result = CliRunner().invoke(main, ["show", str(tmp_path / name)])
            assert result.exit_code == 2
            assert name in result.stderr

    def test_our_fault(self) -> None:
        """A fault of ours is one line that quotes nothing of the document."""

        def fault(*, as_json: bool) -> None:
            raise KeyError(f"{EVIL} {as_json}")

        for form in ([], ["--json"]):
            result = CliRunner().invoke(Command("fault", callback=fault), form)
            assert result.exit_code == 1
            assert "hitl is at fault: KeyError in test_cli_hostile.py:" in result.output
            assert "evil" not in result.output


class TestFiles:
    def test_never_itself(self, tmp_path: Path) -> None:
        """OUT may not be FILE, whatever name it goes by."""
        state = tmp_path / "state"
        state.write_bytes(corpus.read(PLAIN))
        (tmp_path / "soft").symlink_to(state)
        (tmp_path / "hard").hardlink_to(state)
        for command in ("approve", "reject", "convert"):
            for out in ("state", "soft", "hard", "./state"):
                args = [*arguments(command, state, "call_d"), "-o", f"{tmp_path}/{out}"]
                result = CliRunner().invoke(main, args)
                assert result.exit_code == 2
                assert "OUT is FILE itself" in result.stderr
                result = CliRunner().invoke(main, [*args, "--json"])
                assert result.exit_code == 2
                assert json.loads(result.stdout)["error"]["code"] == "usage"
        assert state.read_bytes() == corpus.read(PLAIN)

    def test_at_once(self, tmp_path: Path) -> None:
        """OUT is replaced whole: who has the old one open keeps it, and nothing else is left."""
        out = tmp_path / "out"
        out.write_text("old")
        out.chmod(0o640)
        with out.open() as old:
            args = ["approve", str(corpus.path(PLAIN)), "call_d", "-o", str(out)]
            assert CliRunner().invoke(main, args).exit_code == 0
            assert old.read() == "old"
        assert hitl.check(out.read_bytes()).problems == ()
        assert stat.S_IMODE(out.stat().st_mode) == 0o640
        assert [each.name for each in tmp_path.iterdir()] == ["out"]

    def test_as_private_as_the_state(self, tmp_path: Path) -> None:
        """A new file is as readable as the state it was made from; from stdin, by its owner."""
        state, out = tmp_path / "state", tmp_path / "out"
        state.write_bytes(corpus.read(PLAIN))
        for file, mode in ((str(state), 0o604), ("-", 0o600)):
            state.chmod(0o604)
            args = ["approve", file, "call_d", "-o", str(out)]
            CliRunner().invoke(main, args, input=corpus.read(PLAIN))
            assert stat.S_IMODE(out.stat().st_mode) == mode
            out.unlink()

    def test_device(self, tmp_path: Path) -> None:
        """A pipe is written to, not replaced."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
        args = ["approve", str(corpus.path(PLAIN)), "call_d", "-o", str(pipe)]
        assert CliRunner().invoke(main, args).exit_code == 0
        assert hitl.check(reader.communicate()[0]).problems == ()
        assert stat.S_ISFIFO(pipe.stat().st_mode)

    def test_cannot_be_written(self, tmp_path: Path) -> None:
        """A folder that is not there is one typed line."""
        args = ["approve", str(corpus.path(PLAIN)), "call_d", "-o", str(tmp_path / "no" / "out")]
        result = CliRunner().invoke(main, [*args, "--json"])
        assert result.exit_code == 1
        assert json.loads(result.stdout)["error"]["code"] == "file"


class TestStreams:
    def test_door(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """Whatever a command hands to the door, nothing leaves it that a terminal obeys."""
        output.data([EVIL])
        output.words(EVIL)
        output.machine({EVIL: [EVIL]})
        output.document(json.dumps(EVIL, ensure_ascii=False).encode(), "json")
        out, err = capsysbinary.readouterr()
        assert obeyed(out) | obeyed(err) == set()
        assert err.count(b"\n") == 1

    def test_processes(self, tmp_path: Path) -> None:
        """The whole cycle over pipes: binary, from process to process."""
        asked = ["convert", "-", "--to", transfer.NATIVE, "--codec", "msgpack"]
        native = hitl_process(*asked, input=corpus.read(PLAIN)).stdout
        decided = hitl_process("approve", "-", "call_d", "--by", "ana", input=native).stdout
        assert hitl.check(decided).codec == "msgpack"
        shown = hitl_process("show", "-", input=decided, cwd=tmp_path)
        assert b"approved by ana at " in shown.stdout

    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_reader_gone(self, tmp_path: Path, unbuffered: str) -> None:
        """Whoever closes the pipe early hears nothing more; that not all was written is told."""
        path = tmp_path / "large"
        long = b'\\"' + b"x" * 200_000 + b'\\"'
        path.write_bytes(corpus.read(PLAIN).replace(b'\\"/x\\"', long))
        pipe = (
            f'"{sys.executable}" -m hitl show --full "{path}" | head -c 10; exit ${{PIPESTATUS[0]}}'
        )
        env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(["bash", "-c", pipe], capture_output=True, check=False, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (1, b"format   o", b"")

    def test_narrow_encoding(self) -> None:
        """Letters that stdout cannot say are shown as escapes."""
        name = corpus.path("openai-agents-python/hitl/kinds_native")
        done = hitl_process("show", name, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        clean(done.returncode, done.stdout, done.stderr, [0])
        assert rb"SELECT '\xe9'" in done.stdout

    def test_binary_to_a_terminal(self, tmp_path: Path) -> None:
        """MessagePack is not written to a terminal."""
        main_end, terminal = os.openpty()
        asked = ["convert", corpus.path(PLAIN), "--to", transfer.NATIVE, "--codec", "msgpack"]
        command = [sys.executable, "-m", "hitl", *map(str, asked)]
        done = subprocess.run(
            command, stdout=terminal, stderr=subprocess.PIPE, check=False, cwd=tmp_path
        )
        os.close(terminal)
        os.close(main_end)
        assert done.returncode == 2
        assert b"msgpack is binary" in done.stderr

    def test_no_agent_sdk(self) -> None:
        """Deciding loads no agent SDK."""
        script = (
            "import sys\nfrom hitl.cli import main\n"
            f"main(['approve', {str(corpus.path(PLAIN))!r}, 'call_d'], standalone_mode=False)\n"
            "print(*sorted({'agents', 'mcp', 'openai', 'pydantic'} & set(sys.modules)),"
            " file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        assert done.stderr.splitlines()[-1] == b""

    def test_demo(self) -> None:
        """`hitl demo --json` gives the facts it proved."""
        done = hitl_process("demo", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["ran_after_approval"] == 1

    def test_version(self) -> None:
        """`--version` is the installed one."""
        assert CliRunner().invoke(main, ["--version"]).stdout == f"hitl {hitl.__version__}\n"
