"""Where things are and how they look: road network, travel times, drawing."""
