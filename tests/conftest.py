"""What holds for every test: how Hypothesis looks for counter-examples."""

from hypothesis import settings

# A busy machine takes longer than Hypothesis's 200 ms now and then; that is no counter-example.
# All else stays as the environment has it: Hypothesis knows a profile of its own for CI.
_USUAL = settings.get_profile(settings.get_current_profile_name())
settings.register_profile("bookmobile", _USUAL, deadline=None)
settings.load_profile("bookmobile")
