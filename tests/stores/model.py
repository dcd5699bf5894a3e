"""The contract of a store once more, as short as it can be said, to compare stores with.

Each method gives the class of the error that a store must raise, or None when it must succeed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, define

from hitl.errors import (
    AlreadyClaimed,
    AlreadyDecided,
    ArgumentsChanged,
    HitlError,
    InDoubt,
    NotApproved,
    NotClaimable,
    RunExists,
    Superseded,
    UnknownCall,
    UnknownRun,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.store import Claim

Expected = type[HitlError] | None

RESTING = {"ready", "stopped", "in_doubt", "waiting"}


@define
class Call:
    """A call people were asked about."""

    pause: int
    expires: float | None
    default: bool
    verdict: bool | None = None
    always: bool = False


@define
class Ran:
    """A call that started."""

    generation: int
    idempotent: bool
    same: bool
    state: str = "started"
    attempt: int = 1
    result: bytes | None = None


@define
class Life:
    """A run."""

    born: float
    worker: str
    lease: float
    touched: float
    status: str = "running"
    generation: int = 1
    points: int = 0
    pause: int = 0
    log: int = 0
    calls: dict[str, Call] = Factory(dict)
    effects: dict[str, Ran] = Factory(dict)

    def live(self, now: float) -> bool:
        """Whether a worker has it."""
        return self.status == "running" and self.lease > now

    def asked(self) -> dict[str, Call]:
        """The calls of the newest pause."""
        return {name: call for name, call in self.calls.items() if call.pause == self.pause}

    def waiting(self) -> list[str]:
        """The calls that wait."""
        return [name for name, call in self.asked().items() if call.verdict is None]

    def cut(self) -> list[str]:
        """Let what is started be in doubt or run again; the calls in doubt."""
        doubtful = []
        for name, ran in self.effects.items():
            if ran.state == "started" and ran.idempotent:
                ran.state = "rerun"
            elif ran.state == "started":
                ran.state = "in_doubt"
                doubtful.append(name)
        return doubtful


@define
class Model:
    """All runs."""

    runs: dict[str, Life] = Factory(dict)

    def create(self, run_id: str, worker: str, now: float, lease_s: float) -> Expected:
        """Store.create."""
        if run_id in self.runs:
            return RunExists
        self.runs[run_id] = Life(born=now, worker=worker, lease=now + lease_s, touched=now)
        return None

    def held(self, claim: Claim) -> Life | None:
        """The run, if the claim holds it."""
        life = self.runs.get(claim.run_id)
        if life is None or life.status != "running" or life.born != claim.created_at:
            return None
        return life if (life.generation, life.worker) == (claim.generation, claim.worker) else None

    def claim(
        self, run_id: str, worker: str, now: float, lease_s: float, *, force: bool
    ) -> Expected:
        """Store.claim."""
        life = self.runs.get(run_id)
        if life is None:
            return UnknownRun
        if life.live(now):
            return AlreadyClaimed
        if life.status in {"finished", "cancelled"}:
            return NotClaimable
        if life.status == "running" and life.cut():
            life.status, life.touched = "in_doubt", now
        if life.status == "in_doubt":
            return InDoubt
        decided = [call for call in life.asked().values() if call.verdict is not None]
        if life.status == "waiting" and not decided and not force:
            return NotClaimable
        life.status, life.worker, life.lease = "running", worker, now + lease_s
        life.generation += 1
        return None

    def renew(self, claim: Claim, now: float, lease_s: float) -> Expected:
        """Store.renew."""
        life = self.held(claim)
        if life is None:
            return Superseded
        life.lease = now + lease_s
        return None

    def save(
        self,
        claim: Claim,
        event: str,
        *,
        base: int,
        new: int,
        asks: Sequence[tuple[str, float | None]],
        now: float,
    ) -> Expected:
        """Store.save; the calls that wait, with when their time is over."""
        life = self.held(claim)
        if life is None or base != life.log:
            return Superseded
        life.points += 1
        life.log += new
        if event == "pause":
            life.pause = life.points
            for name, expires in asks:
                call = life.calls.setdefault(name, Call(life.pause, expires, default=False))
                call.pause = life.pause
        if event == "save":
            return None
        doubt = life.cut()
        paused = "waiting" if life.waiting() else "ready"
        ends = {"pause": paused, "stop": "stopped", "finish": "finished"}
        life.status, life.touched = "in_doubt" if doubt else ends[event], now
        return None

    def release(self, claim: Claim, now: float, *, stop: bool) -> Expected:
        """Store.release."""
        life = self.held(claim)
        if life is None:
            return Superseded
        paused = life.points and life.pause == life.points and not stop
        rests = ("waiting" if life.waiting() else "ready") if paused else "stopped"
        life.status, life.touched = "in_doubt" if life.cut() else rests, now
        return None

    def start(  # noqa: PLR0911 - as many ways to end as the contract names
        self, claim: Claim, name: str, *, same: bool, idempotent: bool
    ) -> Expected:
        """Store.start; `same`: with the arguments every other step uses."""
        life = self.held(claim)
        if life is None:
            return Superseded
        ran = life.effects.get(name)
        if ran is not None and ran.same != same:
            return ArgumentsChanged
        if ran is not None and ran.state == "finished":
            return None
        if ran is not None and ran.state != "rerun":
            return InDoubt
        call = life.calls.get(name)
        if call is not None and not same:
            return ArgumentsChanged
        always = any(each.verdict and each.always for each in life.calls.values())
        if call is not None and not (always if call.verdict is None else call.verdict):
            return NotApproved
        attempt = 1 if ran is None else ran.attempt + 1
        life.effects[name] = Ran(life.generation, idempotent, same, attempt=attempt)
        return None

    def finish(self, claim: Claim, name: str, result: bytes) -> Expected:
        """Store.finish."""
        life = self.held(claim)
        if life is None:
            return Superseded
        ran = life.effects.get(name)
        if ran is None or ran.generation != life.generation:
            return UnknownCall
        if ran.state != "started" and (ran.state, ran.result) != ("finished", result):
            return UnknownCall
        ran.state, ran.result = "finished", result
        return None

    def undo(self, claim: Claim, name: str) -> Expected:
        """Store.undo."""
        life = self.held(claim)
        if life is None:
            return Superseded
        ran = life.effects.get(name)
        if ran is None or (ran.generation, ran.state) != (life.generation, "started"):
            return UnknownCall
        ran.attempt -= 1
        ran.state = "rerun"
        if not ran.attempt:
            del life.effects[name]
        return None

    def decide(  # noqa: PLR0911 - the same
        self, run_id: str, name: str, now: float, *, yes: bool, always: bool, same: bool
    ) -> Expected:
        """Store.decide."""
        life = self.runs.get(run_id)
        if life is None:
            return UnknownRun
        call = life.calls.get(name)
        if call is None:
            return UnknownCall
        if call.verdict is not None:
            return AlreadyDecided
        if call.pause != life.pause or life.status in {"finished", "cancelled"}:
            return UnknownCall
        if call.expires is not None and call.expires <= now:
            self._give(life, call, now, yes=call.default)
            return AlreadyDecided
        if not same:
            return ArgumentsChanged
        call.always = always
        self._give(life, call, now, yes=yes)
        return None

    def _give(self, life: Life, call: Call, now: float, *, yes: bool) -> None:
        call.verdict = yes
        life.touched = now
        if life.status == "waiting" and not life.waiting():
            life.status = "ready"

    def expire(self, now: float) -> set[tuple[str, str]]:
        """Store.expire; the calls that got their default."""
        given = set()
        for run_id, life in self.runs.items():
            for name in [] if life.status in {"finished", "cancelled"} else life.waiting():
                call = life.calls[name]
                if call.expires is not None and call.expires <= now:
                    self._give(life, call, now, yes=call.default)
                    given.add((run_id, name))
        return given

    def settle(self, run_id: str, name: str, how: str, now: float) -> Expected:
        """Store.settle."""
        life = self.runs.get(run_id)
        if life is None:
            return UnknownRun
        ran = life.effects.get(name)
        dead = life.status == "running" and not life.live(now)
        if dead and ran is not None and ran.state == "started" and not ran.idempotent:
            life.cut()
            life.status = "in_doubt"
        if life.status != "in_doubt" or ran is None or ran.state != "in_doubt":
            return UnknownCall
        life.touched = now
        if how == "abandon":
            life.status = "cancelled"
            return None
        ran.state, ran.result = ("finished", b"told") if how == "happened" else ("rerun", None)
        if not any(each.state == "in_doubt" for each in life.effects.values()):
            life.status = "stopped"
        return None

    def cancel(self, run_id: str, now: float) -> Expected:
        """Store.cancel."""
        life = self.runs.get(run_id)
        if life is None:
            return UnknownRun
        if life.live(now):
            return AlreadyClaimed
        if life.status in {"finished", "cancelled"}:
            return NotClaimable
        life.cut()
        life.status, life.touched = "cancelled", now
        return None

    def delete(self, run_id: str, now: float) -> Expected:
        """Store.delete."""
        life = self.runs.get(run_id)
        if life is None:
            return UnknownRun
        if life.live(now):
            return AlreadyClaimed
        del self.runs[run_id]
        return None

    def prune(self, before: float) -> int:
        """Store.prune; how many went."""
        over = {"finished", "cancelled"}
        old = [
            name
            for name, life in self.runs.items()
            if life.status in over and life.touched <= before
        ]
        for name in old:
            del self.runs[name]
        return len(old)
