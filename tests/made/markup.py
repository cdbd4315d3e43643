"""What a reader sees of a page."""

import re


def plain(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", str(markup)).split())
