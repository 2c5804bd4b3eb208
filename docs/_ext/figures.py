"""Figures of one scale: an inch of each is as wide as that of any other, on every page.

Then letters are equally large in a figure of one panel and in one of four. Sphinx links a figure
of given width to its file, where a phone can enlarge it. What has no description is reported.
"""

import struct
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

CSS_PIXELS = 96  # of an inch
METRE = 0.0254  # of an inch
logger = logging.getLogger(__name__)


def inches(path):
    """Return how wide a PNG file is, by the resolution that it states."""
    data = Path(path).read_bytes()
    (width,) = struct.unpack(">I", data[16:20])
    at = data.find(b"pHYs")
    (per_metre,) = struct.unpack(">I", data[at + 4 : at + 8]) if at > 0 else (72 / METRE,)
    return width / (per_metre * METRE)


def described(image):
    """Return the description of an image: its own, or the bold title of its section."""
    if image.get("alt"):
        return image["alt"]
    section = image
    while section is not None and not isinstance(section, nodes.section):
        section = section.parent
    for strong in section.findall(nodes.strong) if section is not None else ():
        return f"{section.next_node(nodes.title).astext()}: {strong.astext()}"
    return None


def on_read(app, doctree):
    for image in doctree.findall(nodes.image):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix != ".png" or "no-scaled-link" in image["classes"]:
            continue
        image["width"] = f"{CSS_PIXELS * inches(path):.0f}px"
        image["alt"] = described(image)
        if not image["alt"]:
            del image["alt"]
            logger.warning("a figure has no description", location=image)


def setup(app):
    app.connect("doctree-read", on_read, priority=900)  # after the files have been collected
    return {"parallel_read_safe": True}
