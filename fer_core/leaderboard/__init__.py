"""The leaderboard: our shipped runs beside published systems, each with how its number came about."""
