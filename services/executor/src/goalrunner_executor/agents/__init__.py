"""The engines: one port, one module each."""
