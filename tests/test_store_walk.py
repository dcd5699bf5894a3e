"""Random walks over the contract: memory, SQLite and a model side by side (T10)."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from hypothesis.stateful import run_state_machine_as_test as walk

from hitl.errors import HitlError
from hitl.store import Claim, NewRequest, Save, Verdict, digest
from hitl.stores.memory import MemoryStore
from hitl.stores.sqlite import SQLiteStore
from tests.stores.clock import TICK_S, Clock, fast_folder
from tests.stores.model import Expected, Model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hypothesis.stateful import MultipleResults

    from hitl.store import Store

RUNS = st.sampled_from(["run 0", "run 1"])
CALLS = st.sampled_from(["a", "b", "c"])
WORKERS = st.sampled_from(["one", "two"])
LEASES = st.sampled_from([1, 4, 1000])  # ticks
SAME, OTHER = digest(b"same"), digest(b"other")
NO = Verdict(approved=False, by="the clock")


class Walk(RuleBasedStateMachine):
    """Every rule takes a step on both stores and on the model, and compares."""

    steps: ClassVar[int] = 0
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.model = Model()
        self.folder = contextmanager(fast_folder)()
        path = self.folder.__enter__() / "runs.db"
        self.memory = MemoryStore(clock=self.clock.now)
        self.sqlite = SQLiteStore(str(path), factory=self.clock.open_file)
        self.loop = asyncio.Runner()
        self.loop.run(self.sqlite.__aenter__())

    def teardown(self) -> None:
        """Close."""
        self.loop.run(self.sqlite.__aexit__(None, None, None))
        self.loop.close()
        self.folder.__exit__(None, None, None)

    def outcome(self, step: Callable[[Store], Awaitable[object]], store: Store) -> object:
        """Give what a step gives, or the error it ends in."""

        async def take() -> object:
            try:
                return await step(store)
            except HitlError as exc:
                return exc

        return self.loop.run(take())

    def both(self, step: Callable[[Store], Awaitable[object]], expected: Expected) -> object:
        """Take a step on both stores; give what they gave."""
        Walk.steps += 1
        found = [self.outcome(step, store) for store in (self.memory, self.sqlite)]
        seen = [
            (type(each), str(each), vars(each)) if isinstance(each, HitlError) else each
            for each in found
        ]
        assert seen[0] == seen[1]
        assert (type(found[0]) if isinstance(found[0], HitlError) else None) == expected
        return found[0]

    def claimed(self, found: object) -> MultipleResults[Claim]:
        """Keep the claim for later steps, however stale it will be."""
        return multiple(found) if isinstance(found, Claim) else multiple()

    @rule(ticks=st.sampled_from([1, 1, 2, 5]))
    def time_passes(self, ticks: int) -> None:
        """Leases end: a worker crashed, or is slow; calls expire."""
        self.clock.ticks += ticks

    @rule(target=claims, run=RUNS, worker=WORKERS, lease=LEASES)
    def create(self, run: str, worker: str, lease: int) -> MultipleResults[Claim]:
        """Store.create."""
        expected = self.model.create(run, worker, self.clock.now(), lease * TICK_S)
        step = lambda store: store.create(run, b"kickoff", worker=worker, lease_s=lease * TICK_S)  # noqa: E731
        return self.claimed(self.both(step, expected))

    @rule(target=claims, run=RUNS, worker=WORKERS, lease=LEASES, force=st.booleans())
    def claim(self, run: str, worker: str, lease: int, *, force: bool) -> MultipleResults[Claim]:
        """Store.claim."""
        lease_s = lease * TICK_S
        expected = self.model.claim(run, worker, self.clock.now(), lease_s, force=force)
        step = lambda store: store.claim(run, worker=worker, lease_s=lease_s, force=force)  # noqa: E731
        return self.claimed(self.both(step, expected))

    @rule(target=claims, claim=claims, lease=LEASES)
    def renew(self, claim: Claim, lease: int) -> MultipleResults[Claim]:
        """Store.renew."""
        expected = self.model.renew(claim, self.clock.now(), lease * TICK_S)
        step = lambda store: store.renew(claim, lease_s=lease * TICK_S)  # noqa: E731
        return self.claimed(self.both(step, expected))

    @rule(
        claim=claims,
        event=st.sampled_from(["save", "save", "pause", "pause", "stop", "finish"]),
        new=st.lists(st.binary(max_size=3), max_size=3),
        calls=st.sets(CALLS),
        expires=st.sampled_from([None, None, 0, 3]),
        late=st.sampled_from([0, 0, 0, 1]),
    )
    def save(
        self,
        *,
        claim: Claim,
        event: str,
        new: list[bytes],
        calls: set[str],
        expires: int | None,
        late: int,
    ) -> None:
        """Store.save."""
        life = self.model.runs.get(claim.run_id)
        base = (life.log if life else 0) + late
        now, expires_s = self.clock.now(), None if expires is None else expires * TICK_S
        asks = [
            NewRequest(
                call=call,
                tool="tool",
                agent=None,
                arguments_sha256=SAME,
                body=call.encode(),
                expires_in_s=expires_s,
                default=None if expires_s is None else NO,
            )
            for call in sorted(calls)
            if event == "pause"
        ]
        until = None if expires_s is None else now + expires_s
        expected = self.model.save(
            claim,
            event,
            base=base,
            new=len(new),
            asks=[(each.call, until) for each in asks],
            now=now,
        )
        save = Save(
            event=event,  # type: ignore[arg-type]
            head=f"{event} {now}".encode(),
            base=base,
            new=new,
            requests=asks,
            reason="error" if event == "stop" else None,
        )
        self.both(lambda store: store.save(claim, save), expected)

    @rule(claim=claims, stop=st.booleans())
    def release(self, claim: Claim, *, stop: bool) -> None:
        """Store.release."""
        expected = self.model.release(claim, self.clock.now(), stop=stop)
        reason = "cancel" if stop else None
        self.both(lambda store: store.release(claim, reason=reason), expected)  # type: ignore[arg-type]

    @rule(claim=claims, call=CALLS, same=st.sampled_from([True, True, False]), safe=st.booleans())
    def start(self, claim: Claim, call: str, *, same: bool, safe: bool) -> None:
        """Store.start."""
        expected = self.model.start(claim, call, same=same, idempotent=safe)
        sha256 = SAME if same else OTHER
        self.both(
            lambda store: store.start(
                claim, call, tool="tool", arguments_sha256=sha256, idempotent=safe
            ),
            expected,
        )

    @rule(claim=claims, call=CALLS, result=st.sampled_from([b"", b"r"]))
    def finish(self, claim: Claim, call: str, result: bytes) -> None:
        """Store.finish."""
        expected = self.model.finish(claim, call, result)
        self.both(lambda store: store.finish(claim, call, result), expected)

    @rule(claim=claims, call=CALLS)
    def undo(self, claim: Claim, call: str) -> None:
        """Store.undo."""
        self.both(lambda store: store.undo(claim, call), self.model.undo(claim, call))

    @rule(
        run=RUNS,
        call=CALLS,
        yes=st.sampled_from([True, True, False]),
        always=st.sampled_from([False, False, True]),
        sha256=st.sampled_from([None, SAME, OTHER]),
    )
    def decide(self, run: str, call: str, sha256: str | None, *, yes: bool, always: bool) -> None:
        """Store.decide."""
        same = sha256 != OTHER
        now = self.clock.now()
        expected = self.model.decide(run, call, now, yes=yes, always=always, same=same)
        verdict = Verdict(approved=yes, always=always, by="ana", arguments_sha256=sha256)
        self.both(lambda store: store.decide(run, call, verdict), expected)

    @rule()
    def expire(self) -> None:
        """Store.expire."""
        expected = self.model.expire(self.clock.now())
        found = self.both(lambda store: store.expire(), None)
        assert isinstance(found, list)
        assert {(each.run_id, each.call) for each in found} == expected

    @rule(run=RUNS, call=CALLS, how=st.sampled_from(["happened", "rerun", "abandon"]))
    def settle(self, run: str, call: str, how: str) -> None:
        """Store.settle."""
        expected = self.model.settle(run, call, how, self.clock.now())
        result = b"told" if how == "happened" else None
        self.both(lambda store: store.settle(run, call, how, result=result), expected)  # type: ignore[arg-type]

    @rule(run=RUNS)
    def cancel(self, run: str) -> None:
        """Store.cancel."""
        expected = self.model.cancel(run, self.clock.now())
        self.both(lambda store: store.cancel(run), expected)

    @rule(run=RUNS)
    def delete(self, run: str) -> None:
        """Store.delete."""
        expected = self.model.delete(run, self.clock.now())
        self.both(lambda store: store.delete(run), expected)

    @rule(ticks=st.sampled_from([0, 3]))
    def prune(self, ticks: int) -> None:
        """Store.prune."""
        expected = self.model.prune(self.clock.now() - ticks * TICK_S)
        found = self.both(lambda store: store.prune(older_than_s=ticks * TICK_S), None)
        assert found == expected

    @invariant()
    def alike(self) -> None:
        """Both stores hold the same, and it is what the model holds."""
        Walk.steps -= 1  # looking is no step
        listed = self.both(lambda store: store.runs(), None)
        assert isinstance(listed, list)
        assert [run.run_id for run in listed] == list(self.model.runs)
        for run_id, life in self.model.runs.items():
            stored = self.loop.run(self.memory.load(run_id))
            assert stored == self.loop.run(self.sqlite.load(run_id))
            run = stored.run
            assert (run.status, run.generation) == (life.status, life.generation)
            assert (run.checkpoint, run.entries) == (life.points, life.log)
            effects = {each.call: each.state for each in stored.effects}
            assert effects == {name: ran.state for name, ran in life.effects.items()}
            verdicts = {
                each.call: each.verdict and each.verdict.approved for each in stored.requests
            }
            assert verdicts == {name: call.verdict for name, call in life.calls.items()}
        waiting = self.loop.run(self.memory.waiting())
        assert waiting == self.loop.run(self.sqlite.waiting())
        assert {(each.run_id, each.call) for each in waiting} == {
            (run_id, name)
            for run_id, life in self.model.runs.items()
            if life.status == "waiting"
            for name in life.waiting()
        }


def figure(examples: int, steps: int) -> None:
    """Walk, and print how far."""
    Walk.steps = 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        phases=[Phase.generate],  # a walk of forty steps takes minutes to shrink
        report_multiple_bugs=False,
    )
    walk(Walk, settings=chosen)
    print(f"T10: {Walk.steps:,} steps on both stores and the model, 0 divergences")  # noqa: T201


class TestWalk:
    def test_stores_and_model_agree(self) -> None:
        """Whatever is done, in any order, both stores and the model say and hold the same (T10)."""
        figure(examples=25, steps=40)
        assert Walk.steps > 300

    @pytest.mark.soak
    def test_ten_thousand_steps(self) -> None:
        """The same, more than 10,000 steps (T10)."""
        figure(examples=400, steps=60)
        assert Walk.steps > 10_000
