"""Published sets as sets of a benchmark folder: what `sea bench add` reads, one file for each layout."""
