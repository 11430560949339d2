"""The providers: NOWPayments, Kinguin's buyer API and Resend as one local process, with a panel to steer them.

The sandbox plays the outside world. It imports nothing of the shop and signs with its own lines, so that it
can't agree with our mistakes. It calls loopback addresses only.
"""
