"""What the pytest plugin does with each test, loaded when a test needs it."""
