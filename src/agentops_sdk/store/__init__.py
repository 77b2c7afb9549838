"""The read side at scale: named views over files (DuckDB) and over a fleet's spans (ClickHouse)."""
