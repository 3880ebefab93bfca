"""The page of `sea report`: runs of any kind as one HTML file that needs no network."""
