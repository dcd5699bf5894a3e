"""Examples; each is run by the tests."""
