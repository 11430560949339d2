"""The speakers: each client knows one outside service's wire and nothing of the business; no tables here.

They promise: time-outs on every call, one log line and one observation a call, exact decimals both ways,
and three kinds of failure (``ProviderDown``, ``ProviderRefused``, ``ProviderProtocolError``, see ``errors``)
that each say whether the call may have had its effect. Section numbers are those of the provider sheets.
"""
