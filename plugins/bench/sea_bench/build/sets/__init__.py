"""The tasks of each modality, and how their media are made."""
