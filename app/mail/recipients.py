"""Which addresses mail can reach through Resend, and in which form (resend.md, 1)."""

from email_validator import EmailNotValidError, validate_email

from app.core.i18n import _

LONGEST = 254  # characters (RFC 5321, 4.5.3.1.3, less the angle brackets)
LONGEST_NAME = 64  # characters before the @ (RFC 5321, 4.5.3.1.1)
# "Addresses at @example.com, @test.com and the like are refused"; what is below them no more exists than they do.
REFUSED = frozenset({"example.com", "example.org", "example.net", "test.com", "test.org", "test.net"})
# Reserved for documentation, tests and local networks (RFC 2606, 6761, 6762, 7686, 8375, 9476): mail has no way there.
RESERVED = frozenset({"example", "invalid", "localhost", "local", "onion", "internal", "arpa", "alt"})
TEST_DOMAIN = "test"  # reserved, too: used by tests and demos, never by a shop that is open


class Unmailable(ValueError):
    """An address that no letter of ours can reach. The text says why, to the person who typed it."""


def carried(address: str) -> str:
    """The address in the form that mail carries: lower case, its domain in ASCII (punycode).

    One address has one such form, so it is also what addresses are compared by. Raises Unmailable.
    """
    try:
        found = validate_email(
            address, check_deliverability=False, test_environment=True, allow_smtputf8=True, strict=True
        )
    except EmailNotValidError:
        raise Unmailable(_("Enter an email address like name@example.com.")) from None
    if found.ascii_email is None:
        raise Unmailable(_("Enter an address with only English letters before the @: we can't send email to others."))
    email = str(found.ascii_email).lower()
    if len(email) > LONGEST or len(email.rpartition("@")[0]) > LONGEST_NAME:
        raise Unmailable(_("Enter one email address, at most %(longest)s characters long.", longest=LONGEST))
    return email


def check_reachable(email: str, *, test_domain: bool) -> None:
    """Raises Unmailable where a carried address is at a domain that can have no mailbox.

    ``test_domain``: whether ``.test`` will do, as it does where nothing is really sent.
    """
    domain = email.rpartition("@")[2]
    parts = domain.split(".")
    unreal = ".".join(parts[-2:]) in REFUSED or parts[-1] in RESERVED or (parts[-1] == TEST_DOMAIN and not test_domain)
    if unreal:
        raise Unmailable(_("Enter your own email address: email does not reach %(domain)s.", domain=domain))
