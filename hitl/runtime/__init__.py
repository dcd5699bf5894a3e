"""The only folder that imports `agents`: openai-agents, held on to.

| module | what it holds |
| --- | --- |
| `door` | `capture`, `restore`, `check_restore`: import the SDK when called |
| `capture` | the SDK's objects → run state |
| `restore` | run state → the SDK's objects |
| `fit` | whether an agent can go on with a state |
| `taken` | whether the SDK took all of it |
| `rename` | agents and tools that got new names while the run waited |
| `open` | what is still to run |
| `seen` | agents and tools as they are seen live |
| `release` | what the installed release reads, and what it cannot hold |
| `sdk` | the private names of the SDK we rely on |
| `scripted` | a model that says what it is told, for the demo and for tests |
| `demo` | the whole cycle in three processes |
"""
