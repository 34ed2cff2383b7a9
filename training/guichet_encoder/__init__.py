"""How the encoder that Guichet ships is made; README.md beside this folder tells."""
