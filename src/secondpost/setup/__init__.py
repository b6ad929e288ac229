"""What must be right around the service before it can do its work: today, what DNS must say."""
