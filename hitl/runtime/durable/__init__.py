"""Durable runs: one approval, one effect, in whichever process goes on.

| module | what it holds |
| --- | --- |
| `door` | `run`, `resume` and their kin: import the SDK when called |
| `outcome` | what a caller is given: `DurableRun`, `DurableStream` |
| `idempotent` | tools that may be run again by themselves, and their key |
| `start` | how a run begins, or is taken up again |
| `attempt` | one claim's work: from a claim to the next pause, the end or a stop |
| `kickoff` | what a run was started with: where it starts over before its first checkpoint |
| `packed` | run state → head and log entries of a store, and back |
| `verdict` | what people said, on the calls it was said of |
| `calls` | where a call is made, and which there are |
| `gate` | intent before an effect, result after it, and nothing once the lease is lost |
| `graph` | copies of the user's agents whose tools pass the gate |
| `tool` | how each kind of tool passes it |
| `value` | results of tools and of runs as bytes |
| `hooks` | the user's hooks, and ours before them |
| `seam` | the runs inside agents used as tools |
| `session` | the user's session: put right at a resume, written to once |
| `keep` | how the SDK writes to a session: its private names |
| `guard` | what stands before the models: every request passes it |
| `request` | a model request as an effect: its intent, its response |
| `turn` | what a request is called in the effect ledger |
| `talk` | what the server of a run has, as this claim knows it |
| `refusal` | which errors say that a request surely did not arrive |
| `response` | a model's response as bytes, from which it is given again |
| `settle` | a request in doubt, settled by a listing or by hand |
| `telemetry` | spans that link pause, verdicts and resume |
| `private` | the private names of the SDK that durable runs rely on |
"""
