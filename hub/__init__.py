"""The floor everyone stands on: domain, services, synchronisation. Knows no HTTP, no GraphQL, no queue product."""
