"""The matrix: states that go from release to release of openai-agents, on the real releases.

| module | runs in | what it holds |
| --- | --- | --- |
| `releases` | the harness | which releases there are, and what each needs beside it |
| `room` | the harness | a virtual environment of each release, made from nothing |
| `case` | both | what is played: scenario, verdict, when decided, streamed or not |
| `cast` | the release | agents and a scripted model that every release can run |
| `play` | the release | pause, decide, resume, and what could be seen of it |
| `worker` | the release | jobs in, outcomes out, as JSON |
| `recorded` | the harness | recorded states of older releases on the tested one |
| `cells` | the harness | what a pair of releases makes of a case: resumed, or refused and why |
| `table` | the harness | the cells as the committed table |

`python -m tests.matrix` plays all releases and compares with `TABLE.md`; `--write` renews it.
`pytest -m matrix` plays the four of `releases.REDUCED`; `HITL_MATRIX=full pytest -m matrix`, all.
"""
