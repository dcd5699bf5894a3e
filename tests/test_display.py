"""Rule 8: what a person sees is what is there, and nothing that a terminal obeys."""

from __future__ import annotations

import codecs
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hitl.cli.display import safe_display, safe_json

# Dense in what is meant to deceive, and in what is not.
DECEIVING = "\x00\x07\x1b\x7f\x9b\u00ad\u034f\u200b\u202e\u2066\u2800\u3164\ufe0f\ud800\U000e0041"
TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Mn", "Mc", "Me", "Cf", "Zs"]),
        st.sampled_from(DECEIVING + 'aé"\\ '),
    )
)
ESCAPE = re.compile(r"\\[tnr]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}")


def undone(text: str) -> str:
    """The text with its escapes read back."""
    return ESCAPE.sub(lambda found: codecs.decode(found[0], "unicode_escape"), text)


class TestSafeDisplay:
    @given(TEXTS)
    @example(DECEIVING)
    def test_printable(self, text: str) -> None:
        """What is shown is printable and stands on one line."""
        assert safe_display(text).text.isprintable()

    @given(TEXTS.filter(lambda text: "\\" not in text))
    def test_reversible(self, text: str) -> None:
        """The escapes give the text back, and there are as many as were counted."""
        shown = safe_display(text)
        assert undone(shown.text) == text
        assert len(ESCAPE.findall(shown.text)) == shown.escaped

    @given(TEXTS)
    def test_settled(self, text: str) -> None:
        """What was made safe once is left as it is."""
        once = safe_display(text).text
        assert safe_display(once) == type(safe_display(""))(once)

    @given(TEXTS, st.integers(0, 20))
    def test_limit(self, text: str, limit: int) -> None:
        """What is not shown is counted: shown and hidden together are the text."""
        shown = safe_display(text, limit)
        assert shown.hidden == max(0, len(text) - limit)
        assert (f"[... {shown.hidden:,} more ...]" in shown.text) >= bool(shown.hidden)

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
    def test_ascii_stays(self, text: str) -> None:
        """Plain text, backslashes and quotes too, is shown exactly."""
        assert safe_display(text).text == text

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
            ("\x9b31m", r"\x9b31m"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("a\u202egpj.exe", r"a\u202egpj.exe"),
            ("a\u2066b\u200fc\u061c", r"a\u2066b\u200fc\u061c"),
            ("a\u200b\u200d\ufeffb", r"a\u200b\u200d\ufeffb"),
            ("\u3164\u115f\u1160\uffa0\u2800", r"\u3164\u115f\u1160\uffa0\u2800"),
            ("a\u2028b\u2029", r"a\u2028b\u2029"),
            ("a\u00a0b\u3000", r"a\xa0b\u3000"),
            ("A\U000e0041", r"A\U000e0041"),
            ("A\ufe0f\U000e0100", r"A\ufe0f\U000e0100"),
            ("\ue000\U0010fffd", r"\ue000\U0010fffd"),
            ("\u0378", r"\u0378"),
            ("\ud800", r"\ud800"),
            ("\U0001d159\ufffc", r"\U0001d159\ufffc"),
            ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + r"\u0301\u0301"),
            ("\u0301e", r"\u0301e"),
            ("\u200b\u0301", r"\u200b\u0301"),
        ],
    )
    def test_shown(self, text: str, shown: str) -> None:
        """Each way to deceive is shown as what it is."""
        assert safe_display(text).text == shown

    @pytest.mark.parametrize("text", ["naïve", "日本語", "नमस्ते", "שלום", "Ελλάδα", "🙂", "ภาษาไทย"])
    def test_languages_stay(self, text: str) -> None:
        """Letters of living languages are shown as themselves."""
        assert safe_display(text).text == text

    def test_both_ends(self) -> None:
        """Of a long text the end is shown too: padding does not push it out of sight."""
        shown = safe_display("rm " + " " * 5000 + "-rf /", 20)
        assert shown.text.startswith("rm ")
        assert shown.text.endswith("-rf /")
        assert shown.note == "4,988 characters not shown"

    def test_note(self) -> None:
        """The reader is told how many characters are escapes."""
        assert "2 invisible" in str(safe_display("a\u200b\u200b"))
        assert str(safe_display("plain")) == "plain"


class TestSafeJson:
    @given(st.recursive(TEXTS, lambda inner: st.dictionaries(TEXTS, inner), max_leaves=5))
    @example(DECEIVING)
    def test_same_document(self, value: object) -> None:
        """It is the same document, and no character of it is one to be escaped."""
        text = json.dumps(value, ensure_ascii=False, indent=1)
        safe = safe_json(text)
        assert json.loads(safe) == value
        assert safe_display(safe.replace("\n", "")).escaped == 0
