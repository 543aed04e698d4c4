"""What the API takes and gives: pydantic models (Create, Update, Public) with examples."""
