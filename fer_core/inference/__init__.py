"""Prediction with LiteRT, and finding faces in pictures. No TensorFlow here."""
