"""Errors a door may render. Each says the fact, its HTTP status and a stable code (RFC 9457 problem details)."""


class Problem(Exception):
    """Base of every error that a caller caused or can act on.

    ``detail`` is shown to people, so it says what to do; ``field`` names the input it is about, if any.
    """

    status = 500
    title = "Something went wrong"
    permanent = True  # for the queue: asking again in the same way ends the same way
    safe_text = True

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.field = field

    @property
    def code(self) -> str:
        """Stable machine word: the class name in snake case, e.g. ``not_found``."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class Invalid(Problem):
    status = 400
    title = "That request can't be used"


class Unauthorized(Problem):
    status = 401
    title = "Sign-in or signature needed"


class Forbidden(Problem):
    status = 403
    title = "Not allowed"


class NotFound(Problem):
    status = 404
    title = "Not found"


class Conflict(Problem):
    status = 409
    title = "Not possible in this state"


class Gone(Problem):
    status = 410
    title = "No longer available"


class TooMany(Problem):
    """``retry_after`` in seconds goes out as the Retry-After header (RFC 9110, 10.2.3)."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Problem):
    status = 503
    title = "Temporarily unavailable"
