"""What holds for every test: how Hypothesis looks for counter-examples."""

import os

from hypothesis import settings

# A busy machine takes longer than Hypothesis's 200 ms now and then; that is no counter-example.
# A change is judged by the same examples as the one before it; new ones are sought on demand.
settings.register_profile(
    "bookmobile", deadline=None, derandomize=not os.environ.get("BOOKMOBILE_NEW_EXAMPLES")
)
settings.load_profile("bookmobile")
