"""The session of a durable run: put right before the run goes on, and written to once.

A session is a store of the user's without our fence. So each append asks first whether the claim
still holds, leaves out what is there already (`hitl.once`), and what a stopped worker wrote all the
same is taken back by the next one (`hitl.conversation.reconcile`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import field, mutable

from hitl import document, values
from hitl.conversation import Mark, SessionPlan, mark, reconcile, restart
from hitl.conversation.entry import content_of
from hitl.errors import HitlError, SessionMismatch
from hitl.lifecycle import taken
from hitl.model.fit import fit
from hitl.runtime.durable import keep
from hitl.runtime.durable.gate import Gate, Halt
from hitl.runtime.durable.response import load_response, said
from hitl.runtime.durable.turn import GIVEN_UP, SESSION, recorded, turn_of
from hitl.runtime.once import Once
from hitl.store import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from agents import RunConfig

    from hitl.document import JSONObject
    from hitl.model import RunState
    from hitl.runtime.durable.kickoff import Kickoff
    from hitl.runtime.sdk import AnyState
    from hitl.store import Effect

log = logging.getLogger("hitl")

_ALL = 2**31 - 1  # where a session would otherwise give its newest few
_PAGE = 100  # the most a server gives where a release asks it for all at once
_EARLY = "repair_session=True takes it back, unless another turn stands behind it"
_HINT = "pass the session of the run, or allow_other_session=True"


@mutable(kw_only=True, eq=False)
class Memory:
    """The session of one claim's run; without one, nothing.

    Attributes:
        session: the user's.
        gate: whether the claim holds.
        repair: whether what stands there twice is taken back.
        allow_other: whether the run may go on without its session, or with another one.
        stored: the run as it was claimed; None when it begins.
        cut: whether a worker died before somebody wrote the newest checkpoint to add input.
        report: what was found there when the run was taken up, and done about it.
        marks: names of the effects that say where the run begins there; no use once there is a
            checkpoint.
    """

    session: Any
    gate: Gate
    repair: bool = False
    allow_other: bool = False
    stored: Stored | None = None
    cut: bool = False
    report: SessionPlan | None = field(default=None, init=False)
    marks: list[str] = field(factory=list, init=False)
    _unmarked: bool = field(default=False, init=False)
    _there: list[Any] = field(factory=list, init=False)
    _begins: bool = field(default=False, init=False)

    @property
    def guarded(self) -> Any:  # noqa: ANN401 - what stands for the user's session
        """The session as the SDK is given it."""
        if self.session is None:
            return None
        return Once(self.session, self._before, self._there, hides=self._begins)

    @property
    def _said(self) -> list[JSONObject]:
        """What the run's models are known to have answered that no checkpoint holds."""
        effects = () if self.stored is None else self.stored.effects
        return [*_given_up(effects), *_answers(recorded(effects))]

    async def give_up(self, rows: Collection[str]) -> None:
        """Keep what the responses said that are to be forgotten: the session may hold it."""
        if self.session is None or not rows:
            return
        stored = await self.gate.store.load(self.gate.claim.run_id)
        found = {call: row for call, row in recorded(stored.effects).items() if call in rows}
        await self._mark(GIVEN_UP, document.encode(values.encode(_answers(found))))

    def saved(self, covered: Iterable[str]) -> None:
        """Take it that a checkpoint was written.

        With a response in it, all that a stopped worker can have written is appended by now: what
        says the same from here on is said again.

        Args:
            covered: the rows of responses that it holds.
        """
        self.marks.clear()
        if any(map(turn_of, covered)):
            self._there.clear()

    async def begin(self, late: Sequence[JSONObject], *, again: bool) -> None:
        """Be ready for the input; when a worker before this one began too, take its back.

        And what was said `late` to that one. Without a mark of it that worker wrote nothing.
        """
        self._unmarked = self._begins = True
        begun = _marked(self.stored.effects) if self.stored is not None and again else None
        if self.session is None or begun is None:
            return
        held = await _read(self.session)
        plan = restart(begun, held, self._said, late=late, renamed=keep.renames(self.session))
        self._unmarked = not plan.ahead
        self._there = [held[at] for at in plan.ahead]
        await _carry_out(self.session, held, plan)

    async def take_up(
        self, state: RunState, kickoff: Kickoff, live: AnyState, config: RunConfig | None
    ) -> None:
        """Put the session right before the run goes on from a checkpoint.

        Args:
            state: the run at the checkpoint.
            kickoff: what it was started with.
            live: the same as the SDK will go on from it.
            config: how.

        Raises:
            SessionMismatch: it is missing, another one, or holds too much; nothing was changed.
        """
        refuse_missing(self.session, kickoff, allow=self.allow_other)
        if self.session is None:
            return
        name = name_of(self.session)
        if name is None and not self.allow_other:
            raise SessionMismatch("expected the session of the run, found a new one", hint=_HINT)
        # Asked to repair, what a worker wrote is taken back that was late, and not only stopped.
        died = self.stored is not None and (self.cut or _stopped(self.stored, self.gate))
        stopped = self.repair or died
        deferred = keep.defers(live, config)
        held = await _read(self.session)
        plan = _plan(
            self.session,
            held,
            state,
            kickoff,
            said=self._said,
            stopped=stopped,
            repair=self.repair,
            deferred=deferred,
        )
        unlike = plan.append and not plan.found and name != kickoff.session
        _refuse(plan.other or bool(unlike), allow=self.allow_other)
        if plan.early:
            message = "expected a session without what an output guardrail has yet to see, found it"
            raise SessionMismatch(message, hint=_EARLY)
        await self.gate.still()
        self.report = plan
        self._there = [held[at] for at in plan.ahead]
        await _carry_out(self.session, held, plan)
        if deferred and state.session_write is None:
            keep.hold_back(live)

    async def _before(self, batch: Sequence[JSONObject]) -> None:
        """Let only who has the run append, and nobody before it is known where the run begins."""
        if not self._unmarked:
            await self.gate.still()
            return
        self._unmarked = False
        begun = _dump(mark(await _read(self.session), batch))
        try:
            self.marks.append(await self._mark(SESSION, begun))
        except HitlError as exc:
            raise Halt(exc) from exc

    async def _mark(self, kind: str, result: bytes) -> str:
        """Write a mark to the ledger; give its name."""
        name = f"{kind}{self.gate.claim.generation}"
        await self.gate.mark(name, "session", result)
        return name


def guarded(session: Any, gate: Gate) -> Any:  # noqa: ANN401 - any session, or None
    """Give the session of a run inside another as the SDK is given it."""
    return None if session is None else Once(session, lambda _: gate.still())


async def mend(
    session: Any,  # noqa: ANN401 - any session
    state: RunState,
    kickoff: Kickoff,
    *,
    allow: bool,
) -> SessionPlan:
    """Put the session of a run right that has ended; nobody has it, so nothing fences this.

    Raises:
        SessionMismatch: it holds nothing of the run; nothing was changed.
    """
    refuse_missing(session, kickoff, allow=allow)
    held = await _read(session)
    plan = _plan(session, held, state, kickoff, stopped=True, repair=True)
    _refuse(plan.other, allow=allow)
    await _carry_out(session, held, plan)
    return plan


def refuse_missing(session: object, kickoff: Kickoff, *, allow: bool) -> None:
    """Refuse to go on with a session where there was none, or without the one there was.

    Raises:
        SessionMismatch: so it is.
    """
    if allow or (session is None) == (kickoff.session is None):
        return
    found = "none" if session is None else "one"
    expected = "the session" if session is None else "no session, as"
    raise SessionMismatch(
        f"expected {expected} the run was started with, found {found}", hint=_HINT
    )


def refuse_other(session: object, kickoff: Kickoff, *, allow: bool) -> None:
    """Refuse another session where none can be told by what it holds: before the first checkpoint.

    Raises:
        SessionMismatch: its name is another; one that its server had not named yet has none.
    """
    refuse_missing(session, kickoff, allow=allow)
    names = {session_name(session), _kind(session)}
    if session is not None and kickoff.session not in names and not allow:
        raise SessionMismatch("expected the session of the run, found another one", hint=_HINT)


def name_of(session: Any) -> str | None:  # noqa: ANN401 - any session
    """Give the name of a session; None while its server has not named it."""
    try:
        return str(session.session_id)
    except Exception:  # noqa: BLE001 - a class of the app or of the SDK, which may raise anything
        return None


def session_name(session: object) -> str:
    """Give the name of a session; of one that its server has not named yet, its kind."""
    return name_of(session) or _kind(session)


def _kind(session: object) -> str:
    """Give the name of a session's class: of one behind `hitl.once`, the session's own."""
    return session.__class__.__name__


def _refuse(other: bool, *, allow: bool) -> None:  # noqa: FBT001 - what is refused
    if other and not allow:
        message = "expected the session of the run, found nothing of the run in it"
        raise SessionMismatch(message, hint=_HINT)


def _plan(
    session: object,
    held: Sequence[JSONObject],
    state: RunState,
    kickoff: Kickoff,
    *,
    stopped: bool,
    repair: bool,
    said: Sequence[JSONObject] = (),
    deferred: bool = False,
) -> SessionPlan:
    return reconcile(
        state,
        held,
        given=_items(kickoff.given),
        said=said,
        renamed=keep.renames(session),
        stopped=stopped,
        repair=repair,
        deferred=deferred,
    )


async def _carry_out(session: Any, held: Sequence[JSONObject], plan: SessionPlan) -> None:  # noqa: ANN401
    _tell(plan)
    await _take_back(session, held, plan.take_back)
    if plan.append:
        await keep.save_items(session, [each.raw for each in plan.append])


async def _take_back(session: Any, held: Sequence[JSONObject], count: int) -> None:  # noqa: ANN401
    """Pop the newest entries, if they are what was read; what another put there goes back."""
    for expected in held[len(held) - count :][::-1]:
        found = await session.pop_item()
        if found is not None and content_of(found) == content_of(expected):
            continue
        if found is not None:
            await session.add_items([found])
        message = "expected the end of the session as it was read, found it changed"
        raise SessionMismatch(message, hint="somebody is writing to it; resume again")


async def _read(session: Any) -> list[JSONObject]:  # noqa: ANN401 - any session
    """Give all that a session holds, oldest first."""
    if getattr(getattr(session, "session_settings", None), "limit", None) is None:
        return list(await session.get_items())
    return list(await session.get_items(limit=_PAGE if keep.renames(session) else _ALL))


def _items(given: object) -> list[JSONObject]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _stopped(stored: Stored, gate: Gate) -> bool:
    """Tell whether a worker may have written after the newest checkpoint, and died."""
    newest = stored.checkpoint
    if newest is None:
        return True
    return taken(newest.status) or newest.generation != gate.claim.generation - 1


def _answers(rows: Mapping[str, bytes]) -> list[JSONObject]:
    """Give the items of the responses to requests of the run itself, by name of the request."""
    answers = (load_response(row) for call, row in rows.items() if turn_of(call))
    return [item for each in answers for item in said(each)]


def _given_up(effects: Sequence[Effect]) -> list[JSONObject]:
    """Give what responses said that were forgotten."""
    marks = [each for each in effects if each.call.startswith(GIVEN_UP) and each.result is not None]
    found: Any = [values.decode(document.parse(each.result or b"[]")) for each in marks]
    return [item for items in found for item in items]


def _dump(begun: Mark) -> bytes:
    told = {"held": begun.held, "before": [*begun.before], "wrote": [*begun.wrote]}
    return document.encode(told)


def _marked(effects: Sequence[Effect]) -> Mark | None:
    """Give where the run begins in its session, as it was last about to; None: never."""
    marks = [each for each in effects if each.call.startswith(SESSION) and each.result is not None]
    if not marks:
        return None
    newest = max(marks, key=lambda each: each.generation)
    return fit(document.parse(newest.result or b"{}"), Mark)


def _tell(plan: SessionPlan) -> None:
    told = (
        (len(plan.surplus), "entries of a stopped worker are taken back"),
        (len(plan.ahead), "entries of a stopped worker are there, before what others wrote"),
        (len(plan.withdrawn), "entries are held back until an output guardrail has passed"),
        (len(plan.append), "entries of the run were missing and are appended"),
        (len(plan.repaired), "entries stood there twice and are taken back"),
        (
            len(plan.duplicates) - len(plan.repaired),
            "entries stand there twice; repair_session=True takes back what nothing stands behind",
        ),
        (len(plan.interleaved), "entries of another turn stand between those of the run"),
    )
    for count, what in told:
        if count:
            log.warning("session: %s %s", count, what)
