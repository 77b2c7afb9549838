"""A model server for demonstrations and tests: speaks the OpenAI wire format on loopback, answers by script."""
