"""Other people's models and predictions: looked at without trust, tried on labelled faces, adapted, sealed."""
