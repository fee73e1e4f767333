"""The public SQL names on Spark: views over a lake, and the user's SQL translated."""
