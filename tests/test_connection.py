"""The door to stores: URLs and verdicts."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hitl
from hitl.errors import ValueRefused
from hitl.store import Verdict
from hitl.stores.memory import MemoryStore
from hitl.stores.sqlite import SQLiteStore


class TestConnect:
    def test_memory(self) -> None:
        """`memory:` is a store of its own each time."""
        one, two = hitl.connect("memory:"), hitl.connect("memory:")
        assert isinstance(one, MemoryStore)
        assert one is not two

    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("sqlite:///runs.db", "runs.db"),
            ("sqlite:////var/runs.db", "/var/runs.db"),
            ("sqlite:///a%20b.db", "a b.db"),
        ],
    )
    def test_sqlite(self, url: str, path: str) -> None:
        """Three slashes are relative, four absolute, as in SQLAlchemy."""
        store = hitl.connect(url)
        assert isinstance(store, SQLiteStore)
        assert store._session._path == path

    @pytest.mark.parametrize(
        "url",
        ["", "runs.db", "sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x",
         "sqlite:///a%00b", "oracle://scott:tiger@db"],
    )  # fmt: skip
    def test_no_store(self, url: str) -> None:
        """Another URL is refused, and not repeated: it may hold a password."""
        with pytest.raises(ValueRefused) as caught:
            hitl.connect(url)
        assert "tiger" not in str(caught.value)

    def test_import_is_cheap(self) -> None:
        """`import hitl` loads neither sqlite3 nor the contract of stores."""
        script = "import sys, hitl; print(*{'sqlite3', 'hitl.store'} & set(sys.modules))"
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert run.stdout.split() == []


class TestVerdicts:
    def test_approve(self) -> None:
        """Approve says yes, with all that is recorded of it."""
        found = hitl.approve(by="ana", always=True, reason="fine", arguments_sha256="x")
        expected = Verdict(
            approved=True, by="ana", always=True, reason="fine", arguments_sha256="x"
        )
        assert found == expected

    def test_reject(self) -> None:
        """Reject says no, with what the model is told."""
        assert hitl.reject(message="no", by="bob") == Verdict(
            approved=False, message="no", by="bob"
        )
