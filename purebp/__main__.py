"""python -m purebp"""

import sys

try:
    from purebp.cli import main

    status = main()
except KeyboardInterrupt:  # while modules were loading
    status = 130
sys.exit(status)
