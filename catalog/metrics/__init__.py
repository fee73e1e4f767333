"""What strategies earn on prices, from their changes alone."""
