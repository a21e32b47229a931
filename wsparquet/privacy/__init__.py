"""What a root keeps of people: the secret key of hashes, and the rules that use it."""
