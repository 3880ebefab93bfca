"""Where records come from: files of any known type, folders, and the Hugging Face hub."""
