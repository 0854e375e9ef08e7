"""The operator's page: what a person looks at."""
