"""hitl: pause an agent for a person, resume it anywhere, exactly once."""

from importlib.metadata import version as _version

from hitl.errors import HitlError
from hitl.model import RunState
from hitl.runtime.door import capture, check_restore, restore
from hitl.transfer import Converted, Report, check, convert, dumps, loads
from hitl.values import register

__version__ = _version("hitl-sdk")

__all__ = [
    "Converted",
    "HitlError",
    "Report",
    "RunState",
    "capture",
    "check",
    "check_restore",
    "convert",
    "dumps",
    "loads",
    "register",
    "restore",
]
