"""Alignment: SFT and DPO on synthetic embeddings, encoded media and text. Only this package imports TRL and PEFT."""
