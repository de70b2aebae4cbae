"""Study directories as data frames."""
