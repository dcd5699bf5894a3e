"""The pure door: documents to run states and back, over every dialect and codec."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen

from hitl import registry
from hitl.border import NO_HINTS, Hints, left_behind
from hitl.dialect import Repaired, Source
from hitl.dialects import native
from hitl.document import DEFAULT_LIMITS, given
from hitl.errors import (
    DocumentError,
    HitlError,
    InvalidDocument,
    LossError,
    MalformedDocument,
    UnknownDialect,
    UnknownRepair,
    UnsupportedVersion,
)
from hitl.model import RunState, decide
from hitl.model.fit import under
from hitl.revision import Loss, Repair

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hitl.codec import Codec
    from hitl.dialect import Dialect
    from hitl.document import JSONObject, Limits

NATIVE = native.DIALECT.name
_NEWER = "the document is of a newer version than this hitl knows; what is new cannot be converted"


def dialects() -> dict[str, Dialect]:
    """Give every dialect by name."""
    found = cast("tuple[Dialect, ...]", registry.implementations("dialects", "DIALECT"))
    return {each.name: each for each in found}


def codecs() -> dict[str, Codec]:
    """Give every codec by name."""
    found = cast("tuple[Codec, ...]", registry.implementations("codecs", "CODEC"))
    return {each.name: each for each in found}


def loads(
    data: bytes | bytearray | str | JSONObject, *, limits: Limits = DEFAULT_LIMITS
) -> RunState:
    """Read a document of any dialect, version and codec; exact, repairs nothing.

    Args:
        data: the bytes or text of a document, or the dict an SDK's `to_json` gave.
        limits: what a document may cost to read.

    Returns:
        The run state. Its items are decoded when they are read.

    Raises:
        DocumentError: the document cannot be read; the class and path say why.
    """
    raw = given.as_bytes(data, limits)
    codec = _codec_of(raw)
    shape = codec.check(raw, limits)
    parts = codec.split(raw)
    source = Source(data=raw, parts=parts, codec=codec, shape=shape)
    return _flagged(_claimant(parts).load(source))


def dumps(
    state: RunState,
    *,
    dialect: str = NATIVE,
    version: str | None = None,
    codec: str = "json",
    allow_loss: bool = False,
    repairs: Collection[str] = (),
    rename: Mapping[str, str] | None = None,
    handoff_targets: Mapping[str, str] | None = None,
    agent_map: Mapping[str, str] | None = None,
) -> bytes:
    """Write a run state.

    A state that an older release wrote is repaired when it is written for a newer one, so that it
    resumes there; at its own version, and in native form, it is written as it was.

    Args:
        state: what to write.
        dialect: the format; native by default.
        version: its version; the newest by default, or the one the document came in when it is
            newer than hitl knows.
        codec: `json`, or `msgpack` for native documents.
        allow_loss: go on when the target must ask again or needs help; a loss that would make
            it run something different is never allowed.
        repairs: names of repairs that are done only when asked for; `check` lists them.
        rename: for another SDK: what pending tools and handoffs are called there.
        handoff_targets: for another SDK: name of a pending handoff to the agent it goes to.
        agent_map: for another SDK: name or identity (`Worker#2`) of an agent to the one it has
            there. Hints that a state does not need change nothing.

    Returns:
        The document.

    Raises:
        LossError: the target cannot hold the state.
        UnknownDialect: no such dialect or codec.
        UnsupportedVersion: the dialect has no such version.
        ArgumentsChanged: a decided call is not the one that was decided.
        UnknownRepair: no repair has that name.
        Relabelled: the state is to be repaired, and says what its version cannot.
    """
    return convert(
        state,
        dialect=dialect,
        version=version,
        codec=codec,
        allow_loss=allow_loss,
        repairs=repairs,
        rename=rename,
        handoff_targets=handoff_targets,
        agent_map=agent_map,
    ).data


@frozen(kw_only=True)
class Converted:
    """A written document and what it could not hold.

    Attributes:
        data: the document.
        dialect, version, codec: its format.
        losses: what is missing or changed; none of severity error.
        repairs: what was done so that the run resumes in the target.
    """

    data: bytes
    dialect: str
    version: str
    codec: str
    losses: tuple[Loss, ...]
    repairs: tuple[Repair, ...] = ()


def convert(
    state: RunState,
    *,
    dialect: str = NATIVE,
    version: str | None = None,
    codec: str = "json",
    allow_loss: bool = False,
    repairs: Collection[str] = (),
    rename: Mapping[str, str] | None = None,
    handoff_targets: Mapping[str, str] | None = None,
    agent_map: Mapping[str, str] | None = None,
) -> Converted:
    """Write a run state and say what the document could not hold; see `dumps`."""
    target = _dialect(dialect)
    label = _label(state, target, version)
    encoding = _codec(codec)
    if dialect != NATIVE and encoding.name != "json":
        raise UnknownDialect("expected the codec json for a document of an SDK, found another")
    hints = Hints(
        rename=rename or {}, handoff_targets=handoff_targets or {}, agent_map=agent_map or {}
    )
    repaired = _repaired(state, target, label, repairs)
    ready, losses = _ready(state, repaired, target, label, hints)
    refused = [each for each in losses if _stops(each, allow_loss=allow_loss)]
    if refused:
        worst = "error" if any(each.severity == "error" for each in refused) else "warn"
        message = f"{dialect} {label} cannot hold {len(refused)} value(s) of the run"
        hint = "allow_loss goes on" if worst == "warn" else _hint(refused)
        raise LossError(message, losses=refused, hint=hint)
    data = target.dump(ready, label, encoding)
    return Converted(
        data=data,
        dialect=dialect,
        version=label,
        codec=codec,
        losses=losses,
        repairs=repaired.applied(repairs),
    )


def taken_over(
    state: RunState, dialect: str, repairs: Collection[str] = (), known: Collection[str] = ()
) -> RunState:
    """Give a state of another SDK as far as its own dialect brings it, for one that goes on.

    Args:
        state: a state of any dialect; one of `dialect`, or that no SDK wrote, is given as it is.
        dialect: the dialect of the SDK that shall go on with it.
        repairs: names of repairs that are done only when asked for.
        known: names and identities of agents that somebody said are the right ones.

    Raises:
        LossError: it cannot be taken over.
        ArgumentsChanged: a recorded call is not the one its writer recorded.
    """
    origin = dialects().get(state.origin.dialect)
    if origin is None or origin.name in {dialect, NATIVE}:
        return state
    _read(state)
    repaired = origin.repair(state, origin.chain.newest, repairs)
    found = (*repaired.losses, *origin.leaving(state), *left_behind(repaired.state, known))
    refused = [each for each in found if each.severity == "error"]
    if refused:
        message = f"{dialect} cannot take over {len(refused)} value(s) of the run"
        raise LossError(f"{message}: {refused[0].reason}", losses=refused)
    return repaired.state


def pack(state: RunState) -> tuple[bytes, tuple[bytes, ...]]:
    """Write a run for a store: everything but the log, small; and the log's entries as they stand.

    Secrets are left out, as in a native document.
    """
    codec = _codec("json")
    return native.DIALECT.pack(state, codec), state.log.recode(codec.log).chunks


def unpack(head: bytes, entries: Sequence[bytes]) -> RunState:
    """Read what `pack` gave.

    Raises:
        DocumentError: a value does not fit its place.
    """
    return _flagged(native.DIALECT.unpack(head, entries, _codec("json")))


def losses_for(
    state: RunState, dialect: str, version: str | None = None, *, repairs: Collection[str] = ()
) -> tuple[Loss, ...]:
    """Give what a target cannot hold of `state`, without writing anything."""
    target = _dialect(dialect)
    label = _label(state, target, version)
    return _ready(state, _repaired(state, target, label, repairs), target, label, NO_HINTS)[1]


def _repaired(state: RunState, target: Dialect, label: str, names: Collection[str]) -> Repaired:
    """Repair a state for the target: as far as its own dialect goes, if the target is another."""
    refuse_unknown(names)
    origin = dialects().get(state.origin.dialect)
    if target.name == NATIVE:
        return Repaired(state=state)
    _read(state)
    if origin is None:
        return Repaired(state=state)
    return origin.repair(state, label if origin is target else origin.chain.newest, names)


def refuse_unknown(names: Collection[str]) -> None:
    """Refuse names that no dialect knows; a repair that a state does not need changes nothing."""
    known = {mend.name for each in dialects().values() for mend in each.chain.mends}
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise UnknownRepair(f"expected the name of a repair ({listed}), found {name!r}")


def _ready(
    given: RunState, repaired: Repaired, target: Dialect, label: str, hints: Hints
) -> tuple[RunState, tuple[Loss, ...]]:
    """Give a state as the target takes it, and what it loses on the way."""
    state = repaired.state
    origin = dialects().get(state.origin.dialect)
    found: list[Loss] = []
    if target.name != NATIVE and state.origin.dialect not in {target.name, NATIVE}:
        if origin is not None:
            found += hints.misnamed(state, origin.handoff_name, target.handoff_name)
            found += origin.leaving(given)
        found += hints.joined(state)
        state = hints.applied(state)
        found += left_behind(state, {*hints.agent_map.values()})
    return state, (*_losses(state, target, label), *found, *repaired.losses)


def _losses(state: RunState, target: Dialect, label: str) -> tuple[Loss, ...]:
    found: Sequence[Loss] = target.losses(state, label)
    newer = state.newer
    own = newer is not None and (newer.dialect, newer.version) == (target.name, label)
    if newer is not None and not own:
        found = (*found, Loss(path="", severity="warn", reason=_NEWER))
    return tuple(found)


@frozen(kw_only=True)
class Report:
    """What `check` found.

    Attributes:
        dialect, version, codec: the document's format.
        newer: whether the version is newer than this hitl knows.
        state: the run state; None when the document cannot be read.
        problems: what stands in the way of going on, each with its path: an unreadable document,
            a decided call that was changed.
        losses: what the target cannot hold.
        repairs: changes that make an old state resume correctly where the target is read; those
            with `opt_in` only when asked for by name.
    """

    dialect: str | None = None
    version: str | None = None
    codec: str | None = None
    newer: bool = False
    state: RunState | None = None
    problems: tuple[HitlError, ...] = ()
    losses: tuple[Loss, ...] = ()
    repairs: tuple[Repair, ...] = ()


def check(
    data: bytes | bytearray | str | JSONObject,
    *,
    dialect: str | None = None,
    version: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Report:
    """Say what a document is and what stands in the way of going on with it; raises nothing.

    Every entry of the log is read, so a fault anywhere in the document is found.

    Args:
        data: the document.
        dialect: the target to report losses for; by default the document's own.
        version: the target's version; by default its newest.
        limits: what a document may cost to read.
    """
    try:
        raw = given.as_bytes(data, limits)
        codec = _codec_of(raw)
        shape = codec.check(raw, limits)
        parts = codec.split(raw)
        source = _claimant(parts)
        state = _flagged(source.load(Source(data=raw, parts=parts, codec=codec, shape=shape)))
        _read(state)
        found = source.format(parts, codec)
    except HitlError as exc:
        return Report(problems=(exc,))
    report = Report(
        dialect=found.dialect,
        version=found.version,
        codec=codec.name,
        newer=state.newer is not None,
        state=state,
    )
    problems: list[HitlError] = []
    losses: tuple[Loss, ...] = ()
    repairs: tuple[Repair, ...] = ()
    try:
        problems.extend(decide.suspect(state))
        decide.verify(state)
        own = dialect is None
        losses = losses_for(state, dialect or found.dialect, found.version if own else version)
        repairs = _listed(state, dialect, version)
    except HitlError as exc:
        problems.append(exc)
    return evolve(report, problems=tuple(problems), losses=losses, repairs=repairs)


def _listed(state: RunState, dialect: str | None, version: str | None) -> tuple[Repair, ...]:
    """Give the repairs on the way to a target; to the newest of its own dialect if none is said."""
    target = _dialect(dialect or state.origin.dialect)
    return _repaired(state, target, _label(state, target, version), ()).repairs


def _flagged(state: RunState) -> RunState:
    """Flag a state that was first written in a newer minor of another dialect than its document's.

    A native document holds what such a state says, and not that hitl did not understand all of it.
    """
    origin = dialects().get(state.origin.dialect)
    if state.newer is not None or origin is None:
        return state
    try:
        newer = origin.chain.newer(state.origin.version)
    except UnsupportedVersion:  # no version that hitl could have read
        return state
    return evolve(state, newer=state.origin) if newer else state


def _read(state: RunState) -> None:
    """Read every entry, those of runs inside too: a fault in one is found here."""
    agents = len(state.agents)
    for index, record in enumerate(state.log):
        for name in ("agent", "source", "target"):
            position = getattr(record.item, name, None)
            if position is not None and not 0 <= position < agents:
                message = f"expected an agent below {agents}, found another"
                raise InvalidDocument(message, path=f"/items/{index}/item/{name}")
    for index, (_, run) in enumerate(decide.nested_runs(state)):
        try:
            _read(run)
        except DocumentError as exc:
            raise under(exc, f"/runs/{index}") from exc


def _hint(refused: Sequence[Loss]) -> str | None:
    """Give what helps against all that is refused, if anything does against each."""
    hints = dict.fromkeys(each.hint for each in refused if each.severity == "error")
    return None if None in hints else "; ".join(str(each) for each in hints)


def _stops(loss: Loss, *, allow_loss: bool) -> bool:
    return loss.severity == "error" or (loss.severity == "warn" and not allow_loss)


def _label(state: RunState, target: Dialect, version: str | None) -> str:
    own = state.newer is not None and state.newer.dialect == target.name
    if own and state.newer is not None and version in {None, state.newer.version}:
        return state.newer.version
    if version is None:
        return target.chain.newest
    target.chain.index(version)
    return version


def _dialect(name: str) -> Dialect:
    if name not in dialects():
        known = ", ".join(sorted(dialects()))
        raise UnknownDialect(f"expected a dialect ({known}), found another name")
    return dialects()[name]


def _codec(name: str) -> Codec:
    if name not in codecs():
        known = ", ".join(sorted(codecs()))
        raise UnknownDialect(f"expected a codec ({known}), found another name")
    return codecs()[name]


def _claimant(keys: dict[str, bytes]) -> Dialect:
    found = [each for each in dialects().values() if each.claims(keys)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(each.name for each in found)) or "none"
    hint = f"known dialects: {', '.join(sorted(dialects()))}"
    raise UnknownDialect(
        f"expected one dialect to claim the document, found {names}", path="", hint=hint
    )


def _codec_of(data: bytes) -> Codec:
    for codec in codecs().values():
        if codec.claims(data):
            return codec
    raise MalformedDocument("expected JSON or MessagePack, found something else")
