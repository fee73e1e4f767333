"""The texts that a picture shows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree


def texts(svg: bytes | Path) -> set[str]:
    """Return the texts in an SVG."""
    tree = ElementTree.fromstring(svg.read_bytes() if isinstance(svg, Path) else svg)
    found = [node for node in tree.iter() if node.tag.endswith("}text")]
    return {"".join(node.itertext()).strip() for node in found}
