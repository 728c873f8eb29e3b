#!/usr/bin/env python3
"""Makes the files of this folder: `make.py` makes all of them, `make.py vectors` makes vectors.tsv alone.

Needs Python 3.11 and the packages of requirements.txt. Running it again changes no byte.
"""

import sys

sys.dont_write_bytecode = True

import make_images  # noqa: E402
import make_vectors  # noqa: E402

if sys.argv[1:] not in ([], ["vectors"]):
    sys.exit("usage: make.py [vectors]")
if not sys.argv[1:]:
    make_images.make()
make_vectors.make()
