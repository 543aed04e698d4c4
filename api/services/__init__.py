"""Services: load, call the core, save. Routes and commands stay thin above them."""
