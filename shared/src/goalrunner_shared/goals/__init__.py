"""Goal and attempt files: their format, their errors, and when a goal is due."""
