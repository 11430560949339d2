"""A shop of real processes that anything may happen to, and what must be true of it afterwards.

``make chaos`` plays thousands of orders while processes, servers and providers fail at random; the tests in
``tests/faults`` let one thing fail at a time, at an exact point.
"""
