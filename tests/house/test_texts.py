"""What people read is in a catalog, in whole sentences, and a template is short enough to read."""

from pathlib import Path

import pytest

from scripts import texts
from tests.conftest import ROOT
from tests.house.loose_texts import in_python, in_template, wrongly_filled

LONGEST_LINE = 140
MOST_LINES = 90  # of 95 in 100 templates
DRAWN = {"bitl", "ot"}  # the wordmark of a letter, around its coloured letter
CODE = ("templates/sandbox/", "templates/merchant/snippets/")  # for developers: the sandbox's panel, pieces of code
# Not in a catalog. This list only gets shorter: a new text is written with ``_`` from the start.
EXEMPT = {
    # Kept in English in the database: issues, the timeline, the audit log, why a job or a delivery failed.
    "app/audit/samples.py", "app/audit/service.py", "app/cli/issues.py",
    "app/catalog/listing.py", "app/catalog/pricing.py",
    "app/catalog/products.py", "app/catalog/rates.py", "app/catalog/reprice.py", "app/contract/refund.py",
    "app/fulfillment/buy.py", "app/fulfillment/manual_actions.py", "app/fulfillment/notices.py",
    "app/fulfillment/returns.py", "app/fulfillment/stuck_orders.py", "app/fulfillment/track.py",
    "app/fulfillment/withdrawal.py", "app/issues/clocks.py", "app/keys/key_rotation.py", "app/mail/notices.py",
    "app/mail/queries.py", "app/mail/reasons.py", "app/mail/service.py", "app/orders/letters.py",
    "app/payments/classify.py", "app/payments/create.py", "app/payments/customer_choice.py",
    "app/payments/handle_report.py", "app/payments/owed.py", "app/payments/reconcile.py",
    "app/payments/reweighing.py", "app/queue/error_causes.py", "app/queue/service.py", "app/refunds/payout.py",
    "app/refunds/service.py", "app/refunds/test_processor.py", "app/suppliers/own_stock_rotation.py",
    "app/webhooks/deliver.py", "app/webhooks/secrets.py", "app/webhooks/service.py",
    # For programs, and in the OpenAPI documents, which are in English.
    "app/contract/event_guide.py", "app/contract/examples.py", "app/contract/json_schema.py",
    "app/providers/kinguin_faults.py", "app/providers/transport.py", "app/web/api/bodies.py",
    "app/web/api/body_errors.py", "app/web/api/description.py", "app/web/api/endpoints.py", "app/web/api/events.py",
    "app/web/api/orders.py", "app/web/api/payments.py", "app/web/api/refunds.py", "app/web/embed/orders.py",
    "app/web/hooks/kinguin.py", "app/web/hooks/nowpayments.py", "app/web/hooks/resend.py",
    "app/web/kernel/openapi.py", "app/web/operations/health.py", "app/web/store/discovery.py",
    "app/web/kernel/described.py", "app/web/store/description.py",
    "app/web/store/product_data.py",
    # For who runs it: settings, logs, metrics, what broke.
    "app/fulfillment/models.py", "app/orders/changing.py",
    "app/backup/drill.py", "app/backup/schema.py", "app/cli/backups.py", "app/cli/migrating.py", "app/core/crypto.py",
    "app/core/database_url.py", "app/core/db.py", "app/core/metrics.py", "app/core/postgres.py",
    "app/core/settings.py", "app/core/settings_checks.py", "app/core/signing.py", "app/ledger/service.py",
    "app/providers/event_feed.py", "app/providers/http.py", "app/providers/kinguin.py",
    "app/providers/kinguin_answers.py", "app/providers/merchant_http.py", "app/providers/merchant_names.py",
    "app/providers/nowpayments_answers.py", "app/providers/nowpayments_payouts.py", "app/providers/rates.py",
    "app/providers/resend.py", "app/providers/shapes.py", "app/providers/storage.py", "app/providers/storage_s3.py",
    "app/queue/health_probes.py", "app/suppliers/port.py", "app/webhooks/publish.py",
    # Names, terms of cryptography, types.
    "app/backup/sealed.py", "app/catalog/conditions.py", "app/catalog/countries.py", "app/catalog/covers/drawing.py",
    "app/cli/jobs.py", "app/forms/service.py", "app/keys/reveal.py", "app/orders/service.py", "app/payments/coins.py",
    "app/payments/service.py", "app/providers/nowpayments.py", "app/refunds/addresses.py",
    "app/suppliers/own_stock.py", "app/suppliers/own_stock_import.py", "app/web/kernel/browsers.py",
    "app/web/kernel/viewer.py", "app/web/merchant/guide.py",
}  # fmt: skip


def every_template() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*.*") if path.suffix in {".html", ".txt"})


def templates() -> list[Path]:
    """Those that people of a shop see."""
    return [path for path in every_template() if not path.relative_to(ROOT).as_posix().startswith(CODE)]


def test_no_template_shows_a_text_that_no_catalog_has() -> None:
    loose = {path.relative_to(ROOT).as_posix(): sorted(set(in_template(path)) - DRAWN) for path in templates()}
    assert {name: found for name, found in loose.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Sold out</p>", ["Sold out"]),
        ('<p title="Sold out">{{ _("Sold out") }}</p>', ["title=Sold out"]),
        ('{{ button("Buy it now") }}', ["Buy it now"]),
        ('<p>{{ _("Sold out") }} {% trans n=1 %}Only {{ n }} left{% endtrans %}</p>', []),
        ('{% if state == "Sold out" %}<b class="word">12 × </b>{% endif %}', []),
    ],
)
def test_a_loose_text_in_a_template_is_found(tmp_path: Path, source: str, found: list[str]) -> None:
    (tmp_path / "one.html").write_text(source)
    assert in_template(tmp_path / "one.html") == found


def test_lines_of_templates_are_readable() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in every_template()
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_templates_are_short() -> None:
    counts = sorted(len(path.read_text().splitlines()) for path in templates())
    assert counts[len(counts) * 95 // 100] <= MOST_LINES, counts[-15:]


def test_python_shows_people_no_text_that_no_catalog_has() -> None:
    problems = texts.problem_classes()
    names = [path for path in sorted((ROOT / "app").rglob("*.py")) if "migrations" not in path.parts]
    loose = {path.relative_to(ROOT).as_posix(): in_python(path, problems) for path in names}
    loose = {name: found for name, found in loose.items() if found}
    assert {name: found for name, found in loose.items() if name not in EXEMPT} == {}
    assert EXEMPT - set(loose) == set(), "these have none any more: take them off the list"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('WORDS = {"paid": "Paid in full"}', ["Paid in full"]),
        ('WORDS = {"paid": N_("Paid in full")}', []),
        ('def say(n):\n    """Say how many there are."""\n    return f"There are {n} left"', ["There are {} left"]),
        (
            'WORDS = {"log": "API key created", "in": "Sign-in failed", "at": "A key is here"}',
            ["A key is here", "API key created", "Sign-in failed"],
        ),
        ('raise Missing("It is not there")', []),
        ('raise Missing(f"It is not in {place} there")', ["It is not in {} there"]),
        ('click.echo("It is not there")', ["It is not there"]),
        ('@click.option("--all", help="Every one of them.")\ndef show() -> "Some Type":\n    "What it shows"', []),
    ],
)
def test_a_loose_text_in_python_is_found(tmp_path: Path, source: str, found: list[str]) -> None:
    (tmp_path / "one.py").write_text(source)
    assert in_python(tmp_path / "one.py", {"Missing"}) == found


def test_whatever_fills_a_text_has_the_name_of_its_placeholder(tmp_path: Path) -> None:
    names = sorted((ROOT / "app").rglob("*.py"))
    assert {path.relative_to(ROOT).as_posix(): found for path in names if (found := wrongly_filled(path))} == {}
    (tmp_path / "one.py").write_text('_("%(name)s has no memo.", coin=name)\n_("Sold out")')
    assert wrongly_filled(tmp_path / "one.py") == ["%(name)s has no memo."]


def test_the_catalog_is_up_to_date() -> None:
    assert texts.TEMPLATE.read_text() == texts.written(texts.catalog()), "run `make texts`"
