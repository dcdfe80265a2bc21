"""Brings the data of an old system in, with the ids that integrators have stored: files → entries → services."""
