"""Looking for what is wrong, remembering it, and telling somebody."""
