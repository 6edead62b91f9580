"""Other apps (N-039): connecting them, speaking to each as it wants to be spoken to, and what they answered."""
