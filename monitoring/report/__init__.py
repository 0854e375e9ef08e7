"""The daily report: its figures, its words, and its way to whoever reads it."""
