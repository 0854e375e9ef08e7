"""Real PostgreSQL and Valkey for one machine, and the process runner behind `bin/up` and `bin/test`."""
