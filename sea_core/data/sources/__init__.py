"""Where records come from: JSON, CSV and Arrow files, folders, and the Hugging Face hub."""
