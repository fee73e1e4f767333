"""A first look on real prices: `run.run_demo` sweeps, registers, queries and exports."""
