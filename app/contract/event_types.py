"""The types of events, in the order in which they are listed."""

TYPES = (
    "order.paid", "order.fulfilled", "payment.pending", "payment.confirming", "payment.success", "payment.failed",
    "payment.expired", "payment.underpaid", "payment.overpaid", "refund.pending", "refund.processing",
    "refund.processed", "refund.failed",
)  # fmt: skip
TEST = "endpoint.test"  # sent by hand to one endpoint
