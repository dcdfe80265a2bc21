"""The synchronisation with external systems; begin with `engine.py`, which follows one order through all of it.

Way in: engine → pages → intake → intake_orders and its like. Way out: services/outbox → engine → outbound.
Around them: runs and lease (who works on what), policy (what an error means), exceptions and retries (what got stuck),
inbox (what asks for one record), references and identity (which record is which), budget (how fast), outside (how).
"""
