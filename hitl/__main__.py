"""`python -m hitl` is the `hitl` command."""

from __future__ import annotations

import sys

from hitl.cli import main

if __name__ == "__main__":
    sys.exit(main())
