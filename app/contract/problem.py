"""What a refusal says."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An error (RFC 9457). `code` is stable, `type` is its page, `field` what it is about."""

    type: Annotated[str, Meta(description="Its page, or a name of it.", extra_json_schema={"format": "uri"})]
    title: Annotated[str, Meta(description="What it is, in a few words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What to do.")]
    code: Annotated[str, Meta(pattern="^[a-z_]+$", description="A stable word for it, to decide by.")]
    field: Annotated[str | UnsetType, Meta(description="The field, parameter or header that it is about.")] = UNSET
