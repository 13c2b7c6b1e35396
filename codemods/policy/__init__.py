"""What becomes of symbols that neither a rule nor a pass rewrites: kept as host code, or refused."""
