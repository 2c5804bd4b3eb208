"""The text of a package index: README.md without what has no address there.

All else stands in pyproject.toml and setup.cfg.
"""

import re
from pathlib import Path

from setuptools import setup

README = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
PICTURES = re.compile(r"<!-- picture -->.*?<!-- /picture -->\n*", re.DOTALL)

setup(
    long_description=PICTURES.sub("", README),
    long_description_content_type="text/markdown",
)
