"""Live data: events are stored in their order, and whoever is connected is told."""
