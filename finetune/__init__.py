"""Phase 2: finetuning on the generated data."""
