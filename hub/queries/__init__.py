"""The only SQL outside the synchronisation engine and the planner; every query takes its scope or unit of work first."""
