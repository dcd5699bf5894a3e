"""The installed release of openai-agents as a reader: what it takes, and what that costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from hitl.errors import LossError, UnsupportedRelease
from hitl.runtime import sdk

if TYPE_CHECKING:
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


def older(version: str) -> bool:
    """Tell whether a version is older than what the installed release writes."""
    chain = DIALECT.chain
    return version in chain.versions and chain.index(version) < chain.index(label())


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
        for loss in chain.losses(written, version)
        if loss.severity == "error" or (loss.severity == "warn" and not allow_loss)
    ]
    if lost:
        worst = {loss.severity for loss in lost}
        message = f"the installed openai-agents cannot hold {len(lost)} value(s) of the run"
        hint = "run it with a newer release" if "error" in worst else "allow_loss=True goes on"
        raise LossError(f"{message}: {lost[0].reason}", losses=lost, hint=hint)
    return chain.downgrade(written, version)
