"""The only place that knows ARQ: jobs, schedule, relay and sweeper."""
