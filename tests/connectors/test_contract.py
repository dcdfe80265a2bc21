from tests.connectors.contract import *  # noqa: F403
