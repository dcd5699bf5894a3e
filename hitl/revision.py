"""Version chains: how a document of one dialect gets from version to version, and what that costs.

A chain knows no dialect. Its revisions are modules with four data lines and two functions; their
order comes from `parent` links, not from names. A fork, a gap or two heads is refused when the
chain is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from attrs import field, frozen

from hitl.document import JSONObject, JSONValue
from hitl.errors import RevisionError, UnsupportedVersion

Severity = Literal["info", "warn", "error"]
"""info: only display, cost, audit or tracing changes. warn: the target asks again or needs help.
error: the target would run something different."""


@frozen(kw_only=True)
class Loss:
    """A value a target dialect or version cannot hold.

    Attributes:
        path: JSON Pointer to it in the document or state that was converted.
        severity: what losing it does.
        reason: one sentence, without the value.
        hint: the next step for whoever converts it; None when there is none.
    """

    path: str
    severity: Severity
    reason: str
    hint: str | None = None


@frozen(kw_only=True)
class Repair:
    """A change that makes an old state resume correctly.

    Attributes:
        name: its name, as `--repair` takes it.
        path: JSON Pointer to what it changes.
        reason: one sentence.
        widens: whether it gives a permission the document does not prove.
        opt_in: whether it is done only when asked for by name; what widens always is.
    """

    name: str
    path: str
    reason: str
    widens: bool = False
    opt_in: bool = False


S = TypeVar("S")


def _nothing(_: object) -> Sequence[Loss]:
    return ()


@frozen(kw_only=True)
class Mend(Generic[S]):
    """How to repair the states of every version before the one that declares it.

    Attributes:
        name: its name; two mends that a person asks for together share one.
        reason: one sentence: what is wrong, and what is done.
        places: JSON Pointers to what it would change in a state.
        change: gives the state repaired; None where nothing can be.
        widens: whether it gives a permission the document does not prove.
        opt_in: whether it is done only when asked for by name.
        left: what is lost as long as a state stays as it is; asked after the repairs.
    """

    name: str
    reason: str
    places: Callable[[S], Iterable[str]] = _nothing  # type: ignore[assignment]
    change: Callable[[S], S] | None = None
    widens: bool = False
    opt_in: bool = False
    left: Callable[[S], Iterable[Loss]] = _nothing


@frozen(kw_only=True)
class Added:
    """A key that a version added to the objects of one definition of its schema, or changed there.

    Attributes:
        place: the definition: which objects have the key.
        key: the key.
        schema: JSON Schema of its value.
        required: whether every object has it; the writers of one label differ more than it seems.
        changed: whether the version before has the key too, with other values: the key stays on
            the way down, and the version's own `downgrade` brings the value back.
        severity: what losing the key does; None when the version's own `losses` say it.
        reason: one sentence for the loss.
        says: whether a value says anything; one that does not is no loss.
        new: of a changed key, whether the version before could not have written a value.
        defines: definitions that `schema` refers to.
    """

    place: str
    key: str
    schema: JSONObject
    required: bool = False
    changed: bool = False
    severity: Severity | None = None
    reason: str = ""
    says: Callable[[JSONValue], bool] = bool
    new: Callable[[JSONValue], bool] = lambda _: False
    defines: Mapping[str, JSONObject] = field(factory=dict)


_LABEL = re.compile(r"(?:0|[1-9][0-9]{0,5})\.(?:0|[1-9][0-9]{0,5})")

_LABEL_LENGTH = 16

Step: TypeAlias = Callable[[JSONObject], JSONObject]


def _unchanged(document: JSONObject) -> JSONObject:
    return document


@frozen(kw_only=True)
class Revision:
    """One version of a dialect.

    Attributes:
        version: its label, `major.minor`.
        parent: the version before it; None for the first.
        summary: one line: what it added.
        source: release, or file, that first wrote it.
        upgrade: a document of the parent version to this one; exact, invents nothing.
        downgrade: the other way.
        losses: what the parent version cannot hold of a document of this one.
        added: what it added to the shape; of the first version, nothing: its whole shape is
            the schema that the others add to.
        mends: what states of the versions before it need to resume where this one is read.
    """

    version: str
    parent: str | None
    summary: str
    source: str
    upgrade: Step = _unchanged
    downgrade: Step = _unchanged
    losses: Callable[[JSONObject], Sequence[Loss]] = lambda _: ()
    added: tuple[Added, ...] = ()
    mends: tuple[Mend[Any], ...] = ()


def _ordered(given: Iterable[Revision]) -> tuple[Revision, ...]:
    by_parent: dict[str | None, Revision] = {}
    revisions = tuple(given)
    for revision in revisions:
        if revision.parent in by_parent:
            both = f"{by_parent[revision.parent].version} and {revision.version}"
            raise RevisionError(f"two versions have the parent {revision.parent}: {both}")
        by_parent[revision.parent] = revision
    ordered: list[Revision] = []
    parent = None
    while parent in by_parent:
        ordered.append(by_parent.pop(parent))
        parent = ordered[-1].version
    if by_parent or not ordered:
        lost = ", ".join(sorted(revision.version for revision in by_parent.values()))
        raise RevisionError(f"no path from the first version to: {lost or 'any version'}")
    return tuple(ordered)


@frozen
class Chain:
    """The versions of one dialect, oldest first.

    Attributes:
        dialect: whose versions these are.
        revisions: oldest first.
    """

    dialect: str
    revisions: tuple[Revision, ...] = field(converter=_ordered)

    @property
    def newest(self) -> str:
        """The version this hitl writes when none is asked for."""
        return self.revisions[-1].version

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version read and written, oldest first."""
        return tuple(revision.version for revision in self.revisions)

    @property
    def mends(self) -> tuple[Mend[Any], ...]:
        """Every repair that a version declares, in the order they are made."""
        return tuple(mend for revision in self.revisions for mend in revision.mends)

    def newer(self, version: str, path: str | None = None) -> bool:
        """Tell whether `version` is a newer minor than the newest known.

        Args:
            version: the label a document carries.
            path: where it stands, for the error.

        Raises:
            UnsupportedVersion: not a `major.minor` label, another major, or an unknown older one.
        """
        if version in self.versions:
            return False
        known, given = _number(self.newest), _number(version)
        if given is None or known is None or given[0] != known[0] or given < known:
            message = f"expected a version of {self.dialect} up to {self.newest}, found another"
            raise UnsupportedVersion(message, path=path)
        return True

    def upgrade(self, document: JSONObject, version: str) -> JSONObject:
        """Bring `document` from `version` to the newest; exact."""
        for revision in self.revisions[self.index(version) + 1 :]:
            document = revision.upgrade(document)
        return document

    def downgrade(self, document: JSONObject, version: str) -> JSONObject:
        """Bring `document` from the newest version down to `version`."""
        for revision in reversed(self.revisions[self.index(version) + 1 :]):
            document = revision.downgrade(document)
        return document

    def losses(self, document: JSONObject, version: str) -> tuple[Loss, ...]:
        """Give what `document`, of the newest version, loses on the way down to `version`."""
        found: list[Loss] = []
        for revision in reversed(self.revisions[self.index(version) + 1 :]):
            found += revision.losses(document)
            document = revision.downgrade(document)
        return tuple(found)

    def later(self, version: str, target: str) -> tuple[Revision, ...]:
        """Give the revisions after `version` up to `target`; none on the way down."""
        return self.revisions[self.index(version) + 1 : self.index(target) + 1]

    def index(self, version: str) -> int:
        """Give the place of `version` in the chain.

        Raises:
            UnsupportedVersion: the dialect has no such version.
        """
        if version not in self.versions:
            raise UnsupportedVersion(
                f"expected a version of {self.dialect}: {', '.join(self.versions)}; found another"
            )
        return self.versions.index(version)


def _number(version: str) -> tuple[int, int] | None:
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if _LABEL.fullmatch(version) else None
