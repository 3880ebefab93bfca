"""Labels by people: which answers are labelled, and the labels."""
