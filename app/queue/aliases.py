"""What jobs were called before: those still queued at an upgrade run, and are read of, by their old names."""

ALIASES = {
    "payments.create_for_merchant": "payments.open",
    "fulfillment.collect": "keys.collect",
    "fulfillment.return_keys": "refunds.return_keys",
    "fulfillment.check_return": "refunds.check_return",
    "fulfillment.resume_stuck": "fulfillment.pick_up",
    "fulfillment.report_slow": "fulfillment.tell_slow",
    "refunds.request": "refunds.ask",
    "maintenance.purge": "house.tidy",
}
"""A job's name → its name before 0.2.0. Those still queued at the upgrade run; to be dropped in the release after."""
