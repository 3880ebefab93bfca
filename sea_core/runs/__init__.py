"""Run folders on disk. Nothing here knows a model or a judge."""
