"""Rules for personal data in a root, and the secret key of hashes that these rules use."""
