"""The shape of a document: where the objects of each definition stand, and how a version is undone.

A place is the name of a definition in a dialect's schema. Runs inside a run have the same places;
how a dialect keeps them is the one thing that `Shape` asks it for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from attrs import frozen

from hitl.document import JSONObject, JSONValue, escape
from hitl.revision import Added, Loss, Mend, Revision

Route: TypeAlias = tuple[str, ...]
"""Keys from a run to an object; `*` is every entry of an array and every value of an object."""
RunStep: TypeAlias = Callable[[JSONObject], JSONObject]
Inside: TypeAlias = Callable[[JSONObject, str], Iterable[tuple[str, JSONObject]]]
"""Gives the runs directly inside a run at a JSON Pointer, each with its own."""
Unknown: TypeAlias = Callable[[JSONObject, str], Iterable[Loss]]
"""Names what an older version does not know in a run; the run stands at the JSON Pointer."""


def follow(value: JSONValue, route: Route, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give the objects a route leads to, each with its JSON Pointer."""
    if not route:
        if isinstance(value, dict):
            yield path, value
        return
    for key, child in _children(value, route[0]):
        yield from follow(child, route[1:], f"{path}/{escape(key)}")


def edit(value: JSONValue, route: Route, change: RunStep) -> JSONValue:
    """Give `value` with each object the route leads to replaced; nothing is edited in place."""
    if not route:
        return change(value) if isinstance(value, dict) else value
    children = _children(value, route[0])
    new = {key: edit(child, route[1:], change) for key, child in children}
    if all(new[key] is child for key, child in children):
        return value
    return {**value, **new} if isinstance(value, dict) else list(new.values())


def _children(value: JSONValue, part: str) -> list[tuple[Any, Any]]:
    if isinstance(value, list):
        return list(enumerate(value)) if part == "*" else []
    if not isinstance(value, dict):
        return []
    return [(key, child) for key, child in value.items() if part in {"*", key}]


@frozen(kw_only=True)
class Shape:
    """Where the newest version of a dialect's document keeps what.

    Attributes:
        version_key: where a run says its version.
        places: the routes to the objects of each definition of the schema.
        inside: gives the runs directly inside a run.
        changed_inside: gives a run with each run directly inside it replaced.
    """

    version_key: str
    places: Mapping[str, tuple[Route, ...]]
    inside: Inside
    changed_inside: Callable[[JSONObject, RunStep], JSONObject]

    def runs(self, document: JSONObject, path: str = "") -> Iterator[tuple[str, JSONObject]]:
        """Give a run and all runs inside it, outermost first, each with its JSON Pointer."""
        yield path, document
        for at, run in self.inside(document, path):
            yield from self.runs(run, at)

    def find(self, run: JSONObject, place: str, path: str = "") -> Iterator[tuple[str, JSONObject]]:
        """Give the objects of a place in one run, each with its JSON Pointer."""
        for route in self.places[place]:
            yield from follow(run, route, path)

    def edit_place(self, run: JSONObject, place: str, change: RunStep) -> JSONObject:
        """Give a run with each object of a place replaced."""
        for route in self.places[place]:
            run = cast("JSONObject", edit(run, route, change))
        return run

    def without(self, run: JSONObject, place: str, *keys: str) -> JSONObject:
        """Give a run without some keys of a place."""

        def change(given: JSONObject) -> JSONObject:
            if not given.keys() & set(keys):
                return given
            return {key: value for key, value in given.items() if key not in keys}

        return self.edit_place(run, place, change)

    def foreign(self, document: JSONObject, later: Iterable[Revision]) -> Iterator[str]:
        """Give the JSON Pointers of what only `later` versions write."""
        for path, run in self.runs(document):
            for each in (added for revision in later for added in revision.added):
                for at, given in self.find(run, each.place, path):
                    if each.key in given and (not each.changed or each.new(given[each.key])):
                        yield f"{at}/{escape(each.key)}"

    def revision(
        self,
        *,
        version: str,
        parent: str,
        summary: str,
        source: str,
        added: tuple[Added, ...] = (),
        downgrade: RunStep = lambda run: run,
        unknown: tuple[Unknown, ...] = (),
        mends: tuple[Mend[Any], ...] = (),
    ) -> Revision:
        """Make a version of what it declares.

        Reading it changes the label and nothing else: what an older writer left out stays left
        out. On the way down its own `downgrade` rewrites one run, then the keys it added go.

        Args:
            version: see `Revision`, as for the next three.
            parent: the version before it.
            summary: one line: what it added.
            source: what first wrote it.
            added: the keys it added or changed.
            downgrade: rewrites what the parent says in other words; of one run.
            unknown: name what the parent does not know although it has the key; of one run.
            mends: what states of older versions need.
        """

        def up(run: JSONObject) -> JSONObject:
            return self._relabelled(run, parent, version)

        def down(run: JSONObject) -> JSONObject:
            run = downgrade(run)
            for each in added:
                if not each.changed:
                    run = self.without(run, each.place, each.key)
            return self._relabelled(run, version, parent)

        def lost(document: JSONObject) -> tuple[Loss, ...]:
            return tuple(
                loss
                for path, run in self.runs(document)
                for names in (*unknown, self._keys_of(added))
                for loss in names(run, path)
            )

        return Revision(
            version=version,
            parent=parent,
            summary=summary,
            source=source,
            upgrade=self._every_run(up),
            downgrade=self._every_run(down),
            losses=lost,
            added=added,
            mends=mends,
        )

    def _every_run(self, step: RunStep) -> RunStep:
        """Make a step of one run a step of it and all runs inside, innermost first."""

        def all_of(run: JSONObject) -> JSONObject:
            return step(self.changed_inside(run, all_of))

        return all_of

    def _relabelled(self, run: JSONObject, old: str, new: str) -> JSONObject:
        return {**run, self.version_key: new} if run.get(self.version_key) == old else run

    def _keys_of(self, added: Iterable[Added]) -> Unknown:
        """Make the function that names the keys a version added, where they say anything."""

        def names(run: JSONObject, path: str) -> Iterator[Loss]:
            for each in added:
                if each.severity is None:
                    continue
                for at, given in self.find(run, each.place, path):
                    if each.key in given and each.says(given[each.key]):
                        place = f"{at}/{escape(each.key)}"
                        yield Loss(path=place, severity=each.severity, reason=each.reason)

        return names
