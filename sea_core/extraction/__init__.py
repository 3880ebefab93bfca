"""Instructions become prepared examples: phrase, sentence, detoxified instruction, goals (paper, section 3.1)."""
