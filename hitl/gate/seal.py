"""What is stored must be what was written: sealed bytes, a mark on every row, a chained log.

A mark is the SHA-256 of all columns of a row, the names of its table and of its run included, so
that a flipped byte and a row that was swapped or relabelled are seen. It is no signature: who can
write the database can make a mark. With a cipher that authenticates (AES-GCM, Fernet) the mark is
sealed too, and then nobody without the key can.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from hitl.errors import StoreCorrupt
from hitl.store import Cipher, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LENGTH = 8  # bytes before each entry of a segment


@frozen
class Seal:
    """How bytes go into a database and come back.

    Attributes:
        cipher: encrypts them; None leaves them as they are.
    """

    cipher: Cipher | None = None

    def close(self, data: bytes) -> bytes:
        """Give what is stored for `data`."""
        return data if self.cipher is None else self.cipher.seal(data)

    def open(self, stored: bytes) -> bytes:
        """Give what was stored.

        Raises:
            StoreCorrupt: the cipher does not know it.
        """
        if self.cipher is None:
            return stored
        try:
            return self.cipher.open(stored)
        except Exception as exc:  # a cipher raises what it likes
            raise StoreCorrupt(
                "the cipher does not open what is stored", hint="is it the key it was sealed with?"
            ) from exc

    def mark(self, table: str, run_id: str, values: Iterable[object]) -> bytes:
        """Give the mark of a row."""
        return self.close(_digest(table, run_id, values))

    def check(self, mark: object, table: str, run_id: str, values: Iterable[object]) -> None:
        """Compare a row with its mark.

        Raises:
            StoreCorrupt: it is not the row that was written.
        """
        found = self.open(mark) if isinstance(mark, bytes) else b""
        if not hmac.compare_digest(found, _digest(table, run_id, values)):
            raise StoreCorrupt(f"a row of the table {table} is not what was written")

    def close_verdict(self, verdict: Verdict | None) -> bytes | None:
        """Give what is stored for a verdict."""
        return None if verdict is None else self.close(msgspec.json.encode(verdict))

    def open_verdict(self, stored: bytes | None) -> Verdict | None:
        """Give a verdict that was stored; the mark of its row has been checked."""
        return None if stored is None else msgspec.json.decode(self.open(stored), type=Verdict)

    def close_entries(self, entries: Sequence[bytes]) -> bytes:
        """Give the data of a segment."""
        framed = (len(each).to_bytes(_LENGTH, "big") + each for each in entries)
        return self.close(b"".join(framed))

    def open_entries(self, stored: bytes) -> Iterator[bytes]:
        """Give the entries of a segment whose digest has been checked."""
        data, at = self.open(stored), 0
        while at < len(data):
            begin = at + _LENGTH
            at = begin + int.from_bytes(data[at:begin], "big")
            yield data[begin:at]


def origin(run_id: str, kickoff_sha256: str) -> bytes:
    """Give what the first segment of a log is chained to: the log of one run fits no other."""
    return hashlib.sha256(f"{run_id}\n{kickoff_sha256}".encode()).digest()


def link(previous: bytes, data: bytes) -> bytes:
    """Give the digest of a segment: SHA-256 of the one before and its own data."""
    chain = hashlib.sha256(previous)
    chain.update(data)
    return chain.digest()


def _digest(table: str, run_id: str, values: Iterable[object]) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode((table, run_id, *values))).digest()
