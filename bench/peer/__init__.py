"""The peers: the stock packages wired up as their documentation says, in an environment of their own."""
