"""What callers see: the GraphQL schema, its read planner, the REST compatibility layer and the doors."""
