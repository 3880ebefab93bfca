"""A derived adapter, written down as the source of a class that needs nothing of this plugin."""
