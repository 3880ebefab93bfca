"""The contract that every adapter keeps, as a list of rules."""
