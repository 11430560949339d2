"""One-time codes, against the vectors of RFC 6238, appendix B."""

from datetime import UTC, datetime

import pytest

from app.core import totp

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of the RFC's "12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "digits"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, digits: str) -> None:
    assert totp.code(SECRET, totp.step_at(datetime.fromtimestamp(seconds, UTC))) == digits


def test_a_secret_is_taken_as_people_copy_it() -> None:
    assert totp.code(" gezd gnbv gy3t qojq gezd gnbv gy3t qojq", 1) == totp.code(SECRET, 1)


@pytest.mark.parametrize("secret", ["ME", "MFRA", "MFRGG", "MFRGGZA"])
def test_a_secret_is_taken_without_its_padding(secret: str) -> None:
    assert totp.code(secret, 1) == totp.code(secret + "=" * (8 - len(secret)), 1)


def test_a_secret_that_is_not_base32_is_named_so() -> None:
    with pytest.raises(ValueError, match=r"^the secret is not base32$"):
        totp.code("not base32 at all!", 1)
