"""Small pieces of logic that operators are made of, and how a sequential one runs."""
