"""The audit log's actions in words, for the admin's pages; an action that is missing here is shown by its name."""

from app.web.store.order_words import AUDIT_WORDS

ACTIONS = AUDIT_WORDS | {
    "admin.logged_in": "Admin signed in",
    "admin.logged_out": "Admin signed out",
    "admin.login_failed": "Sign-in failed",
    "admin.hired": "Admin made or given a new password",
    "job.retried": "Job sent round again",
    "item.retried": "Supplier asked again",
    "refund.asked": "Refund asked for",
    "refund.approved": "Refund approved",
    "refund.recorded": "Refund recorded by hand",
    "refund.rejected": "Refund turned down",
    "refund.retried": "Refund put back",
    "webhook.replayed": "Webhook applied again",
    "order.given_up": "Order given up, refund due",
    "vault.rewrapped": "Data keys rewrapped",
    "backup.taken": "Backup taken",
    "backup.restored": "Backup restored",
    "drill.passed": "Backup drill passed",
    "drill.failed": "Backup drill failed",
    "audit.exported": "Audit log exported",
}
