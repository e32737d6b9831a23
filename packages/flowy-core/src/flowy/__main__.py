"""`python -m flowy`: the `flowy` command."""

import sys

from flowy.cli import main

# Worker processes may import this module to find what its caller defines.
if __name__ == "__main__":
    sys.exit(main())
