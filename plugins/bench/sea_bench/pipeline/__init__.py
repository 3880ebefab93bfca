"""What `sea bench` does, callable from Python: build, check, run, judge, report, export."""
