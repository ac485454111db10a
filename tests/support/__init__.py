"""What the system tests stand on: a stack, the fleet, and views of what is in topics and tables."""
