"""The real JavaScript SDK on a real Node, beside the Python SDK: what law 5 is measured with.

| module | what it holds |
| --- | --- |
| `room` | Node from its wheel, the SDK by `npm ci`; jobs in, outcomes out |
| `worker/` | what runs in Node: scripted model, tools, definitions, the player |
| `definitions` | what the 30 definitions of `corpus/cross` are given |
| `cases` | what is played: definition, verdict, when it is given, streamed or not |
| `players` | pause and resume on either SDK, the same job and the same outcome |
| `outcome` | what can be seen of a run, in one shape for both languages |
| `differences` | where two runs differ, and the committed list of what the SDKs do differently |
| `natively` | every case within one language |
| `releases` | older npm releases and older Python releases: states that go from one to another |
| `recorded` | what every Python release recorded, gone on with in Node |
| `verdict` | what became of such a run, and what only older releases do differently |
| `release_table` | every release against the newest ones: `RELEASES.md` |
| `record` | records what older npm releases write, for `corpus/cross/js-older` |
| `python` | the player in the environment of another Python release |
| `table` | the native runs of both languages against each other: `TABLE.md` |
| `traps` | what a state must say, and what the SDK does when it does not |
| `values` | values that one language cannot hold, in every place: `VALUES.md` |
| `spelled` | one call with any arguments, in both languages |
| `oracle` | the SDK's own mapping of items and fingerprints of calls, and generated calls |

The packages stay in the cache of `tests.matrix.room`. `python -m tests.node` renews the tables,
`python -m tests.node.release_table` that of the releases;
`npm install --package-lock-only --omit-lockfile-registry-resolved` renews a lock. In `older/` every
release has a name of its own: the few that `.ci/run` plays are dependencies, the others
devDependencies. There an old `@openai/agents` and `openai` keep the places that npm would else give
to one of them.
"""
