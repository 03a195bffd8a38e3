"""Where the frozen program starts; an installed one has the `hopwise` entry point."""

import sys

from wizard.cli import main

sys.exit(main())
