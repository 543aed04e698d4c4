"""Learning from recorded days: leg and dwell times, buffers, demand."""
