"""Every store keeps the contract: the conformance kit, on memory and SQLite."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import hitl
from hitl.stores.memory import MemoryStore
from hitl.testing import stores

if TYPE_CHECKING:
    from pathlib import Path

    from hitl.store import Store
    from hitl.testing.stores import Check


class Xor:
    """No cipher at all, but what it writes is not what it was given."""

    def seal(self, data: bytes) -> bytes:
        """Change every byte."""
        return b"sealed" + bytes(byte ^ 0x5A for byte in data)

    def open(self, data: bytes) -> bytes:
        """Change them back."""
        if not data.startswith(b"sealed"):
            message = "not sealed here"
            raise ValueError(message)
        return bytes(byte ^ 0x5A for byte in data[6:])


@pytest.mark.parametrize("check", stores.CHECKS, ids=stores.name)
class TestConformance:
    def test_memory(self, check: Check) -> None:
        """Memory does what the check says."""
        store = MemoryStore()
        asyncio.run(stores.run(check, lambda: store))

    @pytest.mark.parametrize("cipher", [None, Xor()], ids=["plain", "sealed"])
    def test_sqlite(self, check: Check, cipher: Xor | None, tmp_path: Path) -> None:
        """SQLite does what the check says, with and without a cipher."""
        url = f"sqlite:///{tmp_path}/runs.db"
        asyncio.run(stores.run(check, lambda: hitl.connect(url, cipher=cipher)))


class TestKit:
    def test_one_line(self, tmp_path: Path) -> None:
        """All checks run on one database, one after the other."""
        asyncio.run(stores.conform(lambda: hitl.connect(f"sqlite:///{tmp_path}/runs.db")))

    def test_names_what_failed(self) -> None:
        """A store that fails is told the check it failed."""

        class Forgetful(MemoryStore):
            async def delete(self, run_id: str) -> None:
                """Say that it did."""

        store: Store = Forgetful()
        with pytest.raises(AssertionError, match=r"^unknown_run: expected UnknownRun"):
            asyncio.run(stores.conform(lambda: store))
