"""Tables of this room."""

from piccolo.columns import Bytea, Timestamptz, Varchar
from piccolo.table import Table


class FormSubmission(Table, tablename="form_submission"):
    """One submission of one rendered form.

    ``id``: a digest of the form's key, where it was sent and what was in it. ``answer``: what the first submission was
    answered, sealed under the form's key, empty if too large; null while that one is still being worked on, and where
    it ended (``answered_at``) in a fault, so that nobody knows whether it took effect.
    """

    id = Varchar(64, primary_key=True)
    claimed_at = Timestamptz(default=None, index=True)
    answered_at = Timestamptz(null=True, default=None)
    answer = Bytea(null=True, default=None)
