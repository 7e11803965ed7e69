"""A stand-in for the Anthropic Messages API that plays a script: the offline model of the demo and of tests."""
