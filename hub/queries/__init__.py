"""The only SQL outside the synchronisation engine and the planner; queries take their scope or unit of work first."""
