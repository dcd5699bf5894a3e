"""The encodings of documents; a module in this folder with a `CODEC` is registered."""
