"""Compiles a validated read into one SQL statement whose answer is the JSON text; nothing here knows a noun."""
