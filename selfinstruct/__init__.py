"""Phase 1 of Self-Instruct, and what all phases share."""
