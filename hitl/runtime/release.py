"""The installed release of openai-agents as a reader: what it takes, and what that costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from hitl.errors import LossError, UnsupportedRelease
from hitl.model import decide
from hitl.revision import Loss
from hitl.runtime import sdk
from hitl.runtime.open import unsent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject
    from hitl.model import RunState


def label() -> str:
    """Give the newest version that the installed release reads and hitl writes.

    Raises:
        UnsupportedRelease: there is none.
    """
    readable = sdk.readable_versions()
    for version in reversed(DIALECT.chain.versions):
        if version in readable:
            return version
    message = "the installed openai-agents reads no version of the run state that hitl writes"
    raise UnsupportedRelease(message, hint="upgrade hitl")


def document(state: RunState, *, allow_loss: bool) -> JSONObject:
    """Write what the installed release reads.

    What JSON cannot say of values is no loss here: they are handed over live.

    Raises:
        LossError: the release cannot hold a part of the run.
    """
    chain, version = DIALECT.chain, label()
    written: JSONObject = json.loads(DIALECT.dump(state, chain.newest, transfer.codecs()["json"]))
    lost = [
        loss
        for loss in (*chain.losses(written, version), *_unsent(state))
        if loss.severity == "error" or (loss.severity == "warn" and not allow_loss)
    ]
    if lost:
        worst = {loss.severity for loss in lost}
        message = f"the installed openai-agents cannot hold {len(lost)} value(s) of the run"
        hint = "run it with a newer release" if "error" in worst else "allow_loss=True goes on"
        raise LossError(f"{message}: {lost[0].reason}", losses=lost, hint=hint)
    return chain.downgrade(written, version)


def _unsent(state: RunState) -> Iterator[Loss]:
    """Give what a server conversation would not get from the installed release."""
    for run in (state, *(run for _, run in decide.nested_runs(state))):
        if run.conversation is None or run.conversation.mode == "local":
            continue
        if unsent(run) and not sdk.sends_what_ran():
            reason = "outputs of calls that ran before the pause would not reach the server"
            yield Loss(path="/last_processed_response", severity="error", reason=reason)
        elif not sdk.tells_items_apart():
            reason = "the output of an approved call may not reach the server, above all streamed"
            yield Loss(path="/conversation_id", severity="warn", reason=reason)
