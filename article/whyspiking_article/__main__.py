"""Write the article from the record, and what cites and checks it: `python -m whyspiking_article`.

Writes article.html and article.tex, and article.pdf where there is a TeX, below results/reference,
and codecheck.yml and the notes of .zenodo.json. Needs pandoc; for the PDF, Debian's
texlive-latex-recommended, texlive-fonts-recommended and lmodern.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from whyspiking.errors import UserError
from whyspiking.records import reference
from whyspiking_article import pages, release
from whyspiking_article.record import Record


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m whyspiking_article", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--to", type=Path, help="another folder, where nothing else is written")
    words = parser.parse_args()
    try:
        record = Record(reference.FOLDER)
        written = pages.write(record, words.to or reference.FOLDER)
        if words.to is None:
            release.write(record, Path())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"article: {', '.join(map(str, written))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
