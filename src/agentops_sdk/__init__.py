"""Know what every agent did, why, and what it cost."""
