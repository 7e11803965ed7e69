"""What a model may do: one module per kind of tool, and the box that holds those of one run."""
