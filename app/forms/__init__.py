"""Submitted forms: each takes effect once, however often it is sent."""
