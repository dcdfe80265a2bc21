"""Which streams of a connector are on, and which must go before which."""

from collections.abc import Mapping, Sequence

from hub.errors import Conflict, NotFound
from hub.ports import Connector, Direction, Stream

NOMENCLATURES = ("products", "companies")
"""Taken in before the documents that name them."""


def is_on(stream: Stream, options: Mapping[str, bool]) -> bool:
    return stream.option is None or bool(options.get(stream.option))


def chosen_streams(
    connector: Connector, options: Mapping[str, bool], names: Sequence[str] | None = None
) -> list[Stream]:
    """The named streams, or all that are on, nomenclatures first; raises by name for one that is unknown or off."""
    for name in names or ():
        stream = connector.stream(name)
        if stream is None:
            offered = ", ".join(stream.name for stream in connector.streams)
            raise NotFound(f"{connector.title} has no stream {name}", field="streams", hint=f"one of {offered}")
        if not is_on(stream, options):
            raise Conflict(
                f"the stream {name} of {connector.title} is switched off",
                field="streams",
                hint=f"switch on the option {stream.option}",
            )
    on = [stream for stream in connector.streams if is_on(stream, options) and (names is None or stream.name in names)]
    return sorted(on, key=lambda stream: (stream.direction is Direction.OUT, stream.name not in NOMENCLATURES))
