"""Phase 3: evaluation on task collections."""
