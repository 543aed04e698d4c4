"""Other solvers on the same problems at the same wall time, every solution checked by ours.

``python -m tests.benchmarks.peers FAMILY FILE… --time-limit S --json OUT``; PyVRP and VROOM come
with the extra ``peers``.
"""
