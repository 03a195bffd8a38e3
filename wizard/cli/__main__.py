"""`python -m wizard.cli`."""

import sys

from wizard.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
