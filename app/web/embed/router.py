"""The checkout in a merchant's page, and the SDK that opens it."""

from litestar import Router

from app.web.embed import checkout, live, orders, payments, sdk

router = Router(
    "/",
    route_handlers=[
        sdk.newest, sdk.newest_module, sdk.pinned, sdk.pinned_module, sdk.types, sdk.module_types, checkout.show,
        checkout.status, live.events, orders.show, payments.create, payments.cancel,
    ],
)  # fmt: skip
