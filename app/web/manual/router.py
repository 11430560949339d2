"""What a merchant's developer reads: error codes, events, the webhooks guide, the sample shop. Open to all."""

from litestar import Router

from app.web.manual import errors, events, files, guides

router = Router(
    "/",
    route_handlers=[
        errors.index, errors.show, events.index, events.show, events.schema, guides.show, files.sample_shop,
    ],
)  # fmt: skip
