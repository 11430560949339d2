"""How Sphinx reads this folder. What it writes is decided in `site_builder.py`; `make docs` runs it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "BitLoot"
extensions = ["myst_parser", "site_builder"]
exclude_patterns = ["screenshots"]
myst_heading_anchors = 3
html_permalinks = False
html_use_index = False
html_domain_indices = False
