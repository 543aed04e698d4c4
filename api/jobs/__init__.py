"""Long work: a queue of ids, workers that claim jobs, a process of its own for each search."""
