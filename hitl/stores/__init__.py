"""Stores: one module each, named by URL scheme; being in this folder is the registration."""
