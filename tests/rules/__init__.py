"""The rules of pause and resume, each shown in every mode: R-1 to R-18, R-40 to R-50 and X-9.

    python -m tests.rules            play all, and compare with the committed table
    python -m tests.rules --write    renew the table

| module | what it holds |
| --- | --- |
| `rule` | the register of rules |
| `stage` | a run in one mode, its server and its tools |
| `server`, `session`, `state`, `staged`, `cut` | the rules |
| `play` | one cell, or all on another release |
| `table` | which rule holds in which mode |
"""
