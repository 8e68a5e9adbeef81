"""What to do about a finding. The only place that may ever change a phone."""
