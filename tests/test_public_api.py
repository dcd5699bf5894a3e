"""The public API changes on purpose or not at all."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

import hitl
from tests import public_api

if TYPE_CHECKING:
    from pathlib import Path

HINT = "meant? Then run `python -m tests.public_api --write` and say so in CHANGELOG.md"


class TestSnapshot:
    def test_source_is_as_committed(self) -> None:
        """Names, signatures and defaults of the source are those of `public_api.txt`."""
        committed = public_api.SNAPSHOT.read_text(encoding="utf-8").splitlines()
        change = difflib.unified_diff(
            committed, public_api.describe(), "committed", "source", lineterm="", n=0
        )
        difference = "\n".join(change)
        assert not difference, f"the public API changed:\n{difference}\n{HINT}"

    def test_reads_every_kind(self, tmp_path: Path) -> None:
        """A function, a class with its bases, a field, a property and an error each have a line."""
        package = tmp_path / "hitl"
        package.mkdir()
        (package / "errors.py").write_text("class Wrong(Exception):\n    code: str = 'wrong'\n")
        (package / "model.py").write_text(
            "class Base:\n    low: int = 0\n"
            "class State(Base):\n    top: int\n    @property\n    def size(self) -> int: ...\n"
            "async def run(agent: object, *, at: int | None = None) -> State: ...\n"
        )
        (package / "__init__.py").write_text(
            "from hitl.errors import Wrong\nfrom hitl.model import State, run\n"
            "__all__ = ['State', 'Wrong', 'run']\n"
        )
        assert public_api.describe(tmp_path) == [
            "async hitl.run(agent: object, *, at: int | None = None) -> State",
            "class hitl.State(Base)",
            "class hitl.errors.Wrong(Exception)",
            "hitl.State.low: int = 0",
            "hitl.State.top: int",
            "hitl.Wrong is hitl.errors.Wrong",
            "hitl.errors.Wrong.code: str = 'wrong'",
            "property hitl.State.size: int",
        ]


class TestShopWindow:
    def test_nothing_but_the_public_names(self) -> None:
        """What `hitl/__init__.py` names without an underscore is in `__all__`."""
        assert public_api.strays() == []

    @pytest.mark.parametrize("name", public_api.exports())
    def test_name_is_there(self, name: str) -> None:
        """A name in `__all__` can be had, also when it is loaded late."""
        assert hasattr(hitl, name)

    def test_sorted(self) -> None:
        """`__all__` is in order and names nothing twice."""
        assert public_api.exports() == sorted(set(public_api.exports()))
