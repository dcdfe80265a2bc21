"""What connectors declare, the hub can do."""

from connectors.registry import REGISTRY
from hub.ports import Direction
from hub.sync.pages import RECEIVERS
from hub.sync.tellings import TELLINGS


def test_every_stream_of_every_connector_is_known_to_the_hub() -> None:
    strange = [
        f"{connector.code} {stream.name}"
        for connector in REGISTRY.values()
        for stream in connector.streams
        if stream.name not in (RECEIVERS if stream.direction is Direction.IN else TELLINGS)
    ]

    assert strange == []


def test_streams_have_what_their_direction_needs() -> None:
    for connector in REGISTRY.values():
        for stream in connector.streams:
            inbound = (stream.fetch, stream.map, stream.key)
            needed = inbound if stream.direction is Direction.IN else (stream.push,)
            assert None not in needed, f"{connector.code} {stream.name}"
