"""What outgrows one process or one computer, on Ray: an optional extra that only its own commands import."""
