"""What every door of the API shares: who asks, what they may do, how a refusal is worded; and members and teams."""
