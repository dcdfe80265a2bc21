"""The only writers: verbs on nouns, inside a unit of work."""
