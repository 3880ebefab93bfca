"""The formats: column conventions of public text safety sets, one file each."""
