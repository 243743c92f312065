"""Whether anything is lost when processes die: faults during syncs, and how long until a killed sync goes on.

python -m bench.faults [how many] [seed]
"""

from tests.scale.faults import main

if __name__ == "__main__":
    main()
