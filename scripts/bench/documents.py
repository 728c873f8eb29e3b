"""The places in documents that the bench writes to: `<!-- bench:begin NAME -->` to `<!-- bench:end NAME -->`."""

from __future__ import annotations


def replaced(content: str, parts: dict[str, str]) -> str:
    """Return a document with new text in its places. Parts that the document has no place for are left out."""
    for name, part in parts.items():
        begin, end = f"<!-- bench:begin {name} -->\n", f"<!-- bench:end {name} -->"
        before, found, rest = content.partition(begin)
        _, closed, after = rest.partition(end)
        if found and not closed:
            raise ValueError(f"'{begin.strip()}' has no '{end}'")
        if found:
            content = f"{before}{begin}\n{part}\n\n{end}{after}"
    return content
