"""Plans changed by hand: steps tried and taken, places for one more stop."""
