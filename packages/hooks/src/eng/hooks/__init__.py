"""What happens at each stage of a run."""
