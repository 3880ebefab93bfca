"""The contract that every adapter fulfils, as a list of rules."""
