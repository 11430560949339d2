"""The shop's own code on a virtual clock, among faults that a seed decides.

Real are all of ``app`` and ``actors``, and Postgres. Simulated are time, chance, the message queue, the wire to the
providers with the providers behind it, the customers, and the deaths of processes. One coroutine runs at a time, from
one pause to the next, so a seed is replayed to the letter. ``python -m dev.simulation --seed N --orders 1000``.
"""
