"""The only SQL outside the synchronisation engine and the planner; queries take a scope or unit of work first."""
