"""The one error tree. Raise the most specific class, catch at the three edges (GraphQL, REST, job).

HubError
├── CallerError            the caller can mend it
│   ├── Unauthenticated    who are you?                          REST 401
│   ├── NotAllowed         level or permission is missing        REST 403
│   ├── Invalid            the input is wrong; names the field   REST 400
│   ├── NotFound           the reference designates nothing      REST 404
│   └── Conflict           the state forbids it; nothing changed REST 409
├── Unavailable            an engine does not answer; try again  REST 503
└── RemoteError            an external system; class = what to do next
    ├── Retryable          try again later
    │   └── RateLimited    try again after `retry_after`
    ├── RecordRejected     park this one record, go on
    └── NeedsAttention     stop the connection, tell a person
"""

from datetime import timedelta


class HubError(Exception):
    """A refusal or failure with a stable code, a message for people and a hint what to do."""

    code = "INTERNAL"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        named = f"{self.field}: {self.message}" if self.field else self.message
        return f"{named} ({self.hint})" if self.hint else named


class CallerError(HubError):
    """The caller's family: the request is refused and nothing has changed."""


class Unauthenticated(CallerError):
    code = "UNAUTHENTICATED"


class NotAllowed(CallerError):
    code = "FORBIDDEN"


class Invalid(CallerError):
    code = "INVALID"


class NotFound(CallerError):
    code = "NOT_FOUND"


class Conflict(CallerError):
    code = "CONFLICT"


class Unavailable(HubError):
    """PostgreSQL or Redis does not answer right now."""

    code = "UNAVAILABLE"


class RemoteError(HubError):
    """The remotes' family: what an external system did."""

    code = "REMOTE"


class Retryable(RemoteError):
    code = "REMOTE_RETRYABLE"


class RateLimited(Retryable):
    """The external system asks to slow down; `retry_after` is None when it did not say for how long."""

    code = "REMOTE_RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RecordRejected(RemoteError):
    """One record cannot be taken or was refused; `field` is the path inside the payload."""

    code = "RECORD_REJECTED"


class NeedsAttention(RemoteError):
    """Credentials refused, settings wrong, contract broken: only a person can mend it."""

    code = "NEEDS_ATTENTION"
