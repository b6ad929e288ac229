"""The stores: ports, and the adapters behind them. SQL and database drivers are used nowhere else."""
