"""What monitoring systems read, judged by Prometheus' own tool."""
