"""Runnable fakes of the external systems, with realistic data and faults on demand. The hub does not depend on them."""
