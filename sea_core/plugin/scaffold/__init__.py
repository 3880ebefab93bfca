"""The templates that `sea plugins new` fills in, and the function that does it."""
