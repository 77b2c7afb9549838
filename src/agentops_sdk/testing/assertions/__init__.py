"""What a test asserts on captured runs, and what a failed assertion says."""
