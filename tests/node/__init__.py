"""The real JavaScript SDK on a real Node, and both SDKs on the same definitions; see README below."""
