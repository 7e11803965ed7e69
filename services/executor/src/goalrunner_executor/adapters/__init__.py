"""The outside things that the executor touches, one module each, named for its role."""
