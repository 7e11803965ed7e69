"""One suite for each port: its fake and its real adapter must both pass it.

A test class inherits a suite and provides its fixture; nothing but tests may import this package.
"""
