"""Takes a port before anything else is started, and says plainly when that is not possible."""

import socket

from hub.errors import Conflict, Invalid


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; callers wait in its queue until somebody accepts."""
    if not 0 <= port <= 65535:
        raise Invalid(f"{port} is not between 0 and 65535", field="port")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise Invalid(f"{host} is not an address of this machine: {error.strerror}", field="host") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise Conflict(
            f"{host}:{port} cannot be used: {reason}", field="port", hint="choose another with --port"
        ) from error


def check_free(host: str, port: int) -> None:
    """Raise what `listen` would raise."""
    listen(host, port).close()
