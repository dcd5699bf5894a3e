"""The gate: what a store decides, over rows that it keeps however it likes.

| module | what it holds |
| --- | --- |
| `row` | `Rows`, what a database must do; what its rows hold beside the records of the contract |
| `name` | which ids, names and numbers are let in |
| `lease` | create, claim, renew, release, cancel, delete, prune: who may write |
| `checkpoint` | save, load: what is written |
| `decision` | decide, expire: what people say |
| `ledger` | start, finish, undo, settle: what ran |
| `desk` | `Desk`, the asynchronous store over all of these |

Every function here runs inside one transaction that its caller opened for writing; it checks first
and writes after. No I/O, no clock: the time is `rows.now()`. Memory and SQLite share these rules,
so that they differ in nothing but where the rows lie.
"""
