"""Follows the vehicles and what happens aboard."""
