"""Spoken phrases in open vocabulary: word lists, voices of three makers, and clips."""
