"""What the tests of stores have at hand: clocks, a model, faults, a power switch, crowds."""
