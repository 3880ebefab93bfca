"""Kill drills: every command that writes files is stopped at random points, and re-run until it is done.

`make drill` stops them 300 times; `python -m drills --help` (in tests/) lists what can be chosen. What is checked is in
drill.py, what files are compared without in contents.py.
"""
