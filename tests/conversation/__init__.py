"""A model server that keeps what it received, and runs that talk to it."""
