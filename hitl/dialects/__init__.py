"""The formats of writers; a folder here whose package has a `DIALECT` is registered."""
