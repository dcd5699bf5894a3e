"""Version chains: order from links, and every way a chain can be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hitl import transfer
from hitl.errors import RevisionError, UnsupportedVersion
from hitl.revision import Chain, Loss, Revision

if TYPE_CHECKING:
    from hitl.document import JSONObject

LOSS = Loss(path="/new", severity="warn", reason="there is no place for it")


def revision(version: str, parent: str | None) -> Revision:
    """A version that adds one key, named after itself."""

    def upgrade(document: JSONObject) -> JSONObject:
        return {**document, version: True}

    def downgrade(document: JSONObject) -> JSONObject:
        return {key: value for key, value in document.items() if key != version}

    return Revision(
        version=version,
        parent=parent,
        summary="one key",
        source="this test",
        upgrade=upgrade,
        downgrade=downgrade,
        losses=lambda document: [LOSS] if document.get(version) else [],
    )


CHAIN = Chain("test", [revision("1.2", "1.1"), revision("1.0", None), revision("1.1", "1.0")])


class TestOrder:
    def test_from_links(self) -> None:
        """The order comes from `parent`, not from the list or the names."""
        assert CHAIN.versions == ("1.0", "1.1", "1.2")
        assert CHAIN.newest == "1.2"

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ([], "no path from the first version to: any version"),
            ([("1.1", "1.0")], "no path from the first version to: 1.1"),
            ([("1.0", None), ("1.2", "1.1")], "no path from the first version to: 1.2"),
            ([("1.0", None), ("1.1", None)], "two versions have the parent None: 1.0 and 1.1"),
            (
                [("1.0", None), ("1.1", "1.0"), ("1.2", "1.0")],
                "two versions have the parent 1.0: 1.1 and 1.2",
            ),
            (
                [("1.0", None), ("1.2", "1.3"), ("1.3", "1.2")],
                "no path from the first version to: 1.2, 1.3",
            ),
        ],
        ids=["empty", "no first", "gap", "two heads", "fork", "circle"],
    )
    def test_wrong(self, given: list[tuple[str, str | None]], text: str) -> None:
        """A gap, a fork, two heads and a circle are refused when the chain is built."""
        with pytest.raises(RevisionError) as caught:
            Chain("test", [revision(version, parent) for version, parent in given])
        assert str(caught.value) == text


class TestSteps:
    def test_up_and_down(self) -> None:
        """Law 2: upgrading and downgrading again gives the document back."""
        given: JSONObject = {"a": 1}
        newest = CHAIN.upgrade(given, "1.0")
        assert newest == {"a": 1, "1.1": True, "1.2": True}
        assert CHAIN.downgrade(newest, "1.1") == {"a": 1, "1.1": True}
        assert CHAIN.downgrade(newest, "1.0") == given
        assert given == {"a": 1}

    def test_losses(self) -> None:
        """Each step down says what it loses of what the step above left."""
        newest = CHAIN.upgrade({}, "1.0")
        assert [len(CHAIN.losses(newest, each)) for each in CHAIN.versions] == [2, 1, 0]

    def test_same_version(self) -> None:
        """The newest version is one step from itself: none."""
        assert CHAIN.upgrade({"a": 1}, "1.2") == {"a": 1} == CHAIN.downgrade({"a": 1}, "1.2")


class TestLabels:
    @pytest.mark.parametrize("version", ["1.3", "1.20", "1.999999"])
    def test_newer_minor(self, version: str) -> None:
        """A newer minor is flagged."""
        assert CHAIN.newer(version)

    @pytest.mark.parametrize("version", CHAIN.versions)
    def test_known(self, version: str) -> None:
        """A known version is not newer."""
        assert not CHAIN.newer(version)

    @pytest.mark.parametrize(
        "version",
        [
            "0.9",
            "2.0",
            "1",
            "1.",
            ".1",
            "1.2.3",
            "1.03",
            "01.3",
            "-1.3",
            "1.٣",
            " 1.3",
            "1.3\n",
            "x",
            "1.9999999",
        ],
    )
    def test_refused(self, version: str) -> None:
        """Another major, a label that never was, or no label."""
        with pytest.raises(
            UnsupportedVersion, match=r"^expected a version of test up to 1\.2, found"
        ) as caught:
            CHAIN.newer(version, "/version")
        assert caught.value.path == "/version"

    def test_unknown(self) -> None:
        """A version to go to must be one of the chain."""
        with pytest.raises(
            UnsupportedVersion, match=r"^expected a version of test: 1\.0, 1\.1, 1\.2"
        ):
            CHAIN.index("1.3")


class TestOurs:
    @pytest.mark.parametrize("dialect", sorted(transfer.dialects()))
    def test_says_what_it_added(self, dialect: str) -> None:
        """Every version has a summary and a source, and belongs to its dialect's chain."""
        chain = transfer.dialects()[dialect].chain
        assert chain.dialect == dialect
        for each in chain.revisions:
            assert each.summary
            assert each.source
