"""What decides whether a key is of use to its buyer: where it can't be activated, and what else it needs. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.catalog.countries import NAMES, name_of
from app.core.i18n import _

EVERYWHERE = {"region free", "worldwide", "global", "row", "rest of world"}
LONGEST_LIST = 40  # countries; of more, those where it does work are named instead


class Conditions(msgspec.Struct, frozen=True):
    """Of one product, or of one item of an order as it was when it was bought.

    ``region`` as the supplier calls it, ``""`` where it names none; ``blocked``: where the key can't be activated
    whatever the region says, as ISO codes or names; ``dlc``: of no use without the base game.
    """

    platform: str = ""
    region: str = ""
    blocked: tuple[str, ...] = ()
    dlc: bool = False

    @property
    def where(self) -> str:
        """The region for a badge; one with exceptions never reads as if it had none."""
        region = self.region or _("Region not stated")
        if not self.blocked:
            return region
        if len(self.blocked) == 1:
            return _("%(region)s, except %(country)s", region=region, country=name_of(self.blocked[0]))
        return _("%(region)s, except %(number)s countries", region=region, number=len(self.blocked))

    @property
    def lines(self) -> list[str]:
        """What a buyer must know before paying, a sentence each; empty where the key works for everybody."""
        found = []
        if self.dlc:
            found.append(
                _("This is an add-on (DLC). You need the base game on %(platform)s to use it.", platform=self.platform)
                if self.platform
                else _("This is an add-on (DLC). You need the base game to use it.")
            )
        if not self.region:
            found.append(_("Our supplier doesn’t say in which region this key works."))
        elif self.region.lower() not in EVERYWHERE:
            found.append(_("Region: %(region)s. It may not work in other regions.", region=self.region))
        if self.blocked:
            found.append(self._blocked())
        return found

    def _blocked(self) -> str:
        blocked = _listed([name_of(country) for country in self.blocked])
        if len(self.blocked) <= LONGEST_LIST:
            return _("Can’t be activated in %(countries)s.", countries=blocked)
        left = [name for code, name in NAMES.items() if code not in self.blocked]
        if len(left) <= LONGEST_LIST:
            if not left:
                return _("Can’t be activated in any country.")
            return _("Can be activated only in %(countries)s.", countries=_listed(left))
        number = len(self.blocked)
        return _("Can’t be activated in these %(number)s countries: %(countries)s.", number=number, countries=blocked)


def _listed(names: list[str]) -> str:
    names = sorted(names)
    if len(names) == 1:
        return names[0]
    return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def of_item(kept: Mapping[str, Any]) -> Conditions | None:
    """Those that an item of an order was sold under; None for one that was sold before they were kept."""
    return msgspec.convert(kept, Conditions) if kept else None
