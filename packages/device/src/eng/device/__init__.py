"""Which accelerator is here."""
