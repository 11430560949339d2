"""Limits that must outlive a restart of Redis: letters to a mailbox, wrong passwords. Counted in Postgres."""
