"""One navigation for all that developers read: the built guides, and the pages that come from the code."""

from functools import lru_cache

from app.contract.event_guide import EVENTS
from app.core.i18n import N_
from app.web.api.error_codes import CATALOG, by_status
from app.web.manual.site import Entry, Section, site


def sections() -> tuple[Section, ...]:
    """The guides for merchants, the API, then the other guides."""
    first, rest = site().sections[:1], site().sections[1:]
    return (*first, _api(), *rest)


@lru_cache(maxsize=1)
def _api() -> Section:
    errors = (code for codes in by_status(sorted(CATALOG)).values() for code in codes)
    return Section(
        "API",
        (
            Entry(N_("API reference"), "/api/docs"),
            Entry(N_("Errors"), "/docs/errors", tuple(Entry(code, f"/docs/errors/{code}") for code in errors)),
            Entry(N_("Events"), "/docs/events", tuple(Entry(name, f"/docs/events/{name}") for name in EVENTS)),
            Entry(N_("The shop’s JSON"), "/api/docs/shop"),
        ),
    )
