"""The synchronisation engine: runs, leases, pages, outbox. Imports services and queries, never the reverse."""
