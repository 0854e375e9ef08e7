"""Django's PostgreSQL backend with a limit on how long a query may stay unanswered."""
