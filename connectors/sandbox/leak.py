"""A vendor's leaky bucket, as the sandboxes enforce it."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Leak:
    """Fills by one with each request and leaks `per_second`; what would overflow `burst` is refused."""

    per_second: float
    burst: float
    level: float = 0.0
    at: float = field(default_factory=time.monotonic)

    def admit(self) -> bool:
        moment = time.monotonic()
        self.level = max(0.0, self.level - (moment - self.at) * self.per_second)
        self.at = moment
        if self.level + 1 > self.burst:
            return False
        self.level += 1
        return True

    @property
    def remaining(self) -> int:
        return int(self.burst - self.level)
