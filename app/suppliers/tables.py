"""Tables of this room: what our own stock holds, and to whom it went."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.catalog.tables import Product


class OwnStockProduct(Table, tablename="own_stock_product"):
    """A product whose keys are ours. ``low_at``: with fewer keys than this the owner is told."""

    product_id = ForeignKey(Product, primary_key=True, null=False, on_delete=OnDelete.restrict)
    low_at = Integer(default=5)
    created_at = Timestamptz(default=None)


class OwnStockImport(Table, tablename="own_stock_import"):
    """One import of keys, with the data key that seals them, wrapped by the master key named beside it.

    ``kept``: keys that were new; ``doubled``: those that we had already.
    """

    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    imported_by = Varchar(320)
    kept = Integer()
    doubled = Integer()
    master_key_id = Varchar(32)
    wrapped = Bytea()
    created_at = Timestamptz(default=None)


class OwnStockSale(Table, tablename="own_stock_sale"):
    """Keys that one reservation bought; its id is that reservation's. ``returned_at``: they are on sale again."""

    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    quantity = Integer()
    sold_at = Timestamptz(default=None)
    returned_at = Timestamptz(null=True, default=None)


class OwnStockKey(Table, tablename="own_stock_key"):
    """One key of ours. On sale while ``sale_id`` is null; the oldest id is sold first.

    ``digest``: a keyed hash, by which a second import of it is noticed; it stays for ever. ``sealed``: under the data
    key of its import; empty once the key was sold so long ago that nobody may see it any more.
    """

    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    import_id = ForeignKey(OwnStockImport, null=False, on_delete=OnDelete.restrict)
    ordinal = Integer()
    media_type = Varchar(32)
    digest = Bytea(unique=True)
    sealed = Bytea()
    sale_id = ForeignKey(OwnStockSale, null=True, default=None, on_delete=OnDelete.restrict)


class OwnStockSecret(Table, tablename="own_stock_secret"):
    """The key of all digests, one row, sealed under a master key: who has the database alone can't test a guess."""

    id = Integer(primary_key=True, default=1)
    sealed = Bytea()
